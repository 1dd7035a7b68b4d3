"""How each kind of AWS resource that a step creates is handled: one row per kind.

Names of operations, members and statuses are those of botocore's model of the row's service;
`tests/definition/test_resources.py` compares every row with it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The operation `List<noun>s`, whose rows tell how the resources of a kind are.

    A row has the members of Describe's response that are the name (without a name, the ARN), the
    status, the creation time and, where the kind is updated, the time of the last change.
    """

    rows: str
    """The member of the response that is the list of rows."""
    also: tuple[tuple[str, str], ...] = ()
    """What is asked beside the order and what `told_apart` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """An AWS resource that a step creates, waits for and hands on.

    The operations are `Create<noun>`, `Describe<noun>` and, where `stops`, `Stop<noun>`. How other
    services than SageMaker create and stop is in modules of their own: `emr.py`,
    `emr_serverless.py`.
    """

    noun: str
    service: str = "sagemaker"
    """As boto3 names it."""
    create_name: str | None
    """The member of Create that carries the name, by which a second create of the same is
    recognised; None where AWS names the resource and a ClientToken does that."""
    describe_name: str
    """The member of Describe's request that says which resource is meant."""
    arn: str
    """The member of Create's response that is the ARN."""
    describes: str = ""
    """The operation that describes it; "" for `Describe<noun>`."""
    answer: str = ""
    """The member of that operation's response that is the description, which then has what
    `told_apart` names beside it; "" where the response itself is."""
    created: str = "CreationTime"
    """The path in the description to the time when it was created."""
    status: str | None = None
    """The path in the description to the status; None where creating is all."""
    succeeded: frozenset[str] = frozenset()
    failed: frozenset[str] = frozenset()
    stops: bool = False
    updates: bool = False
    """Whether the name in Arguments is the resource's own, and one that exists gets `Update<noun>`;
    else the name is a prefix, and the resource always new."""
    told_apart: tuple[str, ...] = ()
    """Members of the request that Describe and Stop ask for beside the name."""
    deployed: tuple[tuple[str, str], ...] = ()
    """Paths in the request and in Describe's response: where what the second leads to is not what
    the first asked for, the update was rolled back."""
    longest_name: int = 63
    group: str | None = None
    """The noun of the group that is created first where it does not exist; what is in a group takes
    no tags of its own (API reference, CreateModelPackage)."""
    role: str | None = None
    """The member of Create that is the execution role; the service fills in the pipeline's."""
    role_in: tuple[str, ...] = ()
    """The members of Create that have that role, an object or a list of objects; empty where it
    is Create's own."""
    tags: bool = True
    experiment: bool = False
    """Whether Create takes an ExperimentConfig."""
    log_group: str | None = None
    reasons: tuple[str, ...] = ("FailureReason",)
    """The paths in the description to what says why it failed, the best first."""
    secondary: tuple[str, ...] = ()
    """The members that say more of the status, in Describe's response or in a row of the list."""
    listing: Listing | None = None
    """How it is listed; None where there is no status to look up."""


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
    experiment=True,
    log_group="/aws/sagemaker/ProcessingJobs",
    reasons=("FailureReason", "ExitMessage"),
    listing=Listing(rows="ProcessingJobSummaries"),
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
    experiment=True,
    log_group="/aws/sagemaker/TrainingJobs",
    secondary=("SecondaryStatus",),
    listing=Listing(rows="TrainingJobSummaries"),
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
    experiment=True,
    log_group="/aws/sagemaker/TransformJobs",
    listing=Listing(rows="TransformJobSummaries"),
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
    group="ModelPackageGroup",
    reasons=("ModelPackageStatusDetails",),
    # Without a type the service lists unversioned packages only.
    listing=Listing(
        rows="ModelPackageSummaryList",
        also=(("ModelPackageType", "Both"),),
    ),
)
TUNING = Job(
    noun="HyperParameterTuningJob",
    create_name="HyperParameterTuningJobName",
    describe_name="HyperParameterTuningJobName",
    arn="HyperParameterTuningJobArn",
    status="HyperParameterTuningJobStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Stopped", "Deleting", "DeleteFailed"}),
    stops=True,
    longest_name=32,
    role="RoleArn",
    role_in=("TrainingJobDefinition", "TrainingJobDefinitions"),
    listing=Listing(rows="HyperParameterTuningJobSummaries"),
)
AUTO_ML = Job(
    noun="AutoMLJob",
    create_name="AutoMLJobName",
    describe_name="AutoMLJobName",
    arn="AutoMLJobArn",
    status="AutoMLJobStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Stopped"}),
    stops=True,
    longest_name=32,
    role="RoleArn",
    secondary=("AutoMLJobSecondaryStatus",),
    listing=Listing(rows="AutoMLJobSummaries"),
)
# Its name is made unique to the execution, an endpoint's is not (SDK, pull request 6224): an
# Endpoint step has to read Steps.<name>.EndpointConfigName. The service is not known to fill in
# its ExecutionRoleArn, which only endpoints with inference components need.
ENDPOINT_CONFIG = Job(
    noun="EndpointConfig",
    create_name="EndpointConfigName",
    describe_name="EndpointConfigName",
    arn="EndpointConfigArn",
)
ENDPOINT = Job(
    noun="Endpoint",
    create_name="EndpointName",
    describe_name="EndpointName",
    arn="EndpointArn",
    status="EndpointStatus",
    succeeded=frozenset({"InService"}),
    failed=frozenset({"Failed", "OutOfService", "Deleting", "UpdateRollbackFailed"}),
    updates=True,
    # An update that fails rolls back to InService with the configuration from before.
    deployed=(("EndpointConfigName", "EndpointConfigName"),),
    listing=Listing(rows="Endpoints"),
)
INFERENCE_COMPONENT = Job(
    noun="InferenceComponent",
    create_name="InferenceComponentName",
    describe_name="InferenceComponentName",
    arn="InferenceComponentArn",
    status="InferenceComponentStatus",
    succeeded=frozenset({"InService"}),
    failed=frozenset({"Failed", "Deleting"}),
    updates=True,
    # How many copies there are is left out: scaling changes it at any time.
    deployed=(
        ("Specification", "Specification"),
        ("Specification.Container.Image", "Specification.Container.DeployedImage.SpecifiedImage"),
    ),
    listing=Listing(rows="InferenceComponents"),
)
JOB = Job(
    noun="Job",
    create_name="JobName",
    describe_name="JobName",
    arn="JobArn",
    status="JobStatus",
    succeeded=frozenset({"Completed"}),
    failed=frozenset({"Failed", "Stopped", "Deleting", "DeleteFailed"}),
    stops=True,
    role="RoleArn",
    told_apart=("JobCategory",),
    secondary=("SecondaryStatus", "JobSecondaryStatus"),
    listing=Listing(rows="JobSummaries"),
)

# A step has no name of its own to be found by but the one that we give it, and AddJobFlowSteps no
# token. `emr.py` tells a cluster that was started for the step.
EMR_STEP = Job(
    service="emr",
    noun="Step",
    create_name="Name",
    describe_name="StepId",
    arn="",
    answer="Step",
    created="Status.Timeline.CreationDateTime",
    status="Status.State",
    succeeded=frozenset({"COMPLETED"}),
    failed=frozenset({"CANCELLED", "FAILED", "INTERRUPTED"}),
    stops=True,
    told_apart=("ClusterId",),
    longest_name=256,
    tags=False,
    reasons=(
        "Status.FailureDetails.Message",
        "Status.FailureDetails.Reason",
        "Status.StateChangeReason.Message",
        "Cluster.Status.StateChangeReason.Message",
    ),
)
JOB_RUN = Job(
    service="emr-serverless",
    noun="JobRun",
    create_name="name",
    describe_name="jobRunId",
    arn="arn",
    describes="GetJobRun",
    created="jobRun.createdAt",
    status="jobRun.state",
    succeeded=frozenset({"SUCCESS"}),
    failed=frozenset({"CANCELLED", "FAILED"}),
    stops=True,
    told_apart=("applicationId",),
    longest_name=256,
    role="executionRoleArn",
    reasons=("jobRun.stateDetails",),
)

PENDING = frozenset(
    {
        "Pending",
        "InProgress",
        "Stopping",
        "Creating",
        "Updating",
        "SystemUpdating",
        "RollingBack",
        # EMR and EMR Serverless
        "CANCELLING",
        "CANCEL_PENDING",
        "PENDING",
        "QUEUED",
        "RUNNING",
        "SCHEDULED",
        "SUBMITTED",
    }
)
"""Statuses of a resource that is still to be waited for."""

STOPPED = frozenset(
    {"Stopping", "Stopped", "CANCELLING", "CANCELLED", "CANCEL_PENDING", "INTERRUPTED"}
)
"""Statuses of a resource that was stopped or is about to be."""
