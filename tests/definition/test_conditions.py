import math

import pytest

from airflow_sm_pipelines.definition.conditions import (
    COMPARISONS,
    CONDITIONS,
    all_hold,
    parse_condition,
)
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError
from tests.definition.cases import DictScope

SCOPE = DictScope(
    parameters={"One": 1, "Text": "b"}, results={"S": {"Metric": math.nan, "List": [1]}}
)
OPERATORS = (
    "Equals",
    "NotEquals",
    "GreaterThan",
    "GreaterThanOrEqualTo",
    "LessThan",
    "LessThanOrEqualTo",
)
BELOW = (False, True, False, False, True, True)
EQUAL = (True, False, False, True, False, True)
ABOVE = (False, True, True, True, False, False)


def holds(condition: Json) -> bool:
    return parse_condition(Node(condition)).holds(SCOPE)


def compared(operator: str, left: Json, right: Json) -> bool:
    return holds({"Type": operator, "LeftValue": left, "RightValue": right})


def failure_of(operator: str, left: Json, right: Json) -> str:
    with pytest.raises(ExpressionError) as caught:
        compared(operator, left, right)
    return str(caught.value)


def refusal_of(condition: Json) -> str:
    with pytest.raises(DefinitionError) as caught:
        parse_condition(Node(condition))
    return str(caught.value)


def test_operators_of_the_table_are_all_there_are() -> None:
    assert tuple(COMPARISONS) == OPERATORS
    assert tuple(CONDITIONS) == (*OPERATORS, "In", "NotIn", "Not", "Or")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (1, 2, BELOW),
        (1, 1.0, EQUAL),
        (1.5, 1, ABOVE),
        (-0.0, 0, EQUAL),
        (2**53, 2**53 + 1, BELOW),
        ("a", "b", BELOW),
        ("10", "9", BELOW),
        ("a", "a", EQUAL),
        ("", "a", BELOW),
        ("b", "a", ABOVE),
        ("B", "a", BELOW),
        ({"Get": "Parameters.One"}, 1, EQUAL),
        ({"Get": "Parameters.Text"}, {"Std:Join": {"Values": ["a", "z"]}}, ABOVE),
    ],
)
def test_numbers_and_strings_have_an_order(
    left: Json, right: Json, expected: tuple[bool, ...]
) -> None:
    assert tuple(compared(operator, left, right) for operator in OPERATORS) == expected


@pytest.mark.parametrize(
    ("left", "right", "equal"), [(True, True, True), (False, False, True), (True, False, False)]
)
def test_booleans_are_equal_or_not(left: bool, right: bool, equal: bool) -> None:
    assert compared("Equals", left, right) is equal
    assert compared("NotEquals", left, right) is not equal


@pytest.mark.parametrize("operator", OPERATORS[2:])
def test_booleans_have_no_order(operator: str) -> None:
    assert failure_of(operator, True, False) == (
        f"$: {operator} cannot compare true with false; "
        "compare numbers with numbers and strings with strings"
    )


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize(
    ("left", "right", "kinds"),
    [
        ("1", 1, "the string '1' with the number 1"),
        (1, "1", "the number 1 with the string '1'"),
        (True, 1, "true with the number 1"),
        (1, True, "the number 1 with true"),
        ("true", True, "the string 'true' with true"),
        (False, "", "false with the string ''"),
        ([], [], "an array with an array"),
        ({"Get": "Steps.S.List"}, 1, "an array with the number 1"),
        ({"Get": "Steps.S.Metric"}, 6.0, "the number nan with the number 6.0"),
        (6, {"Get": "Steps.S.Metric"}, "the number 6 with the number nan"),
    ],
)
def test_values_of_two_types_and_nan_are_not_compared(
    operator: str, left: Json, right: Json, kinds: str
) -> None:
    assert failure_of(operator, left, right) == (
        f"$: {operator} cannot compare {kinds}; "
        "compare numbers with numbers and strings with strings"
    )


@pytest.mark.parametrize(
    ("query", "values", "among"),
    [
        (1, [2, 1.0], True),
        (1, ["1", True], False),
        ("b", ["a", {"Get": "Parameters.Text"}], True),
        ({"Get": "Parameters.One"}, [1], True),
        (True, [True], True),
        (True, [1], False),
        ("x", [], False),
        ({"Get": "Steps.S.Metric"}, [{"Get": "Steps.S.Metric"}], False),
    ],
)
def test_in_holds_for_an_equal_element_of_the_same_type(
    query: Json, values: list[Json], among: bool
) -> None:
    assert holds({"Type": "In", "QueryValue": query, "Values": values}) is among
    assert holds({"Type": "In", "Value": query, "In": values}) is among
    assert holds({"Type": "NotIn", "QueryValue": query, "Values": values}) is not among


@pytest.mark.parametrize("type_", ["In", "NotIn"])
@pytest.mark.parametrize(
    ("query", "values", "shown"),
    [
        ({"Get": "Steps.S.List"}, [1], "an array"),
        (1, [1, {"a": 1}], "an object"),
        (1, [None], "null"),
    ],
)
def test_membership_of_what_is_no_scalar_is_not_decided(
    type_: str, query: Json, values: list[Json], shown: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        holds({"Type": type_, "QueryValue": query, "Values": values})
    assert str(caught.value) == (
        f"$: {shown} cannot be compared; compare strings, numbers and booleans"
    )


TRUE: Json = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
FALSE: Json = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Type": "Not", "Condition": TRUE}, False),
        ({"Type": "Not", "Condition": {"Type": "Not", "Condition": TRUE}}, True),
        ({"Type": "Or", "Conditions": [FALSE, TRUE]}, True),
        ({"Type": "Or", "Conditions": [FALSE, FALSE]}, False),
        ({"Type": "Or", "Conditions": []}, False),
        ({"Type": "Not", "Condition": {"Type": "Or", "Conditions": [FALSE]}}, True),
        (
            {
                "Type": "Or",
                "Conditions": [
                    FALSE,
                    {
                        "Type": "Or",
                        "Conditions": [{"Type": "In", "QueryValue": 1, "Values": [1]}],
                    },
                ],
            },
            True,
        ),
    ],
)
def test_not_and_or_nest(condition: Json, expected: bool) -> None:
    assert holds(condition) is expected


NO_VALUE: Json = {"Type": "Equals", "LeftValue": {"Get": "Steps.Skipped.x"}, "RightValue": 1}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [([], True), ([TRUE, TRUE], True), ([TRUE, FALSE], False), ([FALSE, TRUE], False)],
)
def test_conditions_of_a_step_hold_together(conditions: list[Json], expected: bool) -> None:
    assert all_hold([parse_condition(Node(each)) for each in conditions], SCOPE) is expected


@pytest.mark.parametrize(
    "conditions",
    [
        [NO_VALUE, TRUE],
        [FALSE, NO_VALUE],
        [{"Type": "Or", "Conditions": [TRUE, NO_VALUE]}],
        [{"Type": "Not", "Condition": {"Type": "Or", "Conditions": [TRUE, NO_VALUE]}}],
        [{"Type": "In", "QueryValue": 1, "Values": [1, {"Get": "Steps.Skipped.x"}]}],
    ],
)
def test_operand_without_a_value_fails_the_step_though_others_decide(
    conditions: list[Json],
) -> None:
    """So that whether a run fails does not depend on the order of its conditions."""
    with pytest.raises(ExpressionError, match="'Skipped'"):
        all_hold([parse_condition(Node(each)) for each in conditions], SCOPE)


def test_operands_are_those_of_all_conditions_inside() -> None:
    condition = parse_condition(
        Node(
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "Not", "Condition": FALSE},
                    {"Type": "NotIn", "QueryValue": "q", "Values": ["v", "w"]},
                ],
            }
        )
    )
    assert condition.operands() == (1, 2, "q", "v", "w")


REFERENCE: Json = {"Get": "Parameters.One"}
NEITHER: Json = {"Type": "Or", "Conditions": []}


@pytest.mark.parametrize(
    "condition",
    [
        *({"Type": type_, "LeftValue": REFERENCE, "RightValue": 1} for type_ in OPERATORS),
        *({"Type": type_, "QueryValue": 1, "Values": [REFERENCE, 2]} for type_ in ("In", "NotIn")),
        {"Type": "In", "Value": REFERENCE, "In": [REFERENCE]},
        {"Type": "Not", "Condition": TRUE},
        {"Type": "Or", "Conditions": [TRUE, NEITHER]},
    ],
)
def test_condition_comes_back_as_it_was(condition: Json) -> None:
    read = parse_condition(Node(condition))
    assert read.to_json() == condition
    assert parse_condition(Node(read.to_json())) == read


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (
            {"Type": "Equal"},
            "$.Type: unknown condition 'Equal'; did you mean 'Equals'?; known are: Equals, "
            "NotEquals, GreaterThan, GreaterThanOrEqualTo, LessThan, LessThanOrEqualTo, In, NotIn, "
            "Not, Or",
        ),
        ({}, "$: 'Type' is missing; it is required, given are: none"),
        ([], "$: an array where an object is expected"),
        ({"Type": 1}, "$.Type: the number 1 where a string is expected"),
        (
            {"Type": "Equals", "LeftValue": None, "RightValue": {"Get": "x"}, "Left": 1},
            "$.Left: unknown key 'Left'; did you mean 'LeftValue'?; "
            "known are: Type, LeftValue, RightValue\n"
            "$: 'LeftValue' is missing; it is required, given are: Type, RightValue, Left\n"
            "$.RightValue.Get: 'x' leads nowhere; "
            "it starts with one of: Parameters, Execution, Steps, PipelineExperimentConfig, "
            "ForEach, IterationOutput",
        ),
        (
            {"Type": "In", "Query": 1, "Values": 2},
            "$.Query: unknown key 'Query'; did you mean 'QueryValue'?; "
            "known are: Type, QueryValue, Values\n"
            "$: 'QueryValue' is missing; it is required, given are: Type, Query, Values\n"
            "$.Values: the number 2 where an array is expected",
        ),
        (
            {"Type": "Not", "Expression": TRUE},
            "$.Expression: unknown key 'Expression'; known are: Type, Condition\n"
            "$: 'Condition' is missing; it is required, given are: Type, Expression",
        ),
        (
            {"Type": "Or", "Conditions": [TRUE, 1, {"Type": "Xor"}], "Else": []},
            "$.Else: unknown key 'Else'; known are: Type, Conditions\n"
            "$.Conditions[1]: the number 1 where an object is expected\n"
            "$.Conditions[2].Type: unknown condition 'Xor'; known are: Equals, "
            "NotEquals, GreaterThan, GreaterThanOrEqualTo, LessThan, LessThanOrEqualTo, In, NotIn, "
            "Not, Or",
        ),
    ],
)
def test_condition_that_is_none_is_refused_with_all_its_problems(
    condition: Json, told: str
) -> None:
    assert refusal_of(condition) == told
