"""Random declarations of parameters and values given at start, bound on both sides."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.definition.node import Json
from tests.differential import ours, sdk
from tests.differential.differences import documented
from tests.differential.differences.parameters import PYTHON_TYPES
from tests.differential.oracle import confirm
from tests.differential.outcomes import FAILURE, Outcome, value
from tests.differential.probes import probe
from tests.differential.tally import count

TEXTS = st.sampled_from(["a", "b", "c", "", "1", "true"])
NUMBERS = st.sampled_from([0, 1, -7, 10**20, 0.0, 1.0, 2.5, float("nan"), float("inf")])
VALUES = TEXTS | NUMBERS | st.booleans() | st.none()


@dataclass(frozen=True, slots=True)
class Declared:
    """A parameter and what is given for it: one value, or none."""

    type: str
    default: Json
    enum: list[str] | None
    given: tuple[Json, ...]


@st.composite
def declared(draw: st.DrawFn) -> Declared:
    type_ = draw(st.sampled_from(sorted(PYTHON_TYPES)))
    fitting = VALUES.filter(lambda each: isinstance(each, PYTHON_TYPES[type_]))
    # The SDK lets a default of another type pass if it is false, 0 or empty.
    default = draw(fitting | st.none() | VALUES.filter(lambda each: not each))
    enum = draw(st.none() | st.lists(TEXTS, max_size=3)) if type_ == "String" else None
    chosen = draw(st.tuples() | st.tuples(fitting) | st.tuples(VALUES))
    return Declared(type_, default, enum, chosen)


def expected(parameter: Declared) -> tuple[Outcome, str | None]:
    """What we have to bind a parameter to, and the difference that was met."""
    operands = (parameter.type, parameter.default, parameter.enum, parameter.given)
    row = documented("parameter", operands)
    if row is None:
        return probe("parameter", operands)[0], None
    confirm(row, "parameter", operands)
    return row.ours(*operands), row.name


@given(st.lists(declared(), max_size=4), st.sampled_from([{}, {}, {}, {"Unknown": "a"}]))
def test_run_starts_with_the_parameters_of_local_mode(
    parameters: list[Declared], unknown: dict[str, Json]
) -> None:
    names = [f"P{number}" for number in range(len(parameters))]
    objects: list[Any] = [
        sdk.parameter(name, each.type, each.default, each.enum)
        for name, each in zip(names, parameters, strict=True)
    ]
    values = {n: v for n, each in zip(names, parameters, strict=True) for v in each.given} | unknown
    outcomes = [expected(each) for each in parameters]
    met = {name for _, name in outcomes if name}
    whole = FAILURE
    if not unknown and all(outcome != FAILURE for outcome, _ in outcomes):
        whole = value(dict(zip(names, [outcome.value for outcome, _ in outcomes], strict=True)))
    count("parameters", whole, met)
    assert ours.start([each.to_request() for each in objects], values) == whole
    assert met or sdk.start(objects, values) == whole
