"""`Get`: parameters, execution variables, properties of steps, items of iterations.

To add something that can be referred to, write its class and add a row to `ROOTS`.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.paths import Path, look_up, parse_path
from airflow_sm_pipelines.definition.values import Expression, Scope, Value
from airflow_sm_pipelines.errors import ExpressionError, did_you_mean, listed


@dataclass(frozen=True, slots=True)
class ParameterReference:
    """`{"Get": "Parameters.X"}`: the typed value of a parameter."""

    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        return scope.parameter(self.name)

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        return {"Get": f"Parameters.{self.name}"}


@dataclass(frozen=True, slots=True)
class ExecutionVariable:
    """`{"Get": "Execution.X"}`: a fact of the run, always a string."""

    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        return scope.execution(self.name)

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        return {"Get": f"Execution.{self.name}"}


@dataclass(frozen=True, slots=True)
class ExperimentReference:
    """`{"Get": "PipelineExperimentConfig.X"}`: a name that PipelineExperimentConfig gives."""

    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        with _told(self.where):
            return scope.experiment(self.name)

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        return {"Get": f"PipelineExperimentConfig.{self.name}"}


@dataclass(frozen=True, slots=True)
class PropertyReference:
    """`{"Get": "Steps.S.path"}`: a property of a finished step."""

    step: str
    members: str
    """The path below the step as it is written: `Outputs['train'].S3Output`."""
    where: str

    @property
    def path(self) -> Path:
        """`members`, parsed."""
        return parse_path(self.members)

    def resolve(self, scope: Scope) -> Json:
        with _told(self.where, f"step {self.step!r}"):
            value = look_up(scope.properties(self.step), self.path)
        if value is None:
            raise ExpressionError(
                f"{self.where}: step {self.step!r}: the property is null; refer to one with a value"
            )
        return value

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        return {"Get": f"Steps.{self.step}{_after(self.members)}"}


@dataclass(frozen=True, slots=True)
class PropertyFileReference:
    """`{"Get": "Steps.S.PropertyFiles.N"}`: the S3 URI of a property file."""

    step: str
    name: str
    where: str

    def resolve(self, scope: Scope) -> Json:
        with _told(self.where):
            return scope.property_file(self.step, self.name)

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        quote = '"' if "'" in self.name else "'"
        plain = _NAME.fullmatch(self.name)
        name = f".{self.name}" if plain else f"[{quote}{self.name}{quote}]"
        return {"Get": f"Steps.{self.step}.PropertyFiles{name}"}


@dataclass(frozen=True, slots=True)
class CurrentItem:
    """`{"Get": "ForEach.CurrentItem.path"}`: the item that a step of a ForEach body runs for."""

    members: str
    """The path inside the item as it is written; "" for the item itself."""
    where: str

    @property
    def path(self) -> Path:
        """`members`, parsed."""
        return parse_path(self.members) if self.members else ()

    def resolve(self, scope: Scope) -> Json:
        with _told(self.where, "the item"):
            return look_up(scope.current_item(), self.path)

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        return {"Get": f"ForEach.CurrentItem{_after(self.members)}"}


@dataclass(frozen=True, slots=True)
class IterationOutput:
    """`{"Get": "IterationOutput.S.path"}`: what a Selector compares, for each iteration."""

    step: str
    members: str
    """The path below the step as it is written."""
    where: str

    @property
    def path(self) -> Path:
        """`members`, parsed."""
        return parse_path(self.members)

    def resolve(self, scope: Scope) -> Json:
        with _told(self.where, f"step {self.step!r}"):
            return look_up(scope.iteration(self.step), self.path)

    def children(self) -> "tuple[Value, ...]":
        return ()

    def to_json(self) -> Json:
        return {"Get": f"IterationOutput.{self.step}{_after(self.members)}"}


@contextmanager
def _told(where: str, holder: str = "") -> Iterator[None]:
    """Say where in the definition a value is missing, and of what."""
    try:
        yield
    except LookupError as error:
        raise ExpressionError(f"{where}: {holder}: {error.args[0]}") from error
    except ExpressionError as error:
        raise ExpressionError(f"{where}: {error}") from error


def parse_get(node: Node) -> Expression:
    """Read the path of a `Get` by its first word, see `ROOTS`."""
    text = node.text()
    root, _, rest = text.partition(".")
    if root not in ROOTS:
        raise node.error(
            f"{text!r} leads nowhere{did_you_mean(root, ROOTS)}; "
            f"it starts with one of: {listed(ROOTS)}"
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


def _experiment(rest: str, node: Node) -> Expression:
    if rest not in EXPERIMENT_NAMES:
        raise node.error(
            f"PipelineExperimentConfig has no {rest!r}{did_you_mean(rest, EXPERIMENT_NAMES)}; "
            f"it has: {listed(EXPERIMENT_NAMES)}"
        )
    return ExperimentReference(rest, node.path)


def _property(rest: str, node: Node) -> Expression:
    step, members = _step_and_members(rest)
    if not members:
        raise node.error(f"'Steps.{rest}' names no property; write Steps.<step>.<property>")
    match _checked(members, node):
        case ("PropertyFiles", str() as name):
            return PropertyFileReference(step, name, node.path)
    return PropertyReference(step, members, node.path)


def _current_item(rest: str, node: Node) -> Expression:
    found = _ITEM.fullmatch(rest)
    if not found:
        raise node.error(
            f"'ForEach.{rest}' leads nowhere; write ForEach.CurrentItem, for a key of it .<key>"
        )
    members = found[1].removeprefix(".")
    if found[1]:
        _checked(members, node)
    return CurrentItem(members, node.path)


def _iteration_output(rest: str, node: Node) -> Expression:
    step, members = _step_and_members(rest)
    if not members:
        raise node.error(
            f"'IterationOutput.{rest}' names no property; write IterationOutput.<step>.<property>"
        )
    _checked(members, node)
    return IterationOutput(step, members, node.path)


def _step_and_members(rest: str) -> tuple[str, str]:
    """The step's name and the path below it, which is "" where there is none."""
    step = _NAME.match(rest)
    if not step or rest[step.end() : step.end() + 1] not in {".", "["}:
        return "", ""
    return step[0], rest[step.end() :].removeprefix(".")


def _checked(members: str, node: Node) -> Path:
    try:
        return parse_path(members)
    except ValueError as error:
        raise node.error(str(error)) from error


def _after(members: str) -> str:
    """A path as it follows a name: `.a` or `['a']`; "" for none."""
    return members if members[:1] in {"", "["} else f".{members}"


_NAME = re.compile(r"[A-Za-z0-9_-]+")
_ITEM = re.compile(r"CurrentItem((?:[.\[].*)?)", re.DOTALL)

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

# SDK, workflow/pipeline_experiment_config.py.
EXPERIMENT_NAMES = ("ExperimentName", "TrialName")

ROOTS: dict[str, Callable[[str, Node], Expression]] = {
    "Parameters": _parameter,
    "Execution": _execution,
    "Steps": _property,
    "PipelineExperimentConfig": _experiment,
    "ForEach": _current_item,
    "IterationOutput": _iteration_output,
}
