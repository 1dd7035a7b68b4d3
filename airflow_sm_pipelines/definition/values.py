"""Values of a definition, in which expressions stand for what is known only at run time."""

from collections.abc import Iterable
from typing import Protocol, TypeAlias

from airflow_sm_pipelines.definition.node import Json


class Scope(Protocol):
    """Where expressions find their values in one run."""

    def parameter(self, name: str) -> Json:
        """The value of a pipeline parameter."""

    def execution(self, variable: str) -> str:
        """The value of `Execution.<variable>`."""

    def experiment(self, name: str) -> Json:
        """The `ExperimentName` or `TrialName` of PipelineExperimentConfig."""

    def properties(self, step: str) -> Json:
        """What a finished step handed on; an ExpressionError where it did not run."""

    def property_file(self, step: str, name: str) -> str:
        """The S3 URI of a property file of a finished step."""

    def json_get(self, uri: str, path: str) -> Json:
        """The value at `path` in the JSON document at an S3 URI."""

    def current_item(self) -> Json:
        """The item of the iteration that a step of a ForEach body runs in."""

    def iteration(self, step: str) -> Json:
        """What a step of a ForEach body handed on in the iteration that is looked at."""


class Expression(Protocol):
    """A value that is known only at run time."""

    @property
    def where(self) -> str:
        """The expression's path in the definition."""

    def resolve(self, scope: Scope) -> Json:
        """The value in `scope`; an ExpressionError where there is none."""

    def children(self) -> "tuple[Value, ...]":
        """The values inside this expression."""

    def to_json(self) -> Json:
        """The expression as a definition has it."""


Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | Expression | None"
"""JSON in which expressions stand for values."""


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


def to_json(value: Value) -> Json:
    """`value` as a definition has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dict():
            return {key: to_json(member) for key, member in value.items()}
        case list():
            return [to_json(element) for element in value]
    return value.to_json()
