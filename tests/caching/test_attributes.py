"""What decides whether a job is adopted: each member of each kind of job, changed alone."""

from typing import Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.caching.examples import members
from tests.caching.runs import CachedRun, told_by
from tests.caching.steps import CACHED

pytestmark = pytest.mark.usefixtures("_instant")

KEYS = [(type_, path) for type_ in CACHED for path in STEP_TYPES[type_].cache_attributes]


def others(type_: str) -> list[str]:
    """The members and the keys of the step that decide nothing; of those that hold key attributes,
    the ones inside."""
    attributes = STEP_TYPES[type_].cache_attributes
    holders = {path.partition(".")[0] for path in attributes if "." in path}
    inside = [f"{holder}.{name}" for holder in holders for name in members(type_)[holder].members]
    every = [name for name in members(type_) if name not in holders] + inside
    return sorted({*every, *STEP_TYPES[type_].keys} - {*attributes})


OTHERS = [(type_, path) for type_ in CACHED for path in others(type_)]


@pytest.fixture(scope="module")
def pipelines() -> dict[str, str]:
    """The name of a pipeline for each type, in which the plain step has run once."""
    return {}


# Whoever compares with a baseline gives it to the job.
FOLLOWING = {"SkipCheck": ("ProcessingInputs", "Environment"), "ModelName": ("ProcessingInputs",)}


def test_the_types_that_are_cached_are_those_that_run() -> None:
    assert [
        *("Processing", "Training", "Tuning", "AutoML", "Transform"),
        *("ClarifyCheck", "QualityCheck", "EMR"),
    ] == CACHED


@pytest.mark.parametrize(("type_", "path"), KEYS)
def test_a_key_attribute_that_changes_misses_and_is_named(
    type_: str, path: str, step_with: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = uuid4().hex
    first = CachedRun(step_with(type_, path, 0), pipeline=pipeline, run_id="first").go()
    same = CachedRun(step_with(type_, path, 0), pipeline=pipeline, run_id="same")
    assert same.look()
    other = CachedRun(step_with(type_, path, 1), pipeline=pipeline, run_id="other")
    capsys.readouterr()
    assert other.look() is None
    (miss,) = told_by(capsys, "miss")
    job = STEP_TYPES[type_].job
    named = paths_of(miss, str(first[job.create_name or ""]) if job else "")
    assert any(each.startswith(path) for each in named)
    assert all(each.startswith((path, *FOLLOWING.get(path, ()))) for each in named)


def paths_of(miss: str, name: str) -> set[str]:
    """What a miss names; where no list has a job of the step, what tells the lists apart."""
    for known in ("the last of the step", "the last named as the step's"):
        told = miss.removeprefix(f"what differs from {name}, {known} that completed: ")
        if told != miss:
            return {each.split(": ")[0] for each in told.split("; ")}
    nothing, _, place = miss.partition(" has completed on ")
    assert nothing == "no job that is known to be of this step"
    return {place.split()[0]}


@pytest.mark.parametrize(("type_", "path"), OTHERS)
def test_another_attribute_that_changes_hits(
    type_: str, path: str, step_with: Any, pipelines: dict[str, str]
) -> None:
    plain = step_with(type_, path, None)
    if type_ not in pipelines:
        pipelines[type_] = uuid4().hex
        CachedRun(plain, pipeline=pipelines[type_], run_id="plain").go()
    run = CachedRun(step_with(type_, path, 1), pipeline=pipelines[type_], run_id="changed")
    assert run.look()
