"""Arguments of every kind of job against botocore's own check of a request, on random values.

botocore refuses to send what it finds wrong, so whatever it finds has to be told at its place. It
knows neither patterns nor enumerations; the other direction is no claim.
"""

import re
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.validate import validate_parameters
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.definition.node import Json, child_path
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.validation.arguments import CHECKS, FREE, arguments
from airflow_sm_pipelines.validation.kinds import Names
from airflow_sm_pipelines.validation.models import shape
from airflow_sm_pipelines.validation.shapes import check
from tests.validation.cases import ROLE

FILLED_IN = re.compile("[rR]ole[aA]rn$|^[cC]lientToken$")
REPORTED = re.compile(
    r".*?(?:parameter in|parameter|tagged union ?structure) "
    r"(?P<path>[^\s,:]*[^\s,:.])(?:: \"(?P<unknown>[^\"]*)\", must be)?"
)
NAMES = Names(parameters={}, steps={})
SHAPED = [step_type for step_type in STEP_TYPES if step_type not in FREE.keys() | CHECKS.keys()]

KEYS = st.text("ab", min_size=1, max_size=3)
JSON: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9999)
    | st.floats(-9, 9)
    | st.text("ab/-", max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def values(draw: st.DrawFn, of: Any, depth: int) -> Any:
    """A value for a shape, which may be wrong anywhere."""
    if draw(st.integers(0, 19)) == 0:
        return draw(JSON)
    return draw(SIMPLE[of.type_name]) if of.type_name in SIMPLE else draw(inner(of, depth))


@st.composite
def inner(draw: st.DrawFn, of: Any, depth: int) -> Json:
    """A value for a structure, a list or a map."""
    if of.type_name == "structure":
        chosen = set(of.required_members) if draw(st.integers(0, 9)) else set()
        if depth and of.members:
            chosen |= draw(st.sets(st.sampled_from(sorted(of.members)), max_size=4))
        return {name: draw(values(of.members[name], depth - 1)) for name in sorted(chosen)}
    if depth < 0:
        return [] if of.type_name == "list" else {}
    if of.type_name == "list":
        return draw(st.lists(values(of.member, depth - 1), max_size=2))
    return draw(st.dictionaries(KEYS, values(of.value, depth - 1), max_size=2))


SIMPLE: dict[str, st.SearchStrategy[Json]] = {
    "string": st.text("ab/-", max_size=40),
    "integer": st.integers(-1, 99),
    "long": st.integers(-1, 99),
    "float": st.floats(-1, 99),
    "double": st.floats(-1, 99),
    "boolean": st.booleans(),
}


def filled(value: Json, of: Any) -> Json:
    """The value with the roles and tokens that the service fills in."""
    match value:
        case dict() if of.type_name == "structure":
            given = {name: ROLE for name in of.required_members if FILLED_IN.search(name)}
            members = {
                key: filled(member, of.members[key]) if key in of.members else member
                for key, member in value.items()
            }
            return {**given, **members}
        case dict() if of.type_name == "map":
            return {key: filled(member, of.value) for key, member in value.items()}
        case list() if of.type_name == "list":
            return [filled(element, of.member) for element in value]
    return value


def refused(request: Json, of: Any) -> set[str]:
    """The places of what botocore finds wrong."""
    if not isinstance(request, dict):
        return {"$"}
    try:
        validate_parameters(request, of)
    except ParamValidationError as error:
        return {place(line) for line in str(error).splitlines()[1:]}
    return set()


def place(line: str) -> str:
    """The place that a line of botocore's report is about."""
    found = REPORTED.match(line)
    assert found, line
    path = "$" if found["path"] in {"input", ""} else f"$.{found['path']}"
    return child_path(path, found["unknown"]) if found["unknown"] else path


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ('Missing required parameter in input: "RoleArn"', "$"),
        ('Unknown parameter in A[0]: "x", must be one of: B', "$.A[0].x"),
        ("Invalid length for parameter A.B, value: 1, valid min length: 20", "$.A.B"),
        ("Invalid number of parameters set for tagged union structure A. Can only set one", "$.A"),
        ("Must set one of the following keys for tagged unionstructure A.B: C, D.", "$.A.B"),
    ],
)
def test_report_of_botocore_is_read(line: str, where: str) -> None:
    assert place(line) == where


@pytest.mark.parametrize("step_type", SHAPED)
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_botocore_refuses_to_send_is_told(step_type: str, data: st.DataObject) -> None:
    name = arguments(step_type)
    assert name
    request = shape(name)
    value = data.draw(values(request, 3))
    told = {finding.where for finding in check(value, request, "$", NAMES)}
    assert refused(filled(value, request), request) <= told
