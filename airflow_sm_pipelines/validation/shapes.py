"""A value of Arguments against the shape that AWS takes there.

A rule for a type of shape is one function and one row of `RULES`. Where an expression stands
for a value, the two types are compared; everything beside it is checked as any literal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from airflow_sm_pipelines.definition.node import child_path, kind
from airflow_sm_pipelines.definition.references import ParameterReference
from airflow_sm_pipelines.definition.values import Expression, Value
from airflow_sm_pipelines.errors import did_you_mean, listed
from airflow_sm_pipelines.validation import limits
from airflow_sm_pipelines.validation.findings import Finding, doubted, refused
from airflow_sm_pipelines.validation.kinds import SCALAR, Names, kind_of
from airflow_sm_pipelines.validation.models import version
from airflow_sm_pipelines.validation.stringified import stringified


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What may stand where a shape of one type is expected."""

    described: str
    literals: tuple[type, ...]
    references: frozenset[str] = frozenset()
    """The types of references that may; none where a reference may not stand at all."""
    check: Callable[[Any, Any, str, Names], Iterator[Finding]]
    """What is wrong with a literal of the right type."""


def check(value: Value, shape: Any, where: str, names: Names) -> Iterator[Finding]:
    """What is wrong with a value at a place that has a shape."""
    rule = RULES.get(shape.type_name)
    if rule is None:
        return
    match value:
        case None:
            yield doubted(where, f"null where {rule.described} is expected; leave it out")
        case bool() | int() | float() | str() | list() | dict():
            if type(value) in rule.literals:
                yield from rule.check(value, shape, where, names)
            else:
                yield refused(where, _misplaced(value, rule))
        case _:
            mismatch = tuple(check_reference(value, rule, where, names))
            yield from mismatch or _default(value, shape, where, names)


def check_reference(
    expression: Expression, rule: Rule, where: str, names: Names
) -> Iterator[Finding]:
    """What is wrong with the type of an expression at a place that follows a rule."""
    found = kind_of(expression, names)
    if found is None or found.name in rule.references:
        return
    if rule.references:
        told = f"{found.expression} is {_article(found.name)}"
        cure = CURES.get((found.name, rule.described), CURE)
    else:
        told, cure = found.expression, INSIDE
    message = f"{told} where {rule.described} is expected; {cure}"
    yield refused(where, message) if found.certain else doubted(where, message)


def _default(expression: Expression, shape: Any, where: str, names: Names) -> Iterator[Finding]:
    """What a run without a value of its own would be refused for."""
    if not isinstance(expression, ParameterReference) or expression.name not in names.parameters:
        return
    match names.parameters[expression.name].default:
        case str() as default if stringified(default):
            return  # which is told where the parameter is declared
        case bool() | int() | float() | str() as default:
            for found in check(default, shape, where, names):
                yield doubted(
                    where, f"the default of parameter {expression.name!r}: {found.message}"
                )


def _misplaced(value: Any, rule: Rule) -> str:
    cure = WRITE.get(rule.described, "write one")
    return f"{kind(value)} where {rule.described} is expected; {cure}"


def _structure(value: dict[str, Value], shape: Any, where: str, names: Names) -> Iterator[Finding]:
    for name in _required(shape):
        if value.get(name) is None:
            given = listed(key for key, member in value.items() if member is not None)
            yield refused(where, f"{name!r} is missing; it is required, given are: {given}")
    if shape.is_tagged_union and len(value) != 1:
        yield refused(where, f"{len(value)} members; give one of: {listed(shape.members)}")
    for key, member in value.items():
        place = child_path(where, key)
        if key in shape.members:
            yield from check(member, shape.members[key], place, names)
        else:
            yield refused(place, _unknown(key, shape))


def _list(value: list[Value], shape: Any, where: str, names: Names) -> Iterator[Finding]:
    yield from limits.length(value, shape, where, f"an array of {len(value)} elements")
    for index, element in enumerate(value):
        yield from check(element, shape.member, f"{where}[{index}]", names)


def _map(value: dict[str, Value], shape: Any, where: str, names: Names) -> Iterator[Finding]:
    yield from limits.length(value, shape, where, f"an object of {len(value)} members")
    for key, member in value.items():
        place = child_path(where, key)
        yield from check(key, shape.key, place, names)
        yield from check(member, shape.value, place, names)


def _string(value: str, shape: Any, where: str, names: Names) -> Iterator[Finding]:
    for found in limits.text(value, shape, where):
        accident = stringified(value)
        # That the text is a variable explains more than that it has the wrong form.
        yield replace(found, message=accident.message) if accident else found


def _integer(value: float, shape: Any, where: str, names: Names) -> Iterator[Finding]:
    yield from limits.whole(value, shape, where)


def _number(value: float, shape: Any, where: str, names: Names) -> Iterator[Finding]:
    yield from limits.number(value, shape, where)


def _anything(value: object, shape: Any, where: str, names: Names) -> Iterator[Finding]:
    yield from ()


@cache
def _required(shape: Any) -> tuple[str, ...]:
    """The members that have to be given: neither roles nor tokens, which the service fills in."""
    return tuple(
        name
        for name in shape.required_members
        if not name.lower().endswith("rolearn")
        and "idempotencyToken" not in shape.members[name].metadata
    )


@lru_cache(maxsize=1024)  # finding what is near takes long, and steps make the same mistake
def _unknown(key: str, shape: Any) -> str:
    return (
        f"unknown member {key!r}{did_you_mean(key, shape.members)}; "
        f"{shape.name} of {version()} has: {listed(shape.members)}"
    )


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"


CURE = "refer to a value of that type"
INSIDE = "write it out, references may stand for the single values inside"
JOIN = 'wrap it in Std:Join: {"Std:Join": {"On": "", "Values": [<it>]}}'

STRING = "a string"
INTEGER = "an integer"
NUMBER = "a number"
BOOLEAN = "true or false"
ARRAY = "an array"
OBJECT = "an object"

CURES = {
    ("Integer", STRING): JOIN,
    ("Float", STRING): JOIN,
    ("Boolean", STRING): JOIN,
    ("property file", STRING): "read a value in it with Std:JsonGet",
}
"""By the type of a reference and what is expected."""

WRITE = {
    STRING: "write it as text in quotation marks",
    INTEGER: "write digits without quotation marks",
    NUMBER: "write digits without quotation marks",
    BOOLEAN: "write true or false without quotation marks",
    ARRAY: "write [ ] around it",
    OBJECT: "write its members in { }",
}
"""What to do about a literal of the wrong type, by what is expected."""

RULES: dict[str, Rule] = {
    "structure": Rule(described=OBJECT, literals=(dict,), check=_structure),
    "list": Rule(described=ARRAY, literals=(list,), check=_list),
    "map": Rule(described=OBJECT, literals=(dict,), check=_map),
    "string": Rule(
        described=STRING,
        literals=(str,),
        references=frozenset({"String", SCALAR}),
        check=_string,
    ),
    "integer": Rule(
        described=INTEGER,
        literals=(int, float),
        references=frozenset({"Integer", SCALAR}),
        check=_integer,
    ),
    "long": Rule(
        described=INTEGER,
        literals=(int, float),
        references=frozenset({"Integer", SCALAR}),
        check=_integer,
    ),
    "float": Rule(
        described=NUMBER,
        literals=(int, float),
        references=frozenset({"Float", "Integer", SCALAR}),
        check=_number,
    ),
    "double": Rule(
        described=NUMBER,
        literals=(int, float),
        references=frozenset({"Float", "Integer", SCALAR}),
        check=_number,
    ),
    "boolean": Rule(
        described=BOOLEAN,
        literals=(bool,),
        references=frozenset({"Boolean", SCALAR}),
        check=_anything,
    ),
    "timestamp": Rule(
        described="a time",
        literals=(str, int, float),
        references=frozenset({"String", "Integer", "Float", SCALAR}),
        check=_anything,
    ),
    "blob": Rule(
        described="a base64 string",
        literals=(str,),
        references=frozenset({"String", SCALAR}),
        check=_anything,
    ),
}
"""By the type of a shape; what has no row may be anything."""
