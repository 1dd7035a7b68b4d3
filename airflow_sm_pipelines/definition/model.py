"""A pipeline definition as typed, immutable values."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_sm_pipelines.definition.conditions import Condition
from airflow_sm_pipelines.definition.expressions import Expression, Value, expressions
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.steps import STEP_TYPES, Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A value that is given when a run starts."""

    name: str
    type: str
    """`String`, `Integer`, `Float` or `Boolean`."""
    default: Json = None
    """None where the definition has none: the value has to be given."""
    enum: tuple[str, ...] = ()
    description: str | None = None
    where: str = "$"

    @property
    def required(self) -> bool:
        """Whether a run cannot start without a value."""
        return self.default is None


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Whether an earlier job may stand for a new one, and for how long.

    `expire_after` is the definition's own text, an ISO 8601 duration such as `P30D`.
    """

    enabled: bool
    expire_after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try a failed step again.

    It ends after `max_attempts` retries or `expire_after_minutes`, whichever is not None. Defaults
    are those of the SageMaker Python SDK, `workflow/retry.py`.
    """

    exception_types: tuple[str, ...]
    interval_seconds: int = 1
    backoff_rate: float = 2.0
    max_attempts: int | None = None
    expire_after_minutes: int | None = None

    def wait(self, attempt: int) -> float:
        """Seconds before retry number `attempt`; the first retry is 1. Infinity beyond floats."""
        try:
            return float(self.interval_seconds * self.backoff_rate ** (attempt - 1))
        except OverflowError:
            return math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyFile:
    """A JSON file among the outputs of a Processing step."""

    name: str
    output_name: str
    file_path: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A name in DependsOn."""

    step: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """What a Condition step decides on, and the steps of either outcome."""

    conditions: tuple[Condition, ...]
    if_steps: "tuple[Step, ...]"
    else_steps: "tuple[Step, ...]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; `arguments` is the request of its AWS operation, expressions unresolved."""

    name: str
    type: str
    where: str
    arguments: dict[str, Value] = field(default_factory=dict)
    depends_on: tuple[Dependency, ...] = ()
    display_name: str | None = None
    description: str | None = None
    cache: CachePolicy | None = None
    retries: tuple[RetryPolicy, ...] = ()
    property_files: tuple[PropertyFile, ...] = ()
    branches: Branches | None = None
    source: dict[str, Json] = field(default_factory=dict, repr=False)
    """The step as the definition has it."""
    expressions: tuple[Expression, ...] = field(init=False, repr=False, compare=False)
    """Every expression that this step resolves; those of steps in its branches are theirs."""

    def __post_init__(self) -> None:
        # Computed once: every check and the graph ask for them.
        object.__setattr__(self, "expressions", tuple(self._find_expressions()))

    @property
    def job(self) -> Job | None:
        """The AWS resource that the step creates; None for Condition and Fail."""
        return STEP_TYPES[self.type].job

    def walk(self) -> "Iterator[Step]":
        """This step and the steps inside its branches, in the order of the definition."""
        yield self
        if self.branches:
            for child in (*self.branches.if_steps, *self.branches.else_steps):
                yield from child.walk()

    def _find_expressions(self) -> Iterator[Expression]:
        yield from expressions(self.arguments)
        if self.branches:
            for condition in self.branches.conditions:
                for operand in condition.operands():
                    yield from expressions(operand)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A whole definition; `steps` are the outermost ones, `walk` gives all."""

    name: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    metadata: dict[str, str] = field(default_factory=dict)
    experiment: dict[str, Value] | None = None
    mlflow: dict[str, Value] | None = None
    role_arn: str | None = None
    description: str | None = None
    display_name: str | None = None
    max_parallel_steps: int | None = None
    """How many steps of one run may be in progress; None is no limit."""
    unread: frozenset[str] = frozenset()
    """Every `Name` in a definition with problems, which `CHECKS` take for known; else none."""

    def walk(self) -> Iterator[Step]:
        """Every step, branches included, in the order of the definition."""
        for step in self.steps:
            yield from step.walk()

    def step(self, name: str) -> Step:
        """The step of that name; a KeyError where there is none."""
        for step in self.walk():
            if step.name == name:
                return step
        raise KeyError(name)

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name; a KeyError where there is none."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)
