"""What the conditions of a step compare: numbers, strings, booleans, each with its like.

What SageMaker does with others is not documented; here the step fails, or is never among them.
"""

from collections.abc import Iterator

from airflow_sm_pipelines.definition.conditions import (
    EQUALITIES,
    Comparison,
    Condition,
    In,
    Not,
    Or,
)
from airflow_sm_pipelines.definition.values import Value
from airflow_sm_pipelines.validation.findings import Finding, doubted
from airflow_sm_pipelines.validation.kinds import Names, kind_of


def check_condition(condition: Condition, names: Names) -> Iterator[Finding]:
    """What a condition compares in vain."""
    match condition:
        case Comparison():
            yield from _comparison(condition, names)
        case In():
            yield from _membership(condition, names)
        case Not(inner):
            yield from check_condition(inner, names)
        case Or(conditions):
            for each in conditions:
                yield from check_condition(each, names)


def _comparison(condition: Comparison, names: Names) -> Iterator[Finding]:
    left, right = (_group(operand, names) for operand in condition.operands())
    if left and right and left != right:
        yield doubted(
            condition.where,
            f"{condition.type} compares {left} with {right}, which fails the step; "
            "compare numbers with numbers and strings with strings",
        )
    elif left == BOOLEAN and condition.type not in EQUALITIES:
        yield doubted(
            condition.where,
            f"{condition.type} of {left}, which fails the step; compare it with Equals",
        )


def _membership(condition: In, names: Names) -> Iterator[Finding]:
    query = _group(condition.query, names)
    for index, value in enumerate(condition.values):
        group = _group(value, names)
        if query and group and group != query:
            yield doubted(
                condition.where,
                f"{query} is never equal to {group}, which value {index + 1} is; "
                "remove it or write it as the other type",
            )


def _group(value: Value, names: Names) -> str | None:
    """What a value is compared as; None where only a run can tell."""
    match value:
        case bool():
            return BOOLEAN
        case str():
            return STRING
        case int() | float():
            return NUMBER
        case None | list() | dict():
            return None
    kind = kind_of(value, names)
    return GROUPS.get(kind.name) if kind else None


BOOLEAN = "true or false"
NUMBER = "a number"
STRING = "a string"

GROUPS = {"String": STRING, "Integer": NUMBER, "Float": NUMBER, "Boolean": BOOLEAN}
"""What values of a type are compared as."""
