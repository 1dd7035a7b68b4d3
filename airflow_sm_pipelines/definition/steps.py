"""How each type of step is run: one row per type.

A step type that is one AWS job needs a row here and a fixture in `tests/pipelines/`, nothing else.
Names of operations, members and statuses are those of botocore's model of the service;
`tests/definition/test_steps.py` compares every row with it.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An AWS resource that a step creates, waits for and hands on.

    The operations are `Create<noun>`, `Describe<noun>` and, where `stops`, `Stop<noun>`.
    """

    noun: str
    create_name: str | None
    """The member of Create that carries the name; None where AWS names the resource."""
    describe_name: str
    """The member of Describe's request that says which resource is meant."""
    arn: str
    """The member of Create's response that is the ARN."""
    status: str | None = None
    """The member of Describe's response that is the status; None where creating is all."""
    succeeded: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    stops: bool = False
    recreated: Literal["name", "token"] = "name"
    """How a second create of the same is recognised: by its name or by its ClientToken."""
    longest_name: int = 63
    group: str | None = None
    """The noun of the group that is created first where it does not exist."""
    role: str | None = None
    """The member of Create that is the execution role; the service fills in the pipeline's."""
    tags: bool = True
    log_group: str | None = None
    reasons: tuple[str, ...] = ("FailureReason",)
    """The members of Describe's response that say why it failed, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepType:
    """A value of a step's `Type`."""

    keys: frozenset[str] = frozenset()
    """Keys of the step beside the common ones."""
    job: Job | None = None
    cache_attributes: tuple[str, ...] = ()
    """Paths in Arguments that decide whether an earlier job did the same (developer guide,
    "Caching Pipeline Steps"); empty where the type is not cached."""
    depended_on: bool = True
    """Whether another step may wait for one of this type."""


COMMON_KEYS = (
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "RetryPolicies",
)

PROCESSING = Job(
    noun="ProcessingJob",
    create_name="ProcessingJobName",
    describe_name="ProcessingJobName",
    arn="ProcessingJobArn",
    status="ProcessingJobStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Stopped"}),
    stops=True,
    role="RoleArn",
    log_group="/aws/sagemaker/ProcessingJobs",
    reasons=("FailureReason", "ExitMessage"),
)
TRAINING = Job(
    noun="TrainingJob",
    create_name="TrainingJobName",
    describe_name="TrainingJobName",
    arn="TrainingJobArn",
    status="TrainingJobStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Stopped", "Deleting"}),
    stops=True,
    role="RoleArn",
    log_group="/aws/sagemaker/TrainingJobs",
)
TRANSFORM = Job(
    noun="TransformJob",
    create_name="TransformJobName",
    describe_name="TransformJobName",
    arn="TransformJobArn",
    status="TransformJobStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Stopped"}),
    stops=True,
    log_group="/aws/sagemaker/TransformJobs",
)
MODEL = Job(
    noun="Model",
    create_name="ModelName",
    describe_name="ModelName",
    arn="ModelArn",
    role="ExecutionRoleArn",
)
MODEL_PACKAGE = Job(
    noun="ModelPackage",
    create_name=None,
    describe_name="ModelPackageName",
    arn="ModelPackageArn",
    status="ModelPackageStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Deleting"}),
    recreated="token",
    group="ModelPackageGroup",
    reasons=("ModelPackageStatusDetails",),
    # "Tags ... for a versioned model package" are refused (API reference, CreateModelPackage).
    tags=False,
)

PENDING = frozenset({"Pending", "InProgress", "Stopping"})
"""Statuses of a job that is still to be waited for."""

STEP_TYPES: dict[str, StepType] = {
    "Processing": StepType(
        keys=frozenset({"PropertyFiles"}),
        job=PROCESSING,
        cache_attributes=("AppSpecification", "Environment", "ProcessingInputs"),
    ),
    "Training": StepType(
        job=TRAINING,
        cache_attributes=(
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
    ),
    "Transform": StepType(
        job=TRANSFORM,
        cache_attributes=("DataProcessing", "Environment", "ModelName", "TransformInput"),
    ),
    "Model": StepType(job=MODEL),
    "RegisterModel": StepType(job=MODEL_PACKAGE),
    "Condition": StepType(),
    "Fail": StepType(depended_on=False),
}
