"""Which of the actions that a run needs an identity may do, found without changing anything.

An action that reads is tried. So is Stop, with a job that does not exist: AWS decides about the
permission first. Actions that create are asked of IAM's simulator, which may itself be refused.
A new row of `STEP_TYPES` is tried here by itself; everything else is in `_other_reads`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import settings
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.definition.steps import STEP_TYPES

NOBODY = "airflow-sm-doctor-asks"
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})

Clients = Callable[[str], Any]
"""A boto3 client for the name of a service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found about one action. What is not `needed` costs only comfort."""

    action: str
    verdict: Literal["allowed", "denied", "unknown"]
    reason: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A call that changes nothing, and the action that it needs."""

    action: str
    service: str
    operation: str
    request: Mapping[str, Any]
    needed: bool = True


def answers(clients: Clients, *, account: str, region: str, arn: str) -> Iterator[Answer]:
    """One answer for each action that the step types need."""
    jobs = _jobs()
    for job in jobs:
        yield from (_try(clients, read) for read in _reads(job))
    yield from (_try(clients, read) for read in _other_reads(account, region))
    changes = [f"sagemaker:{verb}{noun}" for job in jobs for verb, noun in _changes(job)]
    tagging = ["sagemaker:AddTags"] if settings.tags() else []
    # Without the first a run is in no experiment, and goes on; the others are for steps that few
    # pipelines have.
    comfort = ["sagemaker:CreateExperiment", "sagemaker:CreateTrial"]
    beside = [action for each in (*WITHOUT_JOB.values(), *ELSEWHERE.values()) for action in each]
    asked = [*changes, *tagging, "iam:PassRole", *comfort, *beside]
    for answer in _simulate(clients("iam"), arn, asked):
        yield replace(answer, needed=answer.action not in {*comfort, *beside})


def actions(job: Job) -> list[str]:
    """All that an identity must be allowed for a step that creates such a resource, in order."""
    if job.noun in ELSEWHERE:
        return list(ELSEWHERE[job.noun])
    changed = [f"sagemaker:{verb}{noun}" for verb, noun in _changes(job)]
    tried = [read.action for read in _reads(job)]
    joined = ["sagemaker:CreateExperiment", "sagemaker:CreateTrial"] if job.experiment else []
    tagged = ["sagemaker:AddTags"] if job.tags else []
    # The cache tells by its tags which step and which run a job is of.
    cached = any(row.job is job and row.cache_attributes for row in STEP_TYPES.values())
    found = ["sagemaker:ListTags"] if cached else []
    return [*changed, *tried, *joined, *tagged, *found, *FINISHING.get(job.noun, ())]


def _jobs() -> list[Job]:
    """SageMaker's resources that steps create, each once; what is elsewhere is not tried."""
    jobs = [row.job for row in STEP_TYPES.values() if row.job]
    return list({job.noun: job for job in jobs if job.noun not in ELSEWHERE}.values())


def _changes(job: Job) -> Iterator[tuple[str, str]]:
    """The verbs and nouns of the operations that change something."""
    yield "Create", job.noun
    if job.updates:
        yield "Update", job.noun
    if job.group:
        yield "Create", job.group


def _reads(job: Job) -> Iterator[Read]:
    verbs = ("Describe", "Stop") if job.stops else ("Describe",)
    told_apart = {member: SOME[member] for member in job.told_apart}
    for verb in verbs:
        yield Read(
            action=f"sagemaker:{verb}{job.noun}",
            service="sagemaker",
            operation=f"{verb}{job.noun}",
            request={job.describe_name: NOBODY, **told_apart},
        )
    yield Read(
        action=f"sagemaker:List{job.noun}s",
        service="sagemaker",
        operation=f"List{job.noun}s",
        request={"MaxResults": 1, **told_apart},
        needed=False,
    )


def _try(clients: Clients, read: Read) -> Answer:
    try:
        getattr(clients(read.service), xform_name(read.operation))(**read.request)
    except ClientError as error:
        return _answer(read, error)
    except BotoCoreError as error:
        return Answer(action=read.action, verdict="unknown", reason=str(error), needed=read.needed)
    return Answer(action=read.action, verdict="allowed", needed=read.needed)


def _answer(read: Read, error: ClientError) -> Answer:
    """An error that is about the resource came after the permission was given."""
    detail = error.response["Error"]
    code, message = detail["Code"], detail.get("Message", "")
    if code in DENIED:
        return Answer(action=read.action, verdict="denied", reason=message, needed=read.needed)
    if code in ABSENT:
        return Answer(action=read.action, verdict="allowed", needed=read.needed)
    return Answer(
        action=read.action, verdict="unknown", reason=f"{code}: {message}", needed=read.needed
    )


def _simulate(iam: Any, arn: str, actions: Iterable[str]) -> Iterator[Answer]:
    try:
        results = iam.simulate_principal_policy(
            PolicySourceArn=_policy_source(arn), ActionNames=list(actions)
        )["EvaluationResults"]
    except (ClientError, BotoCoreError) as error:
        reason = f"iam:SimulatePrincipalPolicy does not answer: {error}"
        yield from (Answer(action=each, verdict="unknown", reason=reason) for each in actions)
        return
    for result in results:
        allowed = result["EvalDecision"] == "allowed"
        yield Answer(
            action=result["EvalActionName"],
            verdict="allowed" if allowed else "denied",
            reason="" if allowed else result["EvalDecision"],
        )


def _policy_source(arn: str) -> str:
    """The role behind a session of it: what the simulator takes.

    `arn:aws:sts::1:assumed-role/Name/session` -> `arn:aws:iam::1:role/Name`. A role's path is not
    in the session's ARN, so a role with a path is not found, and the answer is unknown.
    """
    _, partition, _, _, account, resource = arn.split(":", 5)
    if not resource.startswith("assumed-role/"):
        return arn
    return f"arn:{partition}:iam::{account}:role/{resource.split('/')[1]}"


def _other_reads(account: str, region: str) -> tuple[Read, ...]:
    """The calls beside those to SageMaker's jobs."""
    tuning = "ListTrainingJobsForHyperParameterTuningJob"
    return (
        # What a Tuning step hands on has the best training jobs.
        Read(
            action=f"sagemaker:{tuning}",
            service="sagemaker",
            operation=tuning,
            request={"HyperParameterTuningJobName": NOBODY, "MaxResults": 1},
        ),
        Read(
            action="s3:ListBucket",
            service="s3",
            operation="ListObjectsV2",
            request={"Bucket": f"sagemaker-{region}-{account}", "MaxKeys": 1},
            needed=False,
        ),
        Read(
            action="logs:DescribeLogStreams",
            service="logs",
            operation="DescribeLogStreams",
            request={"logGroupName": "/aws/sagemaker/ProcessingJobs", "limit": 1},
            needed=False,
        ),
    )


# What `finishing.py` asks for beside Describe.
FINISHING = {
    "AutoMLJob": ("s3:ListBucket",),
    "HyperParameterTuningJob": ("sagemaker:ListTrainingJobsForHyperParameterTuningJob",),
}

# What steps that run on other services than SageMaker need, in the order of their calls.
WITHOUT_JOB = {
    "Callback": ("sqs:SendMessage",),
    "Lambda": ("lambda:InvokeFunction",),
}
"""Step types that create no resource -> what an identity must be allowed for them."""

ELSEWHERE = {
    "Step": (
        "elasticmapreduce:AddJobFlowSteps",
        "elasticmapreduce:AddTags",
        "elasticmapreduce:CancelSteps",
        "elasticmapreduce:DescribeCluster",
        "elasticmapreduce:DescribeStep",
        "elasticmapreduce:ListClusters",
        "elasticmapreduce:ListSteps",
        "elasticmapreduce:RunJobFlow",
        "elasticmapreduce:TerminateJobFlows",
    ),
    "JobRun": (
        "emr-serverless:CancelJobRun",
        "emr-serverless:CreateApplication",
        "emr-serverless:GetApplication",
        "emr-serverless:GetJobRun",
        "emr-serverless:ListJobRuns",
        "emr-serverless:StartApplication",
        "emr-serverless:StartJobRun",
        "emr-serverless:TagResource",
    ),
}

# A value of each member that tells resources of a kind apart: AWS refuses what is none.
SOME = {"JobCategory": "AgentRFT"}

ABSENT = frozenset(
    {
        "NoSuchBucket",
        "NoSuchKey",
        "ResourceNotFound",
        "ResourceNotFoundException",
        "ValidationException",
    }
)
