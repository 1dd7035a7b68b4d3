"""Whatever stands in the text: it is loaded, or refused with a DefinitionError."""

import copy
import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.definition import load, warnings
from airflow_sm_pipelines.definition.graph import unreported, upstream
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError, Problem
from tests.definition.cases import PIPELINES, definition

GOOD = [json.loads(file.read_text()) for file in sorted(PIPELINES.glob("*.json"))]
pytestmark = pytest.mark.slow
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

# What a definition is made of, so that a mutation reaches more than the first check.
WORDS = st.sampled_from(
    [
        *("Name", "Type", "Arguments", "Steps", "DependsOn", "IfSteps", "Conditions", "Get"),
        *("Std:Join", "Std:JsonGet", "Values", "On", "Path", "S3Uri", "PropertyFile"),
        *("Condition", "Training", "Fail", "Equals", "Not", "Or", "In", "Prepare", "Decide"),
        *("Steps.Prepare.ProcessingJobName", "Parameters.Branch", "Execution.StartDateTime"),
    ]
)
TEXTS = WORDS | st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def places(value: Json) -> Iterator[tuple[dict[str, Json] | list[Json], str | int]]:
    """Every place in a value where another value could stand."""
    match value:
        case dict():
            for key, member in value.items():
                yield value, key
                yield from places(member)
        case list():
            for index, element in enumerate(value):
                yield value, index
                yield from places(element)


@st.composite
def mutated(draw: st.DrawFn) -> Json:
    value: Json = copy.deepcopy(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(value))
        if not found:
            break
        holder, key = found[draw(st.integers(0, len(found) - 1))]
        if draw(st.booleans()):
            holder[key] = draw(VALUES)  # type: ignore[index]
        elif isinstance(holder, dict):
            holder[draw(TEXTS)] = holder.pop(str(key))
        else:
            holder.append(draw(VALUES))
    return value


def read(text: str | bytes) -> None:
    """Load and use a definition; other exceptions than a DefinitionError are the test's failure."""
    problems: tuple[Problem, ...] | None = None
    try:
        pipeline = load(text)
    except DefinitionError as error:
        problems = error.problems
    if problems is None:
        warnings(pipeline)
        assert unreported(pipeline) <= upstream(pipeline).keys()
    else:
        assert problems
        assert all(problem.where.startswith("$") for problem in problems)


@BOUNDED
@given(VALUES)
def test_any_json_is_loaded_or_refused(value: Json) -> None:
    read(json.dumps(value))


@BOUNDED
@given(VALUES, VALUES)
def test_any_json_as_steps_and_parameters_is_loaded_or_refused(steps: Json, other: Json) -> None:
    read(json.dumps({**definition(), "Steps": steps, "Parameters": other}))
    read(json.dumps(definition({"Name": "S", "Type": "Condition", "Arguments": steps}, other)))


@BOUNDED
@given(mutated())
def test_any_mutation_of_a_good_definition_is_loaded_or_refused(value: Json) -> None:
    read(json.dumps(value))


@BOUNDED
@given(st.text(max_size=30) | st.binary(max_size=30))
def test_any_text_is_loaded_or_refused(text: str | bytes) -> None:
    read(text)


@BOUNDED
@given(st.sampled_from(GOOD), st.data())
def test_any_cut_of_a_good_definition_is_loaded_or_refused(
    value: Json, data: st.DataObject
) -> None:
    text = json.dumps(value).encode()
    start = data.draw(st.integers(0, len(text)))
    read(text[:start] + text[start + data.draw(st.integers(1, 20)) :])


@pytest.mark.parametrize("depth", [20, 49, 90])
def test_values_as_deep_as_allowed_are_loaded(depth: int) -> None:
    value: Json = "x"
    for _ in range(depth):
        value = [value]
    read(json.dumps(definition({"Name": "S", "Type": "Training", "Arguments": {"x": value}})))


def test_conditions_and_joins_as_deep_as_allowed_are_loaded() -> None:
    condition: Json = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    join: Json = "x"
    step: Json = {"Name": "S", "Type": "Training", "Arguments": {}}
    for index in range(25):
        condition = {"Type": "Not", "Condition": {"Type": "Or", "Conditions": [condition]}}
        join = {"Std:Join": {"Values": [join]}}
        step = {
            "Name": f"C{index}",
            "Type": "Condition",
            "Arguments": {"Conditions": [], "IfSteps": [step]},
        }
    read(json.dumps(definition(step, {"Name": "J", "Type": "Training", "Arguments": {"x": join}})))
    decide: Json = {"Conditions": [condition]}
    read(json.dumps(definition({"Name": "D", "Type": "Condition", "Arguments": decide})))
