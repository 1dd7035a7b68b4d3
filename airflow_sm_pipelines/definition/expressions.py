"""What stands for a value that is known only at run time: `Get`, `Std:Join`, `Std:JsonGet`.

An expression is a JSON object with exactly one key, the function's name. To add a function, write
its class with `parse`, `resolve` and `children`, and add a row to `FUNCTIONS`.
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from airflow_sm_pipelines.definition.node import Json, Node, Problems, child_path, kind
from airflow_sm_pipelines.definition.paths import Path, look_up, parse_path
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError, did_you_mean, listed


class Scope(Protocol):
    """Where expressions find their values in one run."""

    def parameter(self, name: str) -> Json:
        """The value of a pipeline parameter."""

    def execution(self, variable: str) -> str:
        """The value of `Execution.<variable>`."""

    def properties(self, step: str) -> Json:
        """What a finished step handed on; an ExpressionError where it did not run."""

    def property_file(self, step: str, name: str) -> str:
        """The S3 URI of a property file of a finished step."""

    def json_get(self, uri: str, path: str) -> Json:
        """The value at `path` in the JSON document at an S3 URI."""


class Expression(Protocol):
    """A value that is known only at run time."""

    @property
    def where(self) -> str:
        """The expression's path in the definition."""

    def resolve(self, scope: Scope) -> Json:
        """The value in `scope`; an ExpressionError where there is none."""

    def children(self) -> "tuple[Value, ...]":
        """The values inside this expression."""


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Expression | None"
"""JSON in which expressions stand for values."""


@dataclass(frozen=True, slots=True)
class ParameterReference:
    """`{"Get": "Parameters.X"}`: the typed value of a parameter."""

    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        return scope.parameter(self.name)

    def children(self) -> "tuple[Value, ...]":
        return ()


@dataclass(frozen=True, slots=True)
class ExecutionVariable:
    """`{"Get": "Execution.X"}`: a fact of the run, always a string."""

    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        return scope.execution(self.name)

    def children(self) -> "tuple[Value, ...]":
        return ()


@dataclass(frozen=True, slots=True)
class PropertyReference:
    """`{"Get": "Steps.S.path"}`: a property of a finished step."""

    step: str
    path: Path
    where: str

    def resolve(self, scope: Scope) -> Json:
        try:
            value = look_up(scope.properties(self.step), self.path)
        except LookupError as error:
            raise ExpressionError(f"{self.where}: step {self.step!r}: {error.args[0]}") from error
        except ExpressionError as error:
            raise ExpressionError(f"{self.where}: {error}") from error
        if value is None:
            raise ExpressionError(
                f"{self.where}: step {self.step!r}: the property is null; refer to one with a value"
            )
        return value

    def children(self) -> "tuple[Value, ...]":
        return ()


@dataclass(frozen=True, slots=True)
class PropertyFileReference:
    """`{"Get": "Steps.S.PropertyFiles.N"}`: the S3 URI of a property file."""

    step: str
    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        try:
            return scope.property_file(self.step, self.name)
        except ExpressionError as error:
            raise ExpressionError(f"{self.where}: {error}") from error

    def children(self) -> "tuple[Value, ...]":
        return ()


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
            path = node["Path"].text()
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


def _joined(node: Node) -> Value:
    if node.value is None or isinstance(node.value, list) or _is_plain_object(node.value):
        raise node.error(f"{kind(node.value)} cannot be joined; {JOINABLE}")
    return parse_value(node)


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
        "not a property file; write {'Get': 'Steps.<step>.PropertyFiles.<name>'}"
    )


def parse_get(node: Node) -> Expression:
    """Read the path of a `Get` by its first word, see `ROOTS`."""
    text = node.text()
    root, _, rest = text.partition(".")
    if root not in ROOTS:
        raise node.error(
            f"{text!r} leads nowhere{did_you_mean(root, ROOTS)}; "
            "it starts with Parameters., Execution. or Steps."
        )
    return ROOTS[root](rest, node)


def _parameter(rest: str, node: Node) -> Expression:
    if not _NAME.fullmatch(rest):
        raise node.error(f"{rest!r} is not a parameter name; write Parameters.<name>")
    return ParameterReference(rest, node.path)


def _execution(rest: str, node: Node) -> Expression:
    if rest not in EXECUTION_VARIABLES:
        raise node.error(
            f"unknown execution variable {rest!r}{did_you_mean(rest, EXECUTION_VARIABLES)}; "
            f"known are: {listed(EXECUTION_VARIABLES)}"
        )
    return ExecutionVariable(rest, node.path)


def _property(rest: str, node: Node) -> Expression:
    step = _NAME.match(rest)
    if not step or rest[step.end() : step.end() + 1] not in {".", "["}:
        raise node.error(f"'Steps.{rest}' names no property; write Steps.<step>.<property>")
    try:
        path = parse_path(rest[step.end() :].removeprefix("."))
    except ValueError as error:
        raise node.error(str(error)) from error
    match path:
        case ("PropertyFiles", str() as name):
            return PropertyFileReference(step[0], name, node.path)
    return PropertyReference(step[0], path, node.path)


def parse_value(node: Node) -> Value:
    """The value of a node, with every expression in it read."""
    match node.value:
        case dict() if _is_plain_object(node.value):
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


def _is_plain_object(value: Json) -> bool:
    """Whether it is an object that calls no function, known or not."""
    match value:
        case dict() if len(value) == 1:
            (key,) = value
            return key not in FUNCTIONS and not key.startswith(FUNCTION_PREFIX)
    return isinstance(value, dict)


def resolve(value: Value, scope: Scope) -> Json:
    """`value` with every expression replaced by what it is in `scope`."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {key: resolve(member, scope) for key, member in value.items()}
        case list():
            return [resolve(element, scope) for element in value]
    return value.resolve(scope)


def expressions(value: Value) -> list[Expression]:
    """Every expression in `value`, outer ones before those inside them."""
    found: list[Expression] = []
    _find(value, found)
    return found


def _find(value: Value, found: list[Expression]) -> None:
    match value:
        case str() | None | bool() | int() | float():
            return
        case dict():
            inner: Iterable[Value] = value.values()
        case list():
            inner = value
        case _:
            found.append(value)
            inner = value.children()
    for child in inner:
        if not isinstance(child, str):  # most are; a call for each would take half of the time
            _find(child, found)


def _as_text(value: Json, where: str) -> str:
    """The text that the service splices: booleans are `true` and `false`."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return json.dumps(value)
    raise ExpressionError(f"{where}: {kind(value)} cannot be joined; {JOINABLE}")


_NAME = re.compile(r"[A-Za-z0-9_-]+")
JOINABLE = "join strings, numbers and booleans"
FUNCTION_PREFIX = "Std:"

# SDK, workflow/execution_variables.py.
EXECUTION_VARIABLES = (
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "PipelineName",
    "PipelineArn",
    "StartDateTime",
    "CurrentDateTime",
    "TrainingJobName",
    "ProcessingJobName",
)

ROOTS: dict[str, Callable[[str, Node], Expression]] = {
    "Parameters": _parameter,
    "Execution": _execution,
    "Steps": _property,
}

FUNCTIONS: dict[str, Callable[[Node], Expression]] = {
    "Get": parse_get,
    "Std:Join": Join.parse,
    "Std:JsonGet": JsonGet.parse,
}
