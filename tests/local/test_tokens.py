"""Tokens of clients at services that moto answers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local.calls import operations
from airflow_sm_pipelines.local.tokens import TOKENS


@pytest.fixture
def emr(client: Callable[[str], Any]) -> Any:
    return client("emr-serverless")


@pytest.fixture
def application(emr: Any, name: str) -> str:
    request = {"releaseLabel": "emr-7.0.0", "type": "SPARK", "clientToken": name}
    made: set[str] = {emr.create_application(**request)["applicationId"] for _ in range(2)}
    (only,) = made
    return only


@pytest.fixture
def start(emr: Any, application: str) -> Callable[..., str]:
    def run(token: str, **changes: Any) -> str:
        request = {
            "applicationId": application,
            "executionRoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
            "jobDriver": {"sparkSubmit": {"entryPoint": "s3://bucket/main.py"}},
            "clientToken": token,
        }
        started: str = emr.start_job_run(**{**request, **changes})["jobRunId"]
        return started

    return run


def test_the_same_token_starts_one_run(emr: Any, application: str, start: Any, name: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        runs = {*threads.map(start, [name] * 8)}
    listed = emr.list_job_runs(applicationId=application)["jobRuns"]
    assert runs == {each["id"] for each in listed}
    assert len(listed) == 1
    assert start(f"{name}-2") not in runs


def test_a_token_of_another_request_is_a_conflict(start: Callable[..., str], name: str) -> None:
    start(name)
    with pytest.raises(ClientError, match="has been used for a different request") as refused:
        start(name, name="another")
    assert refused.value.response["Error"]["Code"] == "ConflictException"


def test_a_refused_request_uses_no_token(emr: Any, start: Callable[..., str], name: str) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        start(name, applicationId="nobody")
    assert start(name)


@pytest.mark.parametrize("action", TOKENS)
def test_a_row_is_an_operation_of_its_service(action: str) -> None:
    service, _, operation = action.partition(":")
    assert operation in (operations(service) or ())
