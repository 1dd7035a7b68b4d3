"""Hundreds of real pipelines, drawn: what holds for the fixtures holds for them."""

from pathlib import Path

import pytest

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.diagrams import Chart, chart
from airflow_sm_pipelines.errors import DefinitionError
from tests.definition.cases import DEFINITIONS
from tests.diagrams import test_layout, test_mermaid, test_svg, test_tree

pytestmark = pytest.mark.slow
LARGE = 200
"""Steps above which comparing all pairs of boxes would take long."""


@pytest.fixture(scope="module")
def charts() -> dict[str, Chart]:
    files = sorted(DEFINITIONS.rglob("*.json"))
    if not files:
        pytest.skip(f"no definitions in {DEFINITIONS}; set SM_PIPELINES_DEFINITIONS")
    found = {str(file): _chart(file) for file in files}
    return {name: made for name, made in found.items() if made}


def _chart(file: Path) -> Chart | None:
    try:
        return chart(load(file.read_bytes(), name=file.stem))
    except DefinitionError:
        return None


def test_every_real_graph_can_be_read_from_its_tree(charts: dict[str, Chart]) -> None:
    assert len(charts) > 100
    for made in charts.values():
        test_tree.check(made)


def test_every_real_graph_is_in_its_flowchart(charts: dict[str, Chart]) -> None:
    for made in charts.values():
        test_mermaid.check(made)


def test_every_real_graph_is_in_its_image(charts: dict[str, Chart]) -> None:
    for made in charts.values():
        test_svg.check(made)


def test_no_real_graph_has_a_box_on_another_or_a_line_on_a_step(charts: dict[str, Chart]) -> None:
    for made in charts.values():
        if made.steps < LARGE:
            test_layout.check(made)
