"""The table is complete, and what it names is there."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from airflow_sm_pipelines.definition.conditions import CONDITIONS
from airflow_sm_pipelines.definition.expressions import FUNCTIONS
from airflow_sm_pipelines.definition.parameters import PARAMETER_TYPES
from airflow_sm_pipelines.definition.parse_steps import TRIGGERS
from airflow_sm_pipelines.definition.policies import EXCEPTION_TYPES
from airflow_sm_pipelines.definition.references import EXECUTION_VARIABLES, ROOTS
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.fidelity import LEVELS, ROWS
from airflow_sm_pipelines.fidelity.page import page
from airflow_sm_pipelines.fidelity.rows import MEANINGS, PAGE, Row
from airflow_sm_pipelines.fidelity.table import BY_FEATURE

ROOT = Path(__file__).parents[2]

WANTED = [
    *(f"Type={name}" for name in STEP_TYPES),
    *(f"Get=Execution.{name}" for name in EXECUTION_VARIABLES),
    *(f"Condition={name}" for name in CONDITIONS),
    *(f"Trigger={name}" for name in TRIGGERS if name != "Completed"),
    *(f"ExceptionType={name}" for name in EXCEPTION_TYPES),
    *(f"Parameter={name}" for name in PARAMETER_TYPES),
]

NAMED_BY_PROOFS = ("Type=", "Trigger=", "ExceptionType=")


@pytest.mark.parametrize("feature", WANTED)
def test_whatever_the_language_knows_by_name_has_a_row(feature: str) -> None:
    assert feature in BY_FEATURE


@pytest.mark.parametrize("name", [*(f"Get={root}" for root in ROOTS), *FUNCTIONS])
def test_every_function_and_root_has_a_row(name: str) -> None:
    assert any(feature.startswith(name) for feature in BY_FEATURE)


def test_no_name_is_known_to_the_table_alone() -> None:
    kinds = ("Type=", "Get=Execution.", "Condition=", "Trigger=", "ExceptionType=", "Parameter=")
    assert {feature for feature in BY_FEATURE if feature.startswith(kinds)} == set(WANTED)


def test_a_feature_is_in_one_row_and_an_anchor_is_of_one() -> None:
    features = Counter(feature for row in ROWS for feature in row.features)
    anchors = Counter(row.anchor for row in ROWS)
    assert [name for name, count in (features + anchors).items() if count > 1] == []


def test_a_type_is_unsupported_exactly_where_no_task_can_run_it() -> None:
    unsupported = {name for name in STEP_TYPES if BY_FEATURE[f"Type={name}"].level == "unsupported"}
    assert unsupported == {name for name, row in STEP_TYPES.items() if not row.runs}


def test_every_level_has_a_meaning_and_a_row() -> None:
    assert tuple(MEANINGS) == LEVELS
    assert {row.level for row in ROWS} == set(LEVELS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.anchor)
def test_a_row_has_a_line_a_paragraph_and_a_proof(row: Row) -> None:
    assert row.features
    assert row.proof
    assert len(set(row.proof)) == len(row.proof)
    assert len(row.reason) <= 90
    assert not row.reason.endswith(".")
    assert row.text.endswith(".")
    assert re.fullmatch(r"[a-z0-9-]+", row.anchor)


@pytest.mark.parametrize("feature", [f for f in WANTED if f.startswith(NAMED_BY_PROOFS)])
def test_a_proof_names_what_it_is_about(feature: str) -> None:
    name = feature.partition("=")[2]
    proofs = [proof.partition("::")[2] for proof in BY_FEATURE[feature].proof]
    assert any(proof.endswith(f"[{name}]") or name.lower() in proof for proof in proofs)


def test_every_proof_is_a_test() -> None:
    files = sorted({proof.partition("::")[0] for row in ROWS for proof in row.proof})
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    tests = set(collected.splitlines())
    tests |= {test.partition("[")[0] for test in tests}
    missing = [f"{row.anchor}: {name}" for row in ROWS for name in row.proof if name not in tests]
    assert not missing, "\n".join([*missing, *collected.splitlines()[-3:]])


def test_the_page_is_what_the_table_renders() -> None:
    """`python -m airflow_sm_pipelines.fidelity` renders it again; read what changed."""
    assert (ROOT / PAGE).read_text(encoding="utf-8") == page()


def test_every_link_of_the_page_leads_to_an_anchor() -> None:
    text = page()
    anchors = re.findall(r'<a id="([^"]+)"></a>', text)
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(anchors)
    assert sorted(anchors) == sorted(row.anchor for row in ROWS)


def test_the_module_writes_the_page_of_the_working_directory(tmp_path: Path) -> None:
    written = tmp_path / PAGE
    written.parent.mkdir()
    code = "from airflow_sm_pipelines.fidelity import __main__"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert not written.exists()  # imported, it does nothing
    module = "airflow_sm_pipelines.fidelity"
    subprocess.run([sys.executable, "-m", module], cwd=tmp_path, check=True)
    assert written.read_text(encoding="utf-8") == page()
