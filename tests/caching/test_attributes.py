"""What decides whether a job is adopted: each member of each kind of job, changed alone."""

import copy
from typing import Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines.definition.caching import is_cached
from airflow_sm_pipelines.definition.model import CachePolicy, Step
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.caching.examples import example, members
from tests.caching.runs import CachedRun, told_by
from tests.fidelity.cases import STEPS

pytestmark = pytest.mark.usefixtures("_instant")

CACHED = [
    type_
    for type_ in STEP_TYPES
    if is_cached(Step(name="S", type=type_, where="$", cache=CachePolicy(enabled=True)))
]
KEYS = [(type_, path) for type_ in CACHED for path in STEP_TYPES[type_].cache_attributes]


def others(type_: str) -> list[str]:
    """The members that decide nothing; of those that hold key attributes, the ones inside."""
    keys = STEP_TYPES[type_].cache_attributes
    holders = {path.partition(".")[0] for path in keys if "." in path}
    inside = [f"{holder}.{name}" for holder in holders for name in members(type_)[holder].members]
    every = [name for name in members(type_) if name not in holders] + inside
    return sorted(path for path in every if path not in keys)


OTHERS = [(type_, path) for type_ in CACHED for path in others(type_)]


@pytest.fixture(scope="module")
def pipelines() -> dict[str, str]:
    """The name of a pipeline for each type, in which the plain step has run once."""
    return {}


def shape_of(type_: str, path: str) -> Any:
    member, _, inner = path.partition(".")
    return members(type_)[member].members[inner] if inner else members(type_)[member]


def step_with(type_: str, path: str, which: int | None) -> dict[str, Any]:
    """A step whose member at that path is one of two examples; None leaves it as it is."""
    step = {"Type": type_, **copy.deepcopy(STEPS[type_])}
    arguments = step["Arguments"]
    if "TrainingJobDefinitions" in path:
        del arguments["TrainingJobDefinition"]  # one of them is allowed
    if which is not None:
        holder, _, inner = path.rpartition(".")
        into = arguments.setdefault(holder, {}) if holder else arguments
        chosen = CHOSEN.get((type_, path))
        into[inner] = chosen[which] if chosen else example(shape_of(type_, path), which)
    return step


# Members of which AWS refuses more than their shapes say.
CHOSEN = {
    ("Transform", "DataProcessing"): ({"InputFilter": "$[0]"}, {"InputFilter": "$[1]"}),
}


def test_the_types_that_are_cached_are_those_that_run() -> None:
    assert CACHED == ["Processing", "Training", "Tuning", "AutoML", "Transform"]


@pytest.mark.parametrize(("type_", "path"), KEYS)
def test_a_key_attribute_that_changes_misses_and_is_named(
    type_: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = uuid4().hex
    first = CachedRun(step_with(type_, path, 0), pipeline=pipeline, run_id="first").go()
    same = CachedRun(step_with(type_, path, 0), pipeline=pipeline, run_id="same")
    assert same.look()
    other = CachedRun(step_with(type_, path, 1), pipeline=pipeline, run_id="other")
    capsys.readouterr()
    assert other.look() is None
    (miss,) = told_by(capsys, "miss")
    name = first[STEP_TYPES[type_].job.describe_name]  # type: ignore[union-attr]
    told = miss.removeprefix(f"what differs from {name}, the last of the step that completed: ")
    assert told != miss
    assert {each.split(": ")[0].startswith(path) for each in told.split("; ")} == {True}


@pytest.mark.parametrize(("type_", "path"), OTHERS)
def test_another_attribute_that_changes_hits(
    type_: str, path: str, pipelines: dict[str, str]
) -> None:
    plain = step_with(type_, path, None)
    if type_ not in pipelines:
        pipelines[type_] = uuid4().hex
        CachedRun(plain, pipeline=pipelines[type_], run_id="plain").go()
    run = CachedRun(step_with(type_, path, 1), pipeline=pipelines[type_], run_id="changed")
    assert run.look()
