"""Retries as Airflow makes them: failures that a script tells, in Airflow's own test runner."""

import json
import runpy
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest

from tests.conftest import HOME
from tests.turning_away import Away, turns_away

from .conftest import Play, RunPipeline, retry_reasons
from .steps import ROLE, pipeline

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

CAPACITY = "CapacityError: Unable to provision requested ML compute capacity"
INTERNAL = "InternalServerError: We encountered an internal error. Please try again."

Step = dict[str, Any]


@pytest.fixture
def name() -> str:
    """What the names of a run's jobs begin with."""
    return f"r{uuid4().hex[:8]}"


def training(name: str, *policies: Mapping[str, Any], **keys: Any) -> Step:
    """A step whose jobs are told by a script."""
    arguments = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": "python:3", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "RoleArn": ROLE,
    }
    step = {"Name": "Train", "Type": "Training", "Arguments": arguments, **keys}
    return {**step, "RetryPolicies": [*policies]} if policies else step


def policy(*types: str, **keys: Any) -> dict[str, Any]:
    return {"ExceptionType": [*types], "IntervalSeconds": 0, **keys}


def ends(name: str, status: str, reason: str = "", **keys: Any) -> dict[str, Any]:
    """A script of training jobs."""
    last = {"Status": status, **({"FailureReason": reason} if reason else {})}
    return {"Kind": "TrainingJob", "Name": f"{name}-*", "Moments": [last], **keys}


def jobs(aws: "LocalAWS", name: str) -> list[dict[str, Any]]:
    """The training jobs of a run, the first one first."""
    client = boto3.client("sagemaker", endpoint_url=aws.endpoint_url)
    # Newest first; NameContains would be applied to each page alone.
    page = client.list_training_jobs(MaxResults=100, SortOrder="Descending")
    return [
        dict(job)
        for job in reversed(page["TrainingJobSummaries"])
        if job["TrainingJobName"].startswith(name)
    ]


def test_a_job_without_capacity_is_followed_by_new_jobs(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play, name: str
) -> None:
    play(ends(name, "Completed"), ends(name, "Failed", CAPACITY, Times=2))
    allowed = policy("SageMaker.CAPACITY_ERROR", MaxAttempts=3, IntervalSeconds=1)
    run = run_pipeline(pipeline(training(name, allowed)), name="capacity")
    assert run.state == "success"
    made = jobs(aws_environment, name)
    assert [job["TrainingJobStatus"] for job in made] == ["Failed", "Failed", "Completed"]
    assert run.outputs["Train"]["TrainingJobName"] == made[-1]["TrainingJobName"]
    assert len({job["TrainingJobName"] for job in made}) == 3
    assert run.retry_reasons["Train"] == [
        "SageMaker.CAPACITY_ERROR: retry 1 of 3 in 1 s",
        "SageMaker.CAPACITY_ERROR: retry 2 of 3 in 2 s",
    ]
    gaps = [
        (later["CreationTime"] - earlier["TrainingEndTime"]).total_seconds()
        for earlier, later in pairwise(made)
    ]
    assert [gap >= least for gap, least in zip(gaps, (1, 2), strict=True)] == [True, True]


def test_a_failure_that_no_policy_names_is_not_retried(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play, name: str
) -> None:
    play(ends(name, "Failed", "AlgorithmError: CapacityError: mine"))
    allowed = policy("SageMaker.CAPACITY_ERROR", "SageMaker.JOB_INTERNAL_ERROR", MaxAttempts=3)
    run = run_pipeline(pipeline(training(name, allowed)), name="algorithm")
    assert (run.state, run.tasks["Train"]) == ("failed", "failed")
    (made,) = jobs(aws_environment, name)
    assert run.failures["Train"] == (
        f"Train: TrainingJob {made['TrainingJobName']} is Failed: "
        "AlgorithmError: CapacityError: mine"
    )
    assert run.retry_reasons == {}


def test_a_stopped_job_is_not_retried(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play, name: str
) -> None:
    play(ends(name, "Stopped"))
    allowed = policy("SageMaker.CAPACITY_ERROR", "SageMaker.JOB_INTERNAL_ERROR", MaxAttempts=3)
    run = run_pipeline(pipeline(training(name, allowed)), name="stopped")
    assert run.tasks["Train"] == "failed"
    assert len(jobs(aws_environment, name)) == 1
    assert run.failures["Train"].endswith(" is Stopped: no reason given")


def test_a_policy_that_is_used_up_fails_the_step_also_after_a_deferral(
    run_pipeline: RunPipeline,
    aws_environment: "LocalAWS",
    play: Play,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")
    play(ends(name, "Failed", INTERNAL))
    allowed = policy("SageMaker.JOB_INTERNAL_ERROR", MaxAttempts=1)
    run = run_pipeline(pipeline(training(name, allowed)), name="internal")
    assert run.tasks["Train"] == "failed"
    assert len(jobs(aws_environment, name)) == 2
    assert run.retry_reasons["Train"] == ["SageMaker.JOB_INTERNAL_ERROR: retry 1 of 1 in 0 s"]


def test_a_policy_that_expires_ends_with_its_time(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play, name: str
) -> None:
    play(ends(name, "Failed", CAPACITY))
    # The second retry would begin 61 seconds after the first execution.
    allowed = policy(
        "SageMaker.CAPACITY_ERROR", ExpireAfterMin=1, IntervalSeconds=1, BackoffRate=60
    )
    run = run_pipeline(pipeline(training(name, allowed)), name="expires")
    assert run.tasks["Train"] == "failed"
    assert len(jobs(aws_environment, name)) == 2
    (reason,) = run.retry_reasons["Train"]
    assert reason.startswith("SageMaker.CAPACITY_ERROR: retry 1 in 1 s; the policy expires at ")


def test_a_tuning_job_is_not_retried_for_an_internal_error(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play
) -> None:
    failed = {"Status": "Failed", "FailureReason": INTERNAL}
    play({"Kind": "HyperParameterTuningJob", "Moments": [failed]})
    arguments = training("x")["Arguments"]
    definition = {key: arguments[key] for key in arguments if key != "TrainingJobName"}
    step = {
        "Name": "Tune",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 1},
            },
            "TrainingJobDefinition": definition,
        },
        "RetryPolicies": [policy("SageMaker.JOB_INTERNAL_ERROR", MaxAttempts=3)],
    }
    run = run_pipeline(pipeline(step), name="tuning")
    assert run.tasks["Tune"] == "failed"
    assert run.retry_reasons == {}
    assert f"is Failed: {INTERNAL}" in run.failures["Tune"]


def test_a_limit_of_the_account_is_waited_for(
    run_pipeline: RunPipeline,
    aws_environment: "LocalAWS",
    play: Play,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play(ends(name, "Completed"))
    allowed = policy("SageMaker.RESOURCE_LIMIT", MaxAttempts=2)
    limit = Away("CreateTrainingJob", "ResourceLimitExceeded")
    with turns_away(aws_environment, monkeypatch, limit, limit) as front:
        run = run_pipeline(pipeline(training(name, allowed)), name="limit")
    assert run.state == "success"
    assert front.asked.count("CreateTrainingJob") == 3
    assert len(jobs(aws_environment, name)) == 1
    assert run.retry_reasons["Train"] == [
        "SageMaker.RESOURCE_LIMIT: retry 1 of 2 in 0 s",
        "SageMaker.RESOURCE_LIMIT: retry 2 of 2 in 0 s",
    ]


def test_a_step_that_waits_for_its_retry_keeps_no_other_from_its_turn(
    run_pipeline: RunPipeline,
    aws_environment: "LocalAWS",
    play: Play,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play(ends(name, "Completed"))
    allowed = policy("SageMaker.RESOURCE_LIMIT", MaxAttempts=2, IntervalSeconds=1)
    one = {"MaxParallelExecutionSteps": 1}
    steps = [training(name, allowed, Name=each) for each in ("First", "Second")]
    described = {
        "PipelineDefinition": json.dumps(pipeline(*steps)),
        "ParallelismConfiguration": one,
    }
    limit = Away("CreateTrainingJob", "ResourceLimitExceeded")
    with turns_away(aws_environment, monkeypatch, limit) as front:
        run = run_pipeline(described, name="queue")
    assert run.state == "success"
    assert front.asked.count("CreateTrainingJob") == 3


def test_a_limit_of_the_account_fails_a_step_without_a_policy(
    run_pipeline: RunPipeline,
    aws_environment: "LocalAWS",
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = Away("CreateTrainingJob", "ResourceLimitExceeded")
    with turns_away(aws_environment, monkeypatch, limit) as front:
        run = run_pipeline(pipeline(training(name)), name="limited")
    assert run.tasks["Train"] == "failed"
    assert front.asked.count("CreateTrainingJob") == 1
    assert "ResourceLimitExceeded" in run.failures["Train"]


def test_a_policy_governs_a_create_that_is_throttled_for_longer_than_patience(
    run_pipeline: RunPipeline,
    aws_environment: "LocalAWS",
    play: Play,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__CREATE_PATIENCE_SECONDS", "0")
    play(ends(name, "Completed"))
    allowed = policy("Step.THROTTLING", MaxAttempts=2)
    busy = Away("CreateTrainingJob", "ThrottlingException")
    with turns_away(aws_environment, monkeypatch, busy) as front:
        run = run_pipeline(pipeline(training(name, allowed)), name="throttled")
    assert run.state == "success"
    assert front.asked.count("CreateTrainingJob") == 2
    assert run.retry_reasons["Train"] == ["Step.THROTTLING: retry 1 of 2 in 0 s"]


def test_steps_that_run_side_by_side_have_budgets_of_their_own(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play, name: str
) -> None:
    allowed = policy("SageMaker.CAPACITY_ERROR", MaxAttempts=1)
    names = [f"{name}{letter}" for letter in "ab"]
    for each in names:
        play(ends(each, "Completed"), ends(each, "Failed", CAPACITY, Times=1))
    steps = [training(each, allowed, Name=each) for each in names]
    run = run_pipeline(pipeline(*steps), name="budgets")
    assert run.state == "success"
    assert [len(jobs(aws_environment, each)) for each in names] == [2, 2]


MAPPED = '''\
"""An airflow dag with mapped tasks, of which each fails twice as if there were no capacity."""
import json

from airflow.sdk import DAG, BaseOperator

from airflow_sm_pipelines import load, retries
from airflow_sm_pipelines.errors import JobFailedError

POLICY = {"ExceptionType": ["SageMaker.CAPACITY_ERROR"], "IntervalSeconds": 0, "MaxAttempts": 2}
STEP = {"Name": "S", "Type": "Training", "Arguments": {}, "RetryPolicies": [POLICY]}
PIPELINE = load(json.dumps({"Version": "2020-12-01", "Steps": [STEP]}), name="p")


class Flaky(BaseOperator):
    def __init__(self, *, item, **kwargs):
        super().__init__(**kwargs)
        self.item = item

    def execute(self, context):
        if context["ti"].try_number <= 2:
            raise JobFailedError(
                step="S",
                noun="TrainingJob",
                job_name=self.item,
                status="Failed",
                reason="CapacityError",
                exception_type="SageMaker.CAPACITY_ERROR",
            )


with DAG("mapped", schedule=None) as dag:
    arguments = retries.task_arguments(PIPELINE.steps[0], {})
    del arguments["retry_failures"]
    Flaky.partial(task_id="S", **arguments).expand(item=["a", "b"])
'''


def test_mapped_tasks_have_budgets_of_their_own(airflow_database: None) -> None:
    file = HOME / "dags" / "mapped.py"
    file.write_text(MAPPED)
    try:
        run = runpy.run_path(str(file))["dag"].test()
    finally:
        file.unlink()
    assert str(run.state) == "success"
    assert retry_reasons("mapped", run.run_id) == {
        "S": ["SageMaker.CAPACITY_ERROR: retry 1 of 2 in 0 s"] * 2
        + ["SageMaker.CAPACITY_ERROR: retry 2 of 2 in 0 s"] * 2
    }
