"""A pipeline definition as typed, immutable values.

`walk` visits the steps, `dataclasses.replace` makes changed copies, `to_json` gives a definition
back.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_sm_pipelines.definition.conditions import Condition
from airflow_sm_pipelines.definition.durations import Duration
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.references import IterationOutput
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import Expression, Value, expressions, to_json


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

    def to_json(self) -> dict[str, Json]:
        """The parameter as a definition has it."""
        return _given(
            Name=self.name,
            Type=self.type,
            DefaultValue=self.default,
            EnumValues=list(self.enum) or None,
            Description=self.description,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CachePolicy:
    """Whether an earlier job may stand for a new one, and for how long."""

    enabled: bool
    expire_after: Duration | None = None
    where: str = field(default="$", compare=False)

    def to_json(self) -> dict[str, Json]:
        """The policy as a definition has it."""
        after = self.expire_after.text if self.expire_after else None
        return _given(Enabled=self.enabled, ExpireAfter=after)


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
    where: str = field(default="$", compare=False)

    def wait(self, attempt: int) -> float:
        """Seconds before retry number `attempt`; the first retry is 1. Infinity beyond floats."""
        try:
            return float(self.interval_seconds * self.backoff_rate ** (attempt - 1))
        except OverflowError:
            return math.inf

    def to_json(self) -> dict[str, Json]:
        """The policy as a definition has it."""
        return _given(
            ExceptionType=list(self.exception_types),
            IntervalSeconds=self.interval_seconds,
            BackoffRate=self.backoff_rate,
            MaxAttempts=self.max_attempts,
            ExpireAfterMin=self.expire_after_minutes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyFile:
    """A JSON file among the outputs of a Processing step."""

    name: str
    output_name: str
    file_path: str
    where: str

    def to_json(self) -> dict[str, Json]:
        """The file as a definition has it."""
        return _given(
            PropertyFileName=self.name, OutputName=self.output_name, FilePath=self.file_path
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A value that a Lambda or Callback step answers with, and its type."""

    name: str
    type: str
    """`String`, `Integer`, `Float` or `Boolean`."""
    where: str

    def to_json(self) -> dict[str, Json]:
        """The output as a definition has it."""
        return _given(OutputName=self.name, OutputType=self.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """A step that has to end first, and how: `Completed`, `Failed`, `Stopped` or `Any`."""

    step: str
    trigger: str = "Completed"
    where: str

    def to_json(self) -> Json:
        """The dependency as a definition has it."""
        if self.trigger == "Completed":
            return self.step
        return _given(Step=self.step, Trigger=self.trigger)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branches:
    """What a Condition step decides on, and the steps of either outcome."""

    conditions: tuple[Condition, ...]
    if_steps: "tuple[Step, ...]"
    else_steps: "tuple[Step, ...]"

    @property
    def steps(self) -> "tuple[Step, ...]":
        """The steps directly inside, of both branches."""
        return (*self.if_steps, *self.else_steps)

    def to_json(self) -> dict[str, Json]:
        """The Arguments of the step."""
        return _given(
            Conditions=[condition.to_json() for condition in self.conditions],
            IfSteps=[step.to_json() for step in self.if_steps],
            ElseSteps=[step.to_json() for step in self.else_steps],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """The iteration of a ForEach step that `Selected` is: where `field` is largest or smallest."""

    pick: str
    """`MaxBy` or `MinBy`."""
    field: IterationOutput

    def to_json(self) -> dict[str, Json]:
        """The selector as a definition has it."""
        return _given(Pick=self.pick, Field=self.field.to_json())


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration:
    """What a ForEach step does for each item.

    `items` is a list of scalars and expressions, or an expression for the text of a JSON list.
    """

    items: Value
    body: "tuple[Step, ...]"
    max_concurrency: int
    selector: Selector | None = None

    def to_json(self) -> dict[str, Json]:
        """The Arguments of the step."""
        return _given(
            IterableItems=to_json(self.items),
            MaxConcurrency=self.max_concurrency,
            Selector=self.selector.to_json() if self.selector else None,
            ForEachBody=[step.to_json() for step in self.body],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step; `arguments` is the request of its AWS operation, expressions unresolved."""

    name: str
    type: str
    where: str
    arguments: dict[str, Value] = field(default_factory=dict)
    """Empty where `branches` or `iteration` hold what Arguments say."""
    keys: dict[str, Value] = field(default_factory=dict)
    """The keys that only steps of this type have, as far as they are given."""
    depends_on: tuple[Dependency, ...] = ()
    cleans: tuple[Dependency, ...] = ()
    """The steps whose outputs a Cleanup step deletes."""
    display_name: str | None = None
    description: str | None = None
    cache: CachePolicy | None = None
    retries: tuple[RetryPolicy, ...] = ()
    property_files: tuple[PropertyFile, ...] = ()
    outputs: tuple[Output, ...] | None = None
    """What a Lambda or Callback step answers with; None for other types."""
    branches: Branches | None = None
    iteration: Iteration | None = None
    expressions: tuple[Expression, ...] = field(init=False, repr=False, compare=False)
    """Every expression that this step resolves; those of `children` are theirs."""

    def __post_init__(self) -> None:
        # Computed once: every check and the graph ask for them.
        object.__setattr__(self, "expressions", tuple(self._find_expressions()))

    @property
    def job(self) -> Job | None:
        """The AWS resource that the step creates; None for types that create no such thing."""
        return STEP_TYPES[self.type].job

    @property
    def children(self) -> "tuple[Step, ...]":
        """The steps directly inside: of both branches, or of the body."""
        if self.branches:
            return self.branches.steps
        return self.iteration.body if self.iteration else ()

    def walk(self) -> "Iterator[Step]":
        """This step and all steps inside, in the order of the definition."""
        yield self
        for child in self.children:
            yield from child.walk()

    def to_json(self) -> dict[str, Json]:
        """The step as a definition has it; what is absent, null or empty is left out."""
        inner = self.branches or self.iteration
        return _given(
            Name=self.name,
            Type=self.type,
            Arguments=inner.to_json() if inner else to_json(self.arguments),
            DependsOn=[dependency.to_json() for dependency in self.depends_on] or None,
            DisplayName=self.display_name,
            Description=self.description,
            CacheConfig=self.cache.to_json() if self.cache else None,
            RetryPolicies=[policy.to_json() for policy in self.retries] or None,
            PropertyFiles=[file.to_json() for file in self.property_files] or None,
            OutputParameters=None if self.outputs is None else [o.to_json() for o in self.outputs],
            **{key: to_json(value) for key, value in self.keys.items()},
        )

    def _find_expressions(self) -> Iterator[Expression]:
        yield from expressions(self.arguments)
        yield from expressions(self.keys)
        if self.branches:
            for condition in self.branches.conditions:
                for operand in condition.operands():
                    yield from expressions(operand)
        if self.iteration:
            yield from expressions(self.iteration.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """A whole definition; `steps` are the outermost ones, `walk` gives all."""

    name: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    metadata: dict[str, Json] = field(default_factory=dict)
    """What tools keep beside a definition; it has no effect."""
    experiment: dict[str, Value] | None = None
    mlflow: dict[str, Value] | None = None
    role_arn: str | None = None
    description: str | None = None
    display_name: str | None = None
    max_parallel_steps: int | None = None
    """How many steps of one run may be in progress; None is no limit."""
    unread: frozenset[str] = frozenset()
    """Every `Name` in a definition with problems, which `CHECKS` take for known; else none."""
    _all_steps: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Computed once, as the expressions of a step.
        walked = (inner for step in self.steps for inner in step.walk())
        object.__setattr__(self, "_all_steps", tuple(walked))

    def walk(self) -> Iterator[Step]:
        """Every step, those inside others included, in the order of the definition."""
        return iter(self._all_steps)

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

    def to_json(self) -> dict[str, Json]:
        """The definition; what DescribePipeline says beside it, such as the name, has no place.

        `load(json.dumps(pipeline.to_json()))` is equal to `pipeline`, if it was a bare definition.
        """
        return _given(
            Version=VERSION,
            Metadata=dict(self.metadata),
            Parameters=[parameter.to_json() for parameter in self.parameters],
            PipelineExperimentConfig=to_json(self.experiment),
            MlflowConfig=to_json(self.mlflow),
            Steps=[step.to_json() for step in self.steps],
        )


def _given(**members: Json) -> dict[str, Json]:
    """The members that have a value."""
    return {key: value for key, value in members.items() if value is not None}


VERSION = "2020-12-01"
