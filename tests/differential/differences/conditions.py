"""Differences in comparisons (Type, left, right), in `In` (query, element), and in whole steps."""

import operator
from collections.abc import Callable
from typing import Any

from airflow_sm_pipelines.definition.node import Json
from tests.differential.differences.row import Difference, fails, is_nan, is_number
from tests.differential.outcomes import FAILURE, Outcome, value


def _compared(type_: str, left: Any, right: Any) -> Outcome:
    """What Python's operator says; a failure where it has no answer."""
    try:
        return value(OPERATORS[type_](left, right))
    except TypeError:
        return FAILURE


def _is_nan_compared(type_: str, left: Json, right: Json) -> bool:
    if not (is_number(left) and is_number(right) and (is_nan(left) or is_nan(right))):
        return False
    return type_ != "Equals" or type(left) is type(right)


def _is_integer_equals_float(type_: str, left: Json, right: Json) -> bool:
    if is_nan(left) or is_nan(right):
        return False
    return type_ == "Equals" and {type(left), type(right)} == {int, float}


def _is_boolean_with_number(type_: str, left: Json, right: Json) -> bool:
    boolean, other = (left, right) if isinstance(left, bool) else (right, left)
    if not (isinstance(boolean, bool) and is_number(other)):
        return False
    # For Equals local mode wants one Python type; that of a boolean is an integer's, not a float's.
    return type_ != "Equals" or isinstance(other, int)


def _is_order_of_booleans(type_: str, left: Json, right: Json) -> bool:
    return type_ != "Equals" and isinstance(left, bool) and isinstance(right, bool)


def _are_containers(type_: str, left: Json, right: Json) -> bool:
    if type(left) is not type(right) or not isinstance(left, dict | list):
        return False
    return _compared(type_, left, right) != FAILURE


NAN = float("nan")

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}

COMPARE = (
    Difference(
        name="NaN compared",
        reason="a metric that could not be computed has no order: it fails instead of passing",
        source="no source; IEEE 754 as Python has it says false to all of these",
        applies=_is_nan_compared,
        local=lambda type_, left, right: value(False),
        ours=fails,
        examples=(("LessThan", NAN, 6), ("Equals", NAN, NAN)),
    ),
    Difference(
        name="integer equals float",
        reason="numbers are compared by value; local mode wants one Python type",
        source="DG, build-and-manage-steps: 6.0; SDK, local/pipeline.py: not of the same type",
        applies=_is_integer_equals_float,
        local=fails,
        ours=_compared,
        examples=(("Equals", 1, 1.0), ("Equals", 2.5, 2)),
    ),
    Difference(
        name="boolean with a number",
        reason="the service compares values of one type; for Python 1 == True",
        source="API, types of arguments; SDK, local/pipeline.py: isinstance",
        applies=_is_boolean_with_number,
        local=_compared,
        ours=fails,
        examples=(("Equals", 1, True), ("Equals", False, 2), ("LessThan", False, 0.5)),
    ),
    Difference(
        name="order of booleans",
        reason="booleans have no order; Python's are 0 and 1",
        source="SDK, local/pipeline.py: left > right",
        applies=_is_order_of_booleans,
        local=_compared,
        ours=fails,
        examples=(("GreaterThan", True, False), ("LessThanOrEqualTo", True, True)),
    ),
    Difference(
        name="objects or arrays",
        reason="operands are strings, numbers and booleans",
        source="SDK, workflow/conditions.py: PrimitiveType; local/pipeline.py: left == right",
        applies=_are_containers,
        local=_compared,
        ours=fails,
        examples=(("Equals", {"a": 1}, {"a": 1}), ("LessThan", [1], [2]), ("Equals", [1], [])),
    ),
)

IN = (
    Difference(
        name="boolean among numbers",
        reason="elements are equal in type and value; for Python 1 == True",
        source="SDK, local/pipeline.py: query in values",
        applies=lambda query, element: (
            isinstance(query, bool) is not isinstance(element, bool) and query == element
        ),
        local=lambda query, element: value(True),
        ours=lambda query, element: value(False),
        examples=((1, True), (False, 0.0)),
    ),
    Difference(
        name="object or array among values",
        reason="operands are strings, numbers and booleans",
        source="SDK, workflow/conditions.py: PrimitiveType; local/pipeline.py: query in values",
        applies=lambda query, element: (
            isinstance(query, dict | list) or isinstance(element, dict | list)
        ),
        local=lambda query, element: value(query == element),
        ours=fails,
        examples=(([1], [1]), ({"a": 1}, {"a": 1}), ([1], 1), (1, [])),
    ),
    Difference(
        name="NaN among values",
        reason="NaN equals nothing; Python's `in` asks first whether it is the same object",
        source="no source; SDK, local/pipeline.py: query in values",
        applies=lambda query, element: is_nan(query) and query is element,
        local=lambda query, element: value(True),
        ours=lambda query, element: value(False),
        examples=((NAN, NAN),),
    ),
)

# The operand is which conditions of `probes.CONDITIONS` are evaluated.
DECIDE = (
    Difference(
        name="null operand",
        reason="null in a definition is as good as absent, and an operand is required",
        source="SDK, workflow/conditions.py: writes None; local/pipeline.py: left == right",
        applies=lambda conditions: conditions == "null",
        local=lambda conditions: value(True),
        ours=fails,
        examples=(("null",),),
    ),
)
