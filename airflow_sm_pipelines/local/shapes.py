"""Requests measured against SageMaker's own service model, which botocore ships.

Nothing here is written down twice: what an operation accepts, requires and answers is read from
the model. A new rule for a type of value is one function and one row of `RULES`.
"""

import functools
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import OperationModel, ServiceModel

from airflow_sm_pipelines.local.errors import invalid
from airflow_sm_pipelines.local.sessions import neutral_session

_SHOWN_LENGTH = 500  # of a value in an error message


@functools.cache
def service() -> ServiceModel:
    """SageMaker's service model; read once, it takes half a second."""
    return neutral_session().get_service_model("sagemaker")


def operation(name: str) -> OperationModel | None:
    """The operation of that name, or None where SageMaker has none."""
    known = service()
    return known.operation_model(name) if name in known.operation_names else None


def check(name: str, request: object) -> None:
    """Raise SageMaker's ValidationException with all that is wrong in a request."""
    conforms(request, service().operation_model(name).input_shape)


def conforms(request: object, shape: Any) -> None:
    """Raise a ValidationException with all in a request that is not as its shape says."""
    problems = list(_problems(request, shape, "")) if shape is not None else []
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise invalid(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")


def answered(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `values` that operation `name` answers with."""
    return {key: values[key] for key in _members(name) if values.get(key) is not None}


def summary_members(name: str) -> frozenset[str]:
    """The members of one row of a List operation's answer."""
    rows = next(each for each in _members(name).values() if each.type_name == "list")
    return frozenset(rows.member.members)


def allowed(name: str, member: str) -> tuple[str, ...]:
    """The values that a member of an operation's answer can have."""
    return tuple(_members(name)[member].enum)


def answer_problems(names: Iterable[str], values: Mapping[str, Any]) -> Iterator[str]:
    """What these operations would not answer with, among `values`, which may be a part of it."""
    members = {key: shape for name in names for key, shape in _members(name).items()}
    for key, value in values.items():
        if key in members:
            yield from _problems(value, members[key], _inside("", key))
        else:
            known = ", ".join(members)
            yield _constraint(value, _inside("", key), f"Member must be one of: {known}")


def timed(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the times in them, which JSON has as numbers, as times."""
    members = _members(name)
    return {
        key: datetime.fromtimestamp(value, UTC)
        if key in members and members[key].type_name == "timestamp"
        else value
        for key, value in values.items()
    }


def _members(name: str) -> Mapping[str, Any]:
    """The members of an operation's answer, and their shapes."""
    members: Mapping[str, Any] = getattr(
        service().operation_model(name).output_shape, "members", {}
    )
    return members


def _problems(value: object, shape: Any, where: str) -> Iterator[str]:
    types, described, rule = RULES[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield _constraint(value, where, f"Member must be {described}")
        return
    yield from rule(value, shape, where)


def _structure(value: dict[str, Any], shape: Any, where: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _constraint(None, _inside(where, name), "Member must not be null")
    for name, member in value.items():
        if name not in shape.members:
            known = ", ".join(shape.members)
            yield _constraint(member, _inside(where, name), f"Member must be one of: {known}")
        elif member is not None:
            yield from _problems(member, shape.members[name], _inside(where, name))


def _list(value: list[Any], shape: Any, where: str) -> Iterator[str]:
    yield from _length(value, shape, where)
    for number, member in enumerate(value, start=1):
        yield from _problems(member, shape.member, f"{where}.{number}.member")


def _map(value: dict[str, Any], shape: Any, where: str) -> Iterator[str]:
    yield from _length(value, shape, where)
    for key, member in value.items():
        yield from _problems(key, shape.key, f"{where}.{key}.key")
        yield from _problems(member, shape.value, f"{where}.{key}.member")


def _string(value: str, shape: Any, where: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield _constraint(value, where, f"Member must satisfy enum value set: [{allowed}]")
    too_long = list(_length(value, shape, where))
    yield from too_long
    pattern = shape.metadata.get("pattern")
    # A value of the wrong length is not matched as well: some of the patterns backtrack badly.
    if pattern and not too_long and not _matches(pattern, value):
        yield _constraint(
            value, where, f"Member must satisfy regular expression pattern: {pattern}"
        )


def _number(value: float, shape: Any, where: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield _constraint(value, where, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield _constraint(value, where, f"Member must have value less than or equal to {most}")


def _time(value: float, shape: Any, where: str) -> Iterator[str]:
    try:
        datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        yield _constraint(value, where, "Member must be a time in seconds since 1970")


def _anything(value: object, shape: Any, where: str) -> Iterator[str]:
    yield from ()


def _length(value: Any, shape: Any, where: str) -> Iterator[str]:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < least:
        yield _constraint(value, where, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        yield _constraint(value, where, f"Member must have length less than or equal to {most}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, or None for the few that only Java understands (`\\p{L}`)."""
    try:
        return re.compile(pattern, re.ASCII)
    except re.error:
        return None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


def _inside(where: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{where}.{member}" if where else member


def _constraint(value: object, where: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{textwrap.shorten(str(value), _SHOWN_LENGTH)}'"
    return f"Value {shown} at '{where}' failed to satisfy constraint: {constraint}"


Rule = Callable[[Any, Any, str], Iterator[str]]

RULES: dict[str, tuple[tuple[type, ...], str, Rule]] = {
    "structure": ((dict,), "a structure", _structure),
    "list": ((list,), "a list", _list),
    "map": ((dict,), "a map", _map),
    "string": ((str,), "a string", _string),
    "integer": ((int,), "an integer", _number),
    "long": ((int,), "an integer", _number),
    "float": ((int, float), "a number", _number),
    "double": ((int, float), "a number", _number),
    "boolean": ((bool,), "a boolean", _anything),
    "timestamp": ((int, float), "a time in seconds since 1970", _time),
    "blob": ((str,), "a base64 string", _anything),
}
