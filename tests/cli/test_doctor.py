"""`airflow-sm doctor`: what the machine has, and what a connection may do."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.session import get_session

from airflow_sm_pipelines.cli.permissions import Answer, _other_reads, _reads, answers
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.local import LocalAWS
from tests.cli.conftest import Command

JOBS = [row.job for row in STEP_TYPES.values() if row.job and row.job.service == "sagemaker"]


class Client:
    """Answers every call in the same way."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda **_: self._answer()


def ask(answer: Callable[[], Any]) -> dict[str, Answer]:
    found = answers(
        lambda _: Client(answer),
        account="123456789012",
        region="us-east-1",
        arn="arn:aws:sts::123456789012:assumed-role/Role/session",
    )
    return {each.action: each for each in found}


def error(code: str, message: str = "") -> Callable[[], Any]:
    def answer() -> Any:
        raise ClientError({"Error": {"Code": code, "Message": message}}, "Operation")

    return answer


def test_every_operation_on_every_kind_of_job_is_asked_for() -> None:
    asked = set(ask(error("ValidationException")))
    for job in JOBS:
        verbs = ["Create", "Describe", *["Stop"] * job.stops, *["Update"] * job.updates]
        assert {f"sagemaker:{verb}{job.noun}" for verb in verbs} <= asked
    groups = {f"sagemaker:Create{job.group}" for job in JOBS if job.group}
    assert groups | {"sagemaker:ListTrainingJobsForHyperParameterTuningJob"} <= asked


def test_every_operation_that_is_tried_is_one_of_aws_and_has_what_it_requires() -> None:
    session = get_session()
    for read in [*(r for job in JOBS for r in _reads(job)), *_other_reads("1", "us-east-1")]:
        shape = session.get_service_model(read.service).operation_model(read.operation).input_shape
        assert shape is not None
        assert set(shape.required_members) <= set(read.request) <= set(shape.members)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (error("ValidationException", "Requested resource not found."), "allowed"),
        (error("ResourceNotFound"), "allowed"),
        (error("AccessDeniedException", "no"), "denied"),
        (error("ThrottlingException"), "unknown"),
    ],
)
def test_an_answer_about_the_resource_comes_after_the_permission(
    answer: Callable[[], Any], verdict: str
) -> None:
    assert ask(answer)["sagemaker:DescribeTrainingJob"].verdict == verdict


def test_an_endpoint_that_does_not_answer_leaves_all_unknown() -> None:
    def answer() -> Any:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    assert {each.verdict for each in ask(answer).values()} == {"unknown"}


def test_creating_is_asked_of_the_simulator() -> None:
    def answer() -> Any:
        return {
            "EvaluationResults": [
                {"EvalActionName": "sagemaker:CreateModel", "EvalDecision": "implicitDeny"},
                {"EvalActionName": "iam:PassRole", "EvalDecision": "allowed"},
            ]
        }

    found = ask(answer)
    assert found["sagemaker:CreateModel"].verdict == "denied"
    assert found["sagemaker:CreateModel"].reason == "implicitDeny"
    assert found["iam:PassRole"].verdict == "allowed"


def test_the_machine_and_a_connection_are_told(
    airflow_sm: Command, aws_environment: LocalAWS
) -> None:
    done = airflow_sm("doctor", "--connection", "aws_default", **aws_environment.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    told = " ".join(done.stdout.split())
    assert "apache-airflow 3." in told
    assert "namespace" in told
    assert "region us-east-1" in told
    assert f"endpoint {aws_environment.endpoint_url}" in told
    assert "sagemaker:DescribeTrainingJob allowed" in told
    assert "sagemaker:CreateTrainingJob allowed" in told


def test_a_connection_without_an_endpoint_that_answers_is_exit_1(airflow_sm: Command) -> None:
    extra = '{"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"}'
    connection = f'{{"conn_type": "aws", "login": "a", "password": "b", "extra": {extra}}}'
    done = airflow_sm("doctor", "--connection", "dead", AIRFLOW_CONN_DEAD=connection)
    assert done.returncode == 1
    assert "identity" in done.stdout
    assert "Could not connect to the endpoint URL" in done.stdout
