"""What stands for a value that is known only at run time: `Get`, `Std:Join`, `Std:JsonGet`.

An expression is a JSON object with exactly one key, the function's name. To add a function, write
its class with `parse`, `resolve`, `children` and `to_json`, and add a row to `FUNCTIONS`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from airflow_sm_pipelines.definition.node import Json, Node, Problems, child_path, kind
from airflow_sm_pipelines.definition.paths import is_json_path, parse_path, without_root
from airflow_sm_pipelines.definition.references import (
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
    parse_get,
)
from airflow_sm_pipelines.definition.values import Expression, Scope, Value, resolve, to_json
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError, did_you_mean, listed


@dataclass(frozen=True, slots=True)
class Join:
    """`{"Std:Join": {"On": ",", "Values": [...]}}`: the values as text, one after the other."""

    on: str
    values: "tuple[Value, ...]"
    where: str

    @staticmethod
    def parse(node: Node) -> "Join":
        """Read the body, `{"On", "Values"}`."""
        problems = Problems()
        with problems.caught():
            node.only(("On", "Values"))
        with problems.caught():
            on = node.get("On")
            separator = on.text() if on else ""
        with problems.caught():
            values = problems.each(node["Values"].items(), _joined)
        problems.raise_any()
        return Join(separator, values, node.path)

    def resolve(self, scope: Scope) -> Json:
        return self.on.join(
            _as_text(resolve(value, scope), f"{self.where}.Values[{index}]")
            for index, value in enumerate(self.values)
        )

    def children(self) -> "tuple[Value, ...]":
        return self.values

    def to_json(self) -> Json:
        return {"Std:Join": {"On": self.on, "Values": [to_json(value) for value in self.values]}}


@dataclass(frozen=True, slots=True)
class JsonGet:
    """`{"Std:JsonGet": {"PropertyFile" | "S3Uri": ..., "Path": ...}}`: a value in a JSON file."""

    source: Expression | str
    path: str
    where: str

    @staticmethod
    def parse(node: Node) -> "JsonGet":
        """Read the body: a path, and a property file or an S3 URI."""
        problems = Problems()
        with problems.caught():
            node.only(("PropertyFile", "S3Uri", "Path"))
        with problems.caught():
            path = _json_path(node["Path"])
        with problems.caught():
            source = _json_source(node)
        problems.raise_any()
        return JsonGet(source, path, node.path)

    def resolve(self, scope: Scope) -> Json:
        uri = resolve(self.source, scope)
        if not isinstance(uri, str):
            raise ExpressionError(f"{self.where}.S3Uri: {kind(uri)} where an S3 URI is expected")
        try:
            return scope.json_get(uri, self.path)
        except ExpressionError as error:
            raise ExpressionError(f"{self.where}: {error}") from error

    def children(self) -> "tuple[Value, ...]":
        return (self.source,)

    def to_json(self) -> Json:
        key = "PropertyFile" if isinstance(self.source, PropertyFileReference) else "S3Uri"
        return {"Std:JsonGet": {key: to_json(self.source), "Path": self.path}}


def _joined(node: Node) -> Value:
    is_container = isinstance(node.value, dict | list) and not is_expression(node.value)
    if node.value is None or is_container:
        raise node.error(f"{kind(node.value)} cannot be joined; {JOINABLE}")
    return parse_value(node)


def _json_path(node: Node) -> str:
    """A path as it is written; whether one beyond our grammar is a JSONPath is not known here."""
    path = node.text()
    try:
        parse_path(without_root(path))
    except ValueError as error:
        if not is_json_path(path):
            raise node.error(str(error)) from error
    return path


def _json_source(node: Node) -> Expression | str:
    property_file, uri = node.get("PropertyFile"), node.get("S3Uri")
    if (property_file is None) == (uri is None):
        raise node.error("one source is needed; give either PropertyFile or S3Uri")
    if uri:
        match parse_value(uri):
            case str() | Join() | ParameterReference() | PropertyReference() as source:
                return source
        raise uri.error(f"{kind(uri.value)} where an S3 URI is expected; write a string or a Join")
    assert property_file is not None
    match parse_value(property_file):
        case PropertyFileReference() as reference:
            return reference
    raise property_file.error(
        'not a property file; write {"Get": "Steps.<step>.PropertyFiles.<name>"}'
    )


def parse_value(node: Node) -> Value:
    """The value of a node, with every expression in it read."""
    match node.value:
        case dict() if not is_expression(node.value):
            return parse_members(node)
        case dict():
            ((name, body),) = node.members().items()
            if name not in FUNCTIONS:
                raise node.error(
                    f"unknown function {name!r}{did_you_mean(name, FUNCTIONS)}; "
                    f"known are: {listed(FUNCTIONS)}"
                )
            return FUNCTIONS[name](body)
        case list():
            return _parse_each(
                [(f"{node.path}[{index}]", element) for index, element in enumerate(node.value)]
            )
    return node.value


def parse_members(node: Node) -> dict[str, Value]:
    """The members of an object, with every expression in them read."""
    members = node.object()
    values = _parse_each([(child_path(node.path, key), value) for key, value in members.items()])
    return dict(zip(members, values, strict=True))


def parse_text(node: Node) -> Value:
    """A string, or an expression for one."""
    return parse_value(node) if is_expression(node.value) else node.text()


def parse_texts(node: Node, known: tuple[str, ...]) -> dict[str, Value]:
    """The members of an object, each of `known` and a string, an expression or null."""
    problems = Problems()
    with problems.caught():
        node.only(known)
    values: dict[str, Value] = {}
    for key, member in node.members().items():
        with problems.caught():
            values[key] = None if member.value is None else parse_text(member)
    problems.raise_any()
    return values


def _parse_each(placed: list[tuple[str, Json]]) -> list[Value]:
    """The values at their paths; most are no containers and stay as they are."""
    problems = Problems()
    values: list[Value] = []
    for path, value in placed:
        if not isinstance(value, dict | list):
            values.append(value)
            continue
        try:
            values.append(parse_value(Node(value, path)))
        except DefinitionError as error:
            problems.add(error)
    problems.raise_any()
    return values


def is_expression(value: Json) -> bool:
    """Whether it is an object that calls a function, known or not."""
    match value:
        case dict() if len(value) == 1:
            (key,) = value
            return key in FUNCTIONS or key.startswith(FUNCTION_PREFIX)
    return False


def _as_text(value: Json, where: str) -> str:
    """The text that the service splices: booleans are `true` and `false`."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
    raise ExpressionError(f"{where}: {kind(value)} cannot be joined; {JOINABLE}")


JOINABLE = "join strings, numbers and booleans"
FUNCTION_PREFIX = "Std:"

FUNCTIONS: dict[str, Callable[[Node], Expression]] = {
    "Get": parse_get,
    "Std:Join": Join.parse,
    "Std:JsonGet": JsonGet.parse,
}
