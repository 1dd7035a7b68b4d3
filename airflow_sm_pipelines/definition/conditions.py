"""The conditions of a Condition step, each of which holds or not in a run.

Comparison is typed as the service's: numbers with numbers, strings with strings; `"1"` never
equals `1`. To add a condition, write its class and add a row to `CONDITIONS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from airflow_sm_pipelines.definition.expressions import parse_value
from airflow_sm_pipelines.definition.node import Json, Node, Problems, kind
from airflow_sm_pipelines.definition.values import Scope, Value, resolve, to_json
from airflow_sm_pipelines.errors import ExpressionError, did_you_mean, listed


class Condition(Protocol):
    """A claim about values of a run."""

    def holds(self, scope: Scope) -> bool:
        """Whether the claim is true in `scope`."""

    def operands(self) -> tuple[Value, ...]:
        """The values that the claim is about."""

    def to_json(self) -> Json:
        """The condition as a definition has it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two values in an order or equal, such as `LessThanOrEqualTo`."""

    type: str
    left: Value
    right: Value
    where: str

    @staticmethod
    def parse(node: Node) -> "Comparison":
        """Read `{"Type", "LeftValue", "RightValue"}`."""
        problems = Problems()
        with problems.caught():
            node.only(("Type", "LeftValue", "RightValue"))
        with problems.caught():
            left = parse_value(node["LeftValue"])
        with problems.caught():
            right = parse_value(node["RightValue"])
        problems.raise_any()
        return Comparison(node["Type"].text(), left, right, node.path)

    def holds(self, scope: Scope) -> bool:
        left, right = resolve(self.left, scope), resolve(self.right, scope)
        order = _order(left, right)
        if order is None or (isinstance(left, bool) and self.type not in EQUALITIES):
            raise ExpressionError(
                f"{self.where}: {self.type} cannot compare {kind(left)} with {kind(right)}; "
                "compare numbers with numbers and strings with strings"
            )
        return COMPARISONS[self.type](order)

    def operands(self) -> tuple[Value, ...]:
        return (self.left, self.right)

    def to_json(self) -> Json:
        return {
            "Type": self.type,
            "LeftValue": to_json(self.left),
            "RightValue": to_json(self.right),
        }


@dataclass(frozen=True, slots=True)
class In:
    """A value that is one of several; one of another type is not among them."""

    query: Value
    values: tuple[Value, ...]
    where: str
    negated: bool = False
    keys: tuple[str, str] = ("QueryValue", "Values")
    """What the members are called; AWS's published schema has `Value` and `In`."""

    @staticmethod
    def parse(node: Node) -> "In":
        """Read `{"Type", "QueryValue", "Values"}`, or the schema's `Value` with `In`."""
        keys = next((keys for keys in IN_KEYS if keys[0] in node.object()), IN_KEYS[0])
        query_key, values_key = keys
        problems = Problems()
        with problems.caught():
            node.only(("Type", query_key, values_key))
        with problems.caught():
            query = parse_value(node[query_key])
        with problems.caught():
            values = problems.each(node[values_key].items(), parse_value)
        problems.raise_any()
        return In(query, values, node.path, negated=node["Type"].value == "NotIn", keys=keys)

    def holds(self, scope: Scope) -> bool:
        operands = [resolve(value, scope) for value in self.operands()]
        for operand in operands:
            if operand is None or isinstance(operand, list | dict):
                raise ExpressionError(
                    f"{self.where}: {kind(operand)} cannot be compared; "
                    "compare strings, numbers and booleans"
                )
        query, *values = operands
        return any(_order(query, value) == 0 for value in values) is not self.negated

    def operands(self) -> tuple[Value, ...]:
        return (self.query, *self.values)

    def to_json(self) -> Json:
        return {
            "Type": "NotIn" if self.negated else "In",
            self.keys[0]: to_json(self.query),
            self.keys[1]: [to_json(value) for value in self.values],
        }


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    condition: Condition

    @staticmethod
    def parse(node: Node) -> "Not":
        """Read `{"Type", "Condition"}`."""
        problems = Problems()
        with problems.caught():
            node.only(("Type", "Condition"))
        with problems.caught():
            condition = parse_condition(node["Condition"])
        problems.raise_any()
        return Not(condition)

    def holds(self, scope: Scope) -> bool:
        return not self.condition.holds(scope)

    def operands(self) -> tuple[Value, ...]:
        return self.condition.operands()

    def to_json(self) -> Json:
        return {"Type": "Not", "Condition": self.condition.to_json()}


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of several conditions; none of none."""

    conditions: tuple[Condition, ...]

    @staticmethod
    def parse(node: Node) -> "Or":
        """Read `{"Type", "Conditions"}`."""
        problems = Problems()
        with problems.caught():
            node.only(("Type", "Conditions"))
        with problems.caught():
            conditions = problems.each(node["Conditions"].items(), parse_condition)
        problems.raise_any()
        return Or(conditions)

    def holds(self, scope: Scope) -> bool:
        return any(condition.holds(scope) for condition in self.conditions)

    def operands(self) -> tuple[Value, ...]:
        return tuple(operand for each in self.conditions for operand in each.operands())

    def to_json(self) -> Json:
        return {"Type": "Or", "Conditions": [each.to_json() for each in self.conditions]}


def all_hold(conditions: Sequence[Condition], scope: Scope) -> bool:
    """Whether every condition holds; an ExpressionError where any operand has no value.

    As in the SDK's local mode, that is so for operands too that the answer does not depend on.
    """
    for condition in conditions:
        for operand in condition.operands():
            resolve(operand, scope)
    return all(condition.holds(scope) for condition in conditions)


def parse_condition(node: Node) -> Condition:
    """Read a condition by its Type, see `CONDITIONS`."""
    type_ = node["Type"]
    if type_.text() not in CONDITIONS:
        raise type_.error(
            f"unknown condition {type_.value!r}{did_you_mean(type_.value, CONDITIONS)}; "
            f"known are: {listed(CONDITIONS)}"
        )
    return CONDITIONS[type_.text()](node)


def _order(left: Json, right: Json) -> int | None:
    """Below, at or above 0 as `left` is below, equal to or above `right`; None for no order.

    NaN, which a training metric can be, has no order: it would pass as equal to any number.
    """
    match left:
        case bool():
            return left - right if isinstance(right, bool) else None
        case str():
            return (left > right) - (left < right) if isinstance(right, str) else None
        case int() | float():
            if not isinstance(right, int | float) or isinstance(right, bool):
                return None
            return None if left != left or right != right else (left > right) - (left < right)
    return None


COMPARISONS: dict[str, Callable[[int], bool]] = {
    "Equals": lambda order: order == 0,
    "NotEquals": lambda order: order != 0,
    "GreaterThan": lambda order: order > 0,
    "GreaterThanOrEqualTo": lambda order: order >= 0,
    "LessThan": lambda order: order < 0,
    "LessThanOrEqualTo": lambda order: order <= 0,
}
EQUALITIES = {"Equals", "NotEquals"}

# The SDK writes QueryValue/Values; AWS's published schema says Value/In. Accept both.
IN_KEYS = (("QueryValue", "Values"), ("Value", "In"))

# NotEquals and NotIn stand in AWS's published schema alone, no SDK writes them.
CONDITIONS: dict[str, Callable[[Node], Condition]] = {
    **dict.fromkeys(COMPARISONS, Comparison.parse),
    "In": In.parse,
    "NotIn": In.parse,
    "Not": Not.parse,
    "Or": Or.parse,
}
