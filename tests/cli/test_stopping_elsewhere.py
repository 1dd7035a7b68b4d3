"""Stopping what a run has on EMR and EMR Serverless, without knowing where."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.cli.stopping_elsewhere import FINDERS, Elsewhere, elsewhere
from airflow_sm_pipelines.definition.resources import EMR_STEP, JOB_RUN, TRAINING
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.local import LocalAWS
from tests.fakes import until

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


@pytest.fixture
def connection(aws_environment: LocalAWS) -> aws.Connection:
    return aws.Connection("aws_default")


def step(name: str) -> dict[str, Any]:
    jar = {"Jar": "command-runner.jar", "Args": ["sleep", "60"]}
    return {"Name": name, "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar}


def test_the_steps_of_a_run_are_stopped_and_no_others(connection: aws.Connection) -> None:
    emr: Any = connection.client("emr")
    run, other = uuid4().hex[:12], uuid4().hex[:12]
    kept = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    names = [f"pipelines-{each}-step-key-0-1" for each in (run, other)]
    shared = emr.run_job_flow(
        Name="shared", Instances=kept, Steps=[*map(step, names)], StepConcurrencyLevel=2
    )["JobFlowId"]
    own = f"pipelines-{run}-own-key-0-1"
    emr.run_job_flow(Name=own, Instances={"InstanceCount": 1}, Steps=[step(own)])
    work = Elsewhere(
        clients=connection.client,
        kinds=elsewhere(row.job for row in STEP_TYPES.values()),
        execution_id=run,
        since=datetime.now(UTC) - timedelta(minutes=5),
    )
    assert sorted(work.stop()) == sorted([names[0], own])

    def states() -> dict[str, str]:
        rows = emr.list_steps(ClusterId=shared)["Steps"]
        return {row["Name"]: row["Status"]["State"] for row in rows}

    until(lambda: states() == {names[0]: "CANCELLED", names[1]: "RUNNING"})
    emr.terminate_job_flows(JobFlowIds=[shared])


def test_a_job_run_that_has_ended_is_left_alone(connection: aws.Connection) -> None:
    serverless: Any = connection.client("emr-serverless")
    application = serverless.create_application(
        releaseLabel="emr-7.0.0", type="SPARK", clientToken=uuid4().hex
    )["applicationId"]
    run = uuid4().hex[:12]
    started = serverless.start_job_run(
        applicationId=application,
        executionRoleArn=ROLE,
        jobDriver={"sparkSubmit": {"entryPoint": "s3://b/m.py"}},
        name=f"pipelines-{run}-step-key-0-1",
    )["jobRunId"]
    where = {"applicationId": application}
    until(lambda: serverless.get_job_run(**where, jobRunId=started)["jobRun"]["state"] == "FAILED")
    work = Elsewhere(
        clients=connection.client,
        kinds=(JOB_RUN,),
        execution_id=run,
        since=datetime.now(UTC) - timedelta(minutes=5),
    )
    assert work.stop() == []


def test_every_kind_that_is_elsewhere_is_looked_for() -> None:
    jobs = [row.job for row in STEP_TYPES.values() if row.job]
    assert {job.service for job in jobs if job.service != "sagemaker"} == set(FINDERS)
    assert elsewhere([TRAINING, None, EMR_STEP, EMR_STEP]) == (EMR_STEP,)
