"""AWS fails in every way that the local one can; there is still one of all for each step of a run.

In one process, by Airflow's own test runner: the processes of Airflow have no part in it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local.control.fault import FAULTS
from tests.runs.conftest import Play, RunPipeline
from tests.runs.steps import ROLE, pipeline, processing

from .pipelines import fails, lasts

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

Json = dict[str, Any]

CREATES = ("CreateProcessingJob", "CreateModel", "CreateModelPackage")
JOB = "FaultyPrepare"

# botocore asks five times before it gives up: six times are more.
PASSING: dict[str, tuple[Json, ...]] = {
    **{
        kind: (
            {"Kind": kind, "Operations": "CreateProcessingJob", "Times": 6},
            {"Kind": kind, "Operations": "CreateModel*", "Times": 2},
            {"Kind": kind, "Operations": "Describe*", "Probability": 0.5, "Times": 6},
            {"Kind": kind, "Operations": "List*", "Probability": 0.5, "Times": 6},
        )
        for kind in (
            "Throttling",
            "TooManyRequests",
            "InternalFailure",
            "ServiceUnavailable",
            "ResetBefore",
            "ResetAfter",
        )
    },
    "ExpiredToken": (
        {"Kind": "ExpiredToken", "Operations": "Create*", "Times": 1},
        {"Kind": "ExpiredToken", "Operations": "Describe*", "Times": 2},
    ),
    "Latency": ({"Kind": "Latency", "Operations": "*", "Seconds": 2, "Times": 6},),
    "Unseen": ({"Kind": "Unseen", "Operations": "Create*", "Seconds": 3},),
    "Unseen after a lost answer": (
        {"Kind": "Unseen", "Operations": "Create*", "Seconds": 3},
        {"Kind": "ResetAfter", "Operations": "Create*", "Times": 1},
    ),
}
"""Faults after which a run ends as without them."""

LASTING = ("AccessDenied", "ResourceLimit")
"""Faults that no patience mends."""

REASONS = {
    "AlgorithmError: ExecuteUserScriptError: no luck, exit code: 1": 1,
    "ClientError: no such file, exit code: 1": 1,
    "InternalServerError: We encountered an internal error. Please try again.": 2,
    "CapacityError: Unable to provision requested ML compute capacity.": 2,
}
"""FailureReason of a step's first job -> how many jobs a policy for all exception types allows."""


@pytest.fixture
def aws(aws_environment: "LocalAWS", play: Play) -> Iterator["LocalAWS"]:
    """A local AWS that has seen no request, and whose jobs take half a second."""
    aws_environment.requests.clear()
    play(lasts(JOB, 0.5))
    yield aws_environment
    aws_environment.faults.replace()


def definition(**keys: Any) -> Json:
    """A job, a model and a version of a model package."""
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    model = {
        "Name": "FaultyModel",
        "Type": "Model",
        "DependsOn": [JOB],
        "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": container},
    }
    register = {
        "Name": "FaultyRegister",
        "Type": "RegisterModel",
        "DependsOn": ["FaultyModel"],
        "Arguments": {
            "ModelPackageGroupName": "faulty",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    }
    return pipeline(processing(JOB, **keys), model, register)


def made(aws: "LocalAWS") -> Counter[str]:
    """How many resources were made by each operation."""
    return Counter(
        each["Operation"]
        for each in aws.requests.documents()
        if each["Operation"] in CREATES and each["Effect"]
    )


def test_every_fault_of_the_local_aws_is_tried() -> None:
    tried = {fault["Kind"] for faults in PASSING.values() for fault in faults}
    assert tried | {*LASTING} == set(FAULTS)


@pytest.mark.slow
@pytest.mark.parametrize("name", PASSING)
def test_what_passes_leaves_one_resource_for_each_step(
    run_pipeline: RunPipeline, aws: "LocalAWS", name: str
) -> None:
    aws.faults.add(*PASSING[name])
    run = run_pipeline(definition(), name=f"faulty-{name.lower().replace(' ', '-')}")
    assert run.state == "success", run.failures
    assert made(aws) == Counter(CREATES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LASTING)
def test_what_does_not_pass_fails_the_run_and_makes_nothing(
    run_pipeline: RunPipeline, aws: "LocalAWS", kind: str
) -> None:
    aws.faults.add({"Kind": kind, "Operations": "CreateProcessingJob"})
    run = run_pipeline(definition(), name=f"lasting-{kind.lower()}")
    assert (run.state, run.tasks[JOB]) == ("failed", "failed")
    assert made(aws) == Counter()
    assert run.retry_reasons.get(JOB, []) == []


@pytest.mark.slow
@pytest.mark.parametrize(("reason", "jobs"), REASONS.items())
def test_job_that_fails_is_followed_by_another_where_its_reason_allows(
    run_pipeline: RunPipeline, aws: "LocalAWS", reason: str, jobs: int
) -> None:
    aws.scripts.add({**fails(JOB, 0.5, reason), "Times": 1})
    types = ("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "Step.SERVICE_FAULT")
    policy = {"ExceptionType": [*types], "IntervalSeconds": 0, "MaxAttempts": 3}
    run = run_pipeline(definition(RetryPolicies=[policy]), name=f"reason-{jobs}-{len(reason)}")
    assert run.state == ("success" if jobs > 1 else "failed"), run.failures
    assert made(aws)["CreateProcessingJob"] == jobs


@pytest.mark.slow
def test_job_that_fails_without_a_policy_is_not_followed_by_another(
    run_pipeline: RunPipeline, aws: "LocalAWS"
) -> None:
    reasons = [reason for reason, jobs in REASONS.items() if jobs > 1]
    for number, reason in enumerate(reasons, 1):
        aws.scripts.add({**fails(JOB, 0.5, reason), "Times": 1})
        run = run_pipeline(definition(), name=f"no-policy-{number}")
        assert run.state == "failed"
        assert made(aws)["CreateProcessingJob"] == number
