"""Which steps are cached, and which of these have a value that no other run has.

What is new in every run is a row of `OF_ONE_RUN` or of `NAMED_BY_RUN`.
"""

from collections.abc import Iterator

from airflow_sm_pipelines.definition.model import Pipeline, Step
from airflow_sm_pipelines.definition.references import (
    ExecutionVariable,
    ExperimentReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import Expression, Value, expressions


def is_cached(step: Step) -> bool:
    """Whether an earlier job may stand for the step's: AWS's lists of jobs are the cache."""
    row = STEP_TYPES[step.type]
    enabled = step.cache is not None and step.cache.enabled
    return enabled and bool(row.cache_attributes) and row.runs


def unlisted(step: Step) -> tuple[str, ...]:
    """What the list of earlier jobs is asked for and Arguments do not give.

    `ClusterId` where an EMR step has a cluster of its own: that ends with the step, and which
    configurations of a cluster do the same is not documented.
    """
    job = STEP_TYPES[step.type].job
    return tuple(
        name for name in (job.told_apart if job else ()) if step.arguments.get(name) is None
    )


def of_one_run(pipeline: Pipeline, step: Step) -> Iterator[tuple[str, Expression]]:
    """The attributes of a step that are never the same in two runs, and the expression why.

    Only what is sure: a path below a job's name changes too, unless that job was cached.
    """
    for path in STEP_TYPES[step.type].cache_attributes:
        for expression in expressions(_member({**step.keys, **step.arguments}, path)):
            if _is_of_one_run(pipeline, expression):
                yield path, expression


def _is_of_one_run(pipeline: Pipeline, expression: Expression) -> bool:
    match expression:
        case ExecutionVariable(name):
            return name in OF_ONE_RUN
        case ExperimentReference(name):
            given = (pipeline.experiment or {}).get(name)
            return any(_is_of_one_run(pipeline, inner) for inner in expressions(given))
        case PropertyReference(step=name, members=members):
            type_ = next((other.type for other in pipeline.walk() if other.name == name), "")
            return (type_, members) in NAMED_BY_RUN
    return False


def _member(value: Value, path: str) -> Value:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


OF_ONE_RUN = frozenset(
    {"PipelineExecutionId", "PipelineExecutionArn", "StartDateTime", "CurrentDateTime"}
)
"""Execution variables; TrainingJobName and ProcessingJobName are left out of the comparison."""

NAMED_BY_RUN = frozenset({("Model", "ModelName"), ("Model", "ModelArn")})
"""Properties that hold the execution id, of types of steps that are not cached themselves: a
Transform step after a Model step never hits (SDK, issue 3392)."""
