"""What each type of step takes as Arguments: a shape, or whatever its author likes.

A step type that is one AWS resource needs no row here: its request is `Create<noun>`.
"""

from dataclasses import dataclass

from airflow_sm_pipelines.definition.resources import PROCESSING
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.validation.models import ShapeName, request


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Two members of which exactly one is given."""

    between: tuple[str, str]
    inside: tuple[str, ...] = ()
    """The way from Arguments to the object that they are members of."""


def arguments(step_type: str) -> ShapeName | None:
    """The shape of the Arguments of such a step.

    None for a row of `FREE`, and for an operation that this botocore does not know.
    """
    if step_type in FREE or step_type in OTHERS:
        return OTHERS.get(step_type)
    job = STEP_TYPES[step_type].job or CHECKS[step_type]
    optional = frozenset({job.create_name} if job.create_name else ())
    taken = request(f"Create{job.noun}")
    return ShapeName(taken, optional=optional) if taken else None


CHECKS = {"ClarifyCheck": PROCESSING, "QualityCheck": PROCESSING}
"""Types of steps that run a job and then judge what it wrote, with that job."""

OTHERS = {
    "EMR": ShapeName("PipelineArguments", "emr"),
    "EMRServerless": ShapeName("PipelineArguments", "emr-serverless"),
    "Lineage": ShapeName("PipelineLineage"),
}

FREE = {
    "Callback": "the body of a message, for whoever reads the queue",
    "Cleanup": "no AWS operation; the language reads it",
    "Condition": "no AWS operation; the language reads it",
    "Fail": "no AWS operation; the language reads it",
    "ForEach": "no AWS operation; the language reads it, and its body are steps of their own",
    "Lambda": "the event of a function, which alone knows its form",
}
"""Types of steps without a shape, each with the reason."""

ALTERNATIVES: dict[str, tuple[Choice, ...]] = {
    # SDK, workflow/emr_step.py.
    "EMR": (
        Choice(between=("ClusterId", "ClusterConfig")),
        Choice(inside=("ClusterConfig", "Instances"), between=("InstanceGroups", "InstanceFleets")),
    ),
    # SDK v3, workflow/emr_serverless_step.py.
    "EMRServerless": (Choice(between=("ApplicationId", "ApplicationConfig")),),
}

DOUBTFUL = {
    ("EMR", "ExecutionRoleArn"): (
        "ClusterConfig",
        "the role of a step on a cluster that this step starts is not taken; give it with "
        "ClusterId only",
    ),
    ("RegisterModel", "ModelPackageName"): (
        "ModelPackageName",
        'SageMaker has been seen to refuse it, "Unknown Argument member"; leave it out',
    ),
}
"""Members that may be refused where another is given, with that other one and the reason."""
