"""Applications of EMR Serverless, and the tokens of what makes something."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.calls import operations
from airflow_sm_pipelines.local.emr import applications
from airflow_sm_pipelines.local.emr.applications import Applications
from airflow_sm_pipelines.local.emr.serverless import OPERATIONS
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.kept import Shelf


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


def test_an_application_goes_from_state_to_state(emr: Any, application: str, name: str) -> None:
    def told() -> dict[str, Any]:
        return dict(emr.get_application(applicationId=application)["application"])

    assert (told()["state"], told()["type"]) == ("CREATED", "Spark")
    update = {"applicationId": application, "clientToken": name, "architecture": "ARM64"}
    assert emr.update_application(**update)["application"]["architecture"] == "ARM64"
    emr.start_application(applicationId=application)
    assert told()["state"] == "STARTED"
    for refused in (partial(emr.update_application, **update), partial(delete, emr, application)):
        with pytest.raises(ClientError, match="must be in one of the following statuses"):
            refused()
    emr.stop_application(applicationId=application)
    delete(emr, application)
    assert told()["state"] == "TERMINATED"
    assert told()["createdAt"] < told()["updatedAt"]
    pages = emr.get_paginator("list_applications").paginate(
        states=["TERMINATED"], PaginationConfig={"PageSize": 1}
    )
    assert application in [each["id"] for page in pages for each in page["applications"]]


def delete(emr: Any, application: str) -> None:
    emr.delete_application(applicationId=application)


def test_a_terminated_application_starts_no_run(emr: Any, application: str, start: Any) -> None:
    delete(emr, application)
    with pytest.raises(ClientError, match="is terminated"):
        start("token")


def test_applications_and_job_runs_are_tagged(emr: Any, application: str, start: Any) -> None:
    described = emr.get_application(applicationId=application)["application"]
    run = emr.get_job_run(applicationId=application, jobRunId=start("token", tags={"a": "1"}))
    for arn, before in ((described["arn"], {}), (run["jobRun"]["arn"], {"a": "1"})):
        assert emr.list_tags_for_resource(resourceArn=arn)["tags"] == before
        emr.tag_resource(resourceArn=arn, tags={"b": "2", "c": "3"})
        emr.untag_resource(resourceArn=arn, tagKeys=["b"])
        assert emr.list_tags_for_resource(resourceArn=arn)["tags"] == {**before, "c": "3"}
    assert emr.get_application(applicationId=application)["application"]["tags"] == {"c": "3"}


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        (
            "create_application",
            {"releaseLabel": "emr-7.0.0", "type": "FLINK", "clientToken": "t"},
            "ValidationException",
            "Unsupported engine FLINK",
        ),
        (
            "get_application",
            {"applicationId": "no"},
            "ResourceNotFoundException",
            "Application no does not exist",
        ),
        (
            "list_job_run_attempts",
            {"applicationId": "a", "jobRunId": "j"},
            "NotImplemented",
            "emr-serverless: ListJobRunAttempts is not there in the local AWS",
        ),
    ],
)
def test_refusals(emr: Any, operation: str, request_: Any, code: str, message: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(emr, operation)(**request_)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == (code, message)


def test_rows_are_operations_of_the_service() -> None:
    ours = OPERATIONS.keys() | applications.OPERATIONS.keys()
    assert ours <= set(operations("emr-serverless") or ())


def test_a_file_that_is_no_application_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("damaged", {"Application": {}})
    known = Applications(Account("us-east-1"), shelf)
    with pytest.raises(AwsError, match="Application damaged does not exist"):
        known.describe("damaged")
    assert "application damaged: left out: it is none" in caplog.text
