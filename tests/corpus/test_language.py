"""Real definitions: read whole, or refused for reasons that have been reviewed."""

import ast
import json
import re
from pathlib import Path

import pytest

from airflow_sm_pipelines.definition import Pipeline, load
from airflow_sm_pipelines.definition.graph import unreported
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError
from tests.corpus.conftest import name_of
from tests.corpus.review import reviewed, told
from tests.definition.cases import PIPELINES

SEGMENT = re.compile(r"\.([A-Za-z_][A-Za-z0-9_:-]*)|\[(\d+)\]|\[('(?:[^'\\]|\\.)*'|\"[^\"]*\")\]")


def exists(document: Json, path: str) -> bool:
    """Whether `$.Steps[0]['a key']` is a place in the document."""
    value, position = document, 1
    while position < len(path):
        segment = SEGMENT.match(path, position)
        if not segment:
            return False
        name, index, quoted = segment.groups()
        key = name if quoted is None else str(ast.literal_eval(quoted))
        match value:
            case list() if index is not None and int(index) < len(value):
                value = value[int(index)]
            case dict() if index is None and key in value:
                value = value[key]
            case _:
                return False
        position = segment.end()
    return True


def canonical(value: Json) -> Json:
    """A definition with what the language holds for equal written in one way."""
    match value:
        case dict():
            members = {"Metadata": {}, "Parameters": [], **value} if "Version" in value else value
            if "Version" in value or {"Name", "Type", "Arguments"} <= value.keys():
                members = {key: member for key, member in members.items() if member is not None}
            return {
                key: canonical_parameters(member) if key == "Parameters" else canonical(member)
                for key, member in members.items()
            }
        case list():
            return [canonical(element) for element in value]
    return value


def canonical_parameters(value: Json) -> Json:
    if not isinstance(value, list):
        return canonical(value)
    return [{"Type": "String", **each} if isinstance(each, dict) else each for each in value]


def read(file: Path) -> Pipeline | None:
    try:
        return load(file.read_bytes(), name=file.stem)
    except DefinitionError:
        return None


def wrong_places(file: Path) -> list[str]:
    """The problems whose place is not in the file."""
    try:
        pipeline = load(file.read_bytes())
    except DefinitionError as error:
        document = json.loads(file.read_bytes())
        return [str(each) for each in error.problems if not exists(document, each.where)]
    assert unreported(pipeline) <= {step.name for step in pipeline.walk()}
    return []


def test_problems_of_real_definitions_are_those_that_were_reviewed(files: list[Path]) -> None:
    assert {name_of(file): found for file in files if (found := told(file))} == reviewed(files)


def test_problems_of_real_definitions_lead_to_places_that_exist(files: list[Path]) -> None:
    assert {name_of(file): found for file in files if (found := wrong_places(file))} == {}


def test_what_the_sdks_write_for_every_step_type_is_read(files: list[Path]) -> None:
    samples = [file for file in files if name_of(file).startswith("samples/")]
    assert [name_of(file) for file in samples if read(file) is None] == []


def test_definitions_come_back_equal(files: list[Path]) -> None:
    different = []
    for file in files:
        if pipeline := read(file):
            written = json.loads(json.dumps(pipeline.to_json()))
            again = load(json.dumps(written), name=file.stem)
            source = json.loads(file.read_bytes())
            if again != pipeline or written != canonical(source):
                different.append(name_of(file))
    assert different == []


@pytest.mark.parametrize("file", sorted(PIPELINES.rglob("*.json")), ids=lambda file: file.stem)
def test_problems_of_the_fixtures_lead_to_places_that_exist(file: Path) -> None:
    assert wrong_places(file) == []
