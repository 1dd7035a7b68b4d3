"""Hundreds of real definitions: loaded, or refused with problems that lead to their places."""

import json
import re
from pathlib import Path

import pytest

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.graph import unreported
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError
from tests.definition.cases import DEFINITIONS, PIPELINES

pytestmark = pytest.mark.slow
SEGMENT = re.compile(r"\.([A-Za-z_][A-Za-z0-9_:-]*)|\[(\d+)\]|\[('(?:[^'\\]|\\.)*'|\"[^\"]*\")\]")


@pytest.fixture(scope="module")
def files() -> list[Path]:
    files = sorted(DEFINITIONS.rglob("*.json"))
    if not files:
        pytest.skip(f"no definitions in {DEFINITIONS}; set SM_PIPELINES_DEFINITIONS")
    return files


def exists(document: Json, path: str) -> bool:
    """Whether `$.Steps[0]['a key']` is a place in the document."""
    value, position = document, 1
    while position < len(path):
        segment = SEGMENT.match(path, position)
        if not segment:
            return False
        name, index, quoted = segment.groups()
        key = name if quoted is None else quoted[1:-1]
        match value:
            case list() if index is not None and int(index) < len(value):
                value = value[int(index)]
            case dict() if index is None and key in value:
                value = value[key]
            case _:
                return False
        position = segment.end()
    return True


def wrong_places(text: str) -> list[str]:
    try:
        pipeline = load(text)
    except DefinitionError as error:
        document = json.loads(text)
        return [str(each) for each in error.problems if not exists(document, each.where)]
    unreported(pipeline)
    return []


def test_every_real_definition_is_loaded_or_refused_with_places_that_exist(
    files: list[Path],
) -> None:
    wrong = {file.name: found for file in files if (found := wrong_places(file.read_text()))}
    assert wrong == {}


def test_what_the_sdks_emit_for_the_supported_types_is_loaded(files: list[Path]) -> None:
    told = {}
    for file in files:
        if DEFINITIONS / "samples" in file.parents:
            try:
                load(file.read_text())
            except DefinitionError as error:
                told[file.name] = [problem.message.split(";")[0] for problem in error.problems]
    unsupported = re.compile(r"unknown step type|a dependency with a Trigger is not supported")
    assert {
        name: messages
        for name, messages in told.items()
        if not any(unsupported.match(message) for message in messages)
    } == {}


@pytest.mark.parametrize("file", sorted(PIPELINES.rglob("*.json")), ids=lambda file: file.stem)
def test_problems_of_the_fixtures_lead_to_places_that_exist(file: Path) -> None:
    assert wrong_places(file.read_text()) == []
