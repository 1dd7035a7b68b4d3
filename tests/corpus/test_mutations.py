"""Whatever was done to a definition: it is read, or refused with places that exist, in time."""

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_sm_pipelines.definition import load, warnings
from airflow_sm_pipelines.definition.graph import unreported, upstream
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.validation import validate
from tests.corpus.conftest import definitions
from tests.corpus.mutations import MUTATIONS, TEXT_MUTATIONS, Place, mutate
from tests.corpus.test_language import exists
from tests.definition.cases import PIPELINES

COUNT = int(os.environ.get("SM_PIPELINES_MUTATIONS", "400"))
SEED = int(os.environ.get("SM_PIPELINES_SEED", "20261124"))
LONGEST_SECONDS = 10
LARGEST_BYTES = 200_000


def sources() -> list[Path]:
    """The fixtures and, where they are, the real definitions, but for the very large."""
    files = [*sorted(PIPELINES.glob("*.json")), *definitions()]
    return [file for file in files if file.stat().st_size < LARGEST_BYTES]


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Fail where the block takes longer than a user waits."""

    def too_long(*_: object) -> None:
        raise AssertionError(f"{what}: no end after {LONGEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def fault(text: str) -> str:
    """What is wrong with how a text was treated; "" if it was read or refused as it should be."""
    try:
        pipeline = load(text)
    except DefinitionError as error:
        return misplaced(text, [problem.where for problem in error.problems])
    names = {step.name for step in pipeline.walk()}
    assert unreported(pipeline) <= upstream(pipeline).keys() <= names
    found = validate(pipeline)
    if load(json.dumps(pipeline.to_json())).to_json() != pipeline.to_json():
        return "it does not come back equal"
    told = (*found.problems, *found.warnings, *warnings(pipeline))
    return misplaced(text, [problem.where for problem in told])


def misplaced(text: str, places: list[str]) -> str:
    try:
        document: Json = json.loads(text)
    except ValueError:
        document = None
    wrong = [where for where in places if where != "$" and not leads(document, where)]
    return f"no such place: {wrong}" if wrong else ""


def leads(document: Json, where: str) -> bool:
    """Whether a problem's place is in the text, or in the definition that DescribePipeline's is."""
    match document:
        case {"PipelineDefinition": str() as text} if not exists(document, where):
            outer, _, inner = where.rpartition(" > ")
            return exists(document, outer or "$") and (
                inner == "$" or exists(json.loads(text), inner)
            )
    return exists(document, where)


def test_every_mutation_is_read_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    files = sources()
    definitions_read: dict[Path, Json] = {}
    slowest, slowest_case = 0.0, ""
    for number in range(COUNT):
        case = f"SM_PIPELINES_SEED={SEED + number}"
        draw = random.Random(SEED + number)
        file = draw.choice(files)
        source = definitions_read.setdefault(file, json.loads(file.read_bytes()))
        text = mutate(source, draw)
        began = time.process_time()
        with bounded(f"{case} {file.name}"):
            wrong = fault(text)
        assert not wrong, f"{case} {file.name}: {wrong}"
        took = time.process_time() - began
        if took > slowest:
            slowest, slowest_case = took, f"{case} {file.name}, {len(text)} bytes"
    with capsys.disabled():
        print(f"\n{COUNT} mutations, the slowest {slowest:.2f} s: {slowest_case}")  # noqa: T201


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda each: each.__name__)
def test_mutation_changes_a_definition(mutation: object) -> None:
    assert callable(mutation)
    value: dict[str, Json] = {"Steps": [{"Name": "A", "Type": "Training"}, {"Name": "B"}]}
    before = json.dumps(value)
    for seed in range(20):
        mutation(Place(value, "Steps"), random.Random(seed))
        if json.dumps(value) != before:
            return
    raise AssertionError("it never changes anything")


@pytest.mark.parametrize("mutation", TEXT_MUTATIONS, ids=lambda each: each.__name__)
def test_mutation_changes_a_text(mutation: object) -> None:
    assert callable(mutation)
    text = json.dumps({"Steps": [1, 2]})
    assert any(mutation(text, random.Random(seed)) != text for seed in range(20))
