"""Stopping what a run has started on AWS."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.session import get_session
from botocore.stub import Stubber

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.cli import stopping
from airflow_sm_pipelines.cli.stopping import RunJobs, stoppable
from airflow_sm_pipelines.definition.resources import AUTO_ML, ENDPOINT, JOB, TRAINING
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.local import LocalAWS

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
STOPPABLE = stoppable(row.job for row in STEP_TYPES.values())


@pytest.fixture
def client(aws_environment: LocalAWS) -> Iterator[Any]:
    """A client; what is not stopped goes on for a minute."""
    going = [{"Status": "InProgress", "Seconds": 60}, {"Status": "Completed"}]
    for kind in ("AutoMLJob", "Job"):
        aws_environment.scripts.add({"Kind": kind, "Moments": going})
    yield aws.Connection("aws_default").client("sagemaker")
    aws_environment.scripts.replace()


def create_job(client: Any, name: str, category: str) -> None:
    client.create_job(
        JobName=name,
        JobCategory=category,
        RoleArn=ROLE,
        JobConfigSchemaVersion="1.0.0",
        JobConfigDocument="{}",
    )


def create_auto_ml_job(client: Any, name: str) -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://nowhere/in"}}
    client.create_auto_ml_job(
        AutoMLJobName=name,
        InputDataConfig=[{"DataSource": source, "TargetAttributeName": "y"}],
        OutputDataConfig={"S3OutputPath": "s3://nowhere/out"},
        RoleArn=ROLE,
    )


def test_the_jobs_of_a_run_are_stopped_in_every_category_and_no_others(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0)
    run, other = uuid4().hex[:12], uuid4().hex[:12]
    create_job(client, f"{run}-a", "AgentRFT")
    create_job(client, f"{run}-b", "DataTransformation")
    create_job(client, f"{other}-c", "AgentRFT")
    create_auto_ml_job(client, f"{run}-d")
    jobs = RunJobs(
        client=client,
        kinds=(AUTO_ML, JOB),
        execution_id=run,
        since=datetime.now(UTC) - timedelta(minutes=5),
    )
    assert sorted(jobs.stop(settled=lambda: True)) == [f"{run}-{letter}" for letter in "abd"]
    left = client.describe_job(JobName=f"{other}-c", JobCategory="AgentRFT")
    assert left["JobStatus"] == "InProgress"
    client.stop_job(JobName=f"{other}-c", JobCategory="AgentRFT")


def test_pages_of_jobs_are_followed_and_may_be_empty(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "LOOK_SECONDS", 0)
    since = datetime.now(UTC)
    jobs = RunJobs(client=client, kinds=(TRAINING,), execution_id="id", since=since)
    asked = {
        "CreationTimeAfter": since.isoformat(),
        "NameContains": "id",
        "StatusEquals": "InProgress",
    }
    job = {"TrainingJobName": "id-1", "TrainingJobArn": "arn:aws:sagemaker:::training-job/id-1"}
    row = {**job, "CreationTime": since, "TrainingJobStatus": "InProgress"}
    empty: dict[str, Any] = {"TrainingJobSummaries": []}
    with Stubber(client) as stubber:
        stubber.add_response("list_training_jobs", {**empty, "NextToken": "1"}, asked)
        stubber.add_response(
            "list_training_jobs", {"TrainingJobSummaries": [row]}, {**asked, "NextToken": "1"}
        )
        stubber.add_response("stop_training_job", {}, {"TrainingJobName": "id-1"})
        stubber.add_response("list_training_jobs", empty, asked)
        assert jobs.stop(settled=lambda: True) == ["id-1"]


def test_what_can_be_stopped_is_told_once() -> None:
    assert stoppable([TRAINING, None, ENDPOINT, TRAINING]) == (TRAINING,)


@pytest.mark.parametrize("job", STOPPABLE, ids=lambda job: job.noun)
def test_the_list_of_a_kind_is_asked_for_as_aws_has_it(job: Any) -> None:
    model: Any = get_session().get_service_model("sagemaker")
    operation = model.operation_model(f"List{job.noun}s")
    asked = {"CreationTimeAfter", "NameContains", "StatusEquals", *job.told_apart}
    assert asked <= set(operation.input_shape.members)
    assert set(operation.input_shape.required_members) == set(job.told_apart)
    assert "InProgress" in operation.input_shape.members["StatusEquals"].enum
    rows = operation.output_shape.members[f"{job.noun}Summaries"]
    assert job.describe_name in rows.member.members
    assert all(operation.input_shape.members[name].enum for name in job.told_apart)
