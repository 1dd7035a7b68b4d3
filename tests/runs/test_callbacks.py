"""Callback steps, with a worker behind their queue."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
import pytest
import uvicorn
from airflow.api_fastapi.app import init_plugins
from botocore.exceptions import ClientError
from fastapi import FastAPI

from airflow_sm_pipelines.features import HAS_RETRY_POLICIES
from airflow_sm_pipelines.local import LocalAWS

from .conftest import RunPipeline
from .steps import get, pipeline, processing

Message = dict[str, Any]
Work = Callable[[Message], None]


@pytest.fixture
def queue(aws_environment: LocalAWS) -> str:
    url: str = boto3.client("sqs").create_queue(QueueName=f"labels-{uuid4().hex[:8]}")["QueueUrl"]
    return url


@contextmanager
def worker(queue: str, work: Work) -> Iterator[list[Message]]:
    """Someone who takes each message from a queue; the messages that came."""
    sqs, told, ended = boto3.client("sqs"), list[Message](), threading.Event()

    def take() -> None:
        while not ended.is_set():
            for message in sqs.receive_message(QueueUrl=queue).get("Messages", ()):
                told.append(json.loads(message["Body"]))
                work(told[-1])
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            ended.wait(0.1)

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield told
    finally:
        ended.set()
        thread.join()


def label(queue: str) -> dict[str, Any]:
    return {
        "Name": "Label",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"dataset": "s3://bucket/unlabelled", "workers": get("Parameters.Workers")},
        "OutputParameters": [
            {"OutputName": "labels", "OutputType": "String"},
            {"OutputName": "count", "OutputType": "Integer"},
        ],
    }


def labelled(queue: str) -> dict[str, Any]:
    """A pipeline that has data labelled and then counts."""
    step = processing("Count", "import os; assert os.environ == {**os.environ, 'URI': 's3://done'}")
    step["Arguments"]["Environment"] = {"URI": get("Steps.Label.OutputParameters['labels']")}
    workers = [{"Name": "Workers", "Type": "Integer", "DefaultValue": 3}]
    return pipeline(label(queue), step, Parameters=workers)


def answering(sagemaker: Any) -> Work:
    def work(message: Message) -> None:
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=message["token"],
            OutputParameters=[
                {"Name": "labels", "Value": "s3://done"},
                {"Name": "count", "Value": "42"},
            ],
        )

    return work


def test_a_callback_is_told_to_a_worker_and_its_answer_handed_on(
    run_pipeline: RunPipeline, queue: str
) -> None:
    with worker(queue, answering(boto3.client("sagemaker"))) as told:
        run = run_pipeline(labelled(queue), name="labelled")
    assert run.state == "success", run.failures
    (message,) = told
    assert message["arguments"] == {"dataset": "s3://bucket/unlabelled", "workers": 3}
    assert message["pipelineExecutionArn"].startswith("arn:aws:sagemaker:us-east-1:")
    assert run.outputs["Label"] == {
        "CallbackToken": message["token"],
        "OutputParameters": {"labels": "s3://done", "count": 42},
    }


def test_a_failure_fails_the_step_with_its_reason(run_pipeline: RunPipeline, queue: str) -> None:
    sagemaker = boto3.client("sagemaker")

    def refuse(message: Message) -> None:
        sagemaker.send_pipeline_execution_step_failure(
            CallbackToken=message["token"], FailureReason="nobody has time"
        )

    with worker(queue, refuse) as told:
        run = run_pipeline(labelled(queue), name="refused")
    assert (run.state, run.tasks["Count"]) == ("failed", "upstream_failed")
    assert run.failures["Label"] == (
        f"Label: callback {told[0]['token']} is Failed: nobody has time"
    )


def test_an_answer_of_the_wrong_type_fails_the_step(run_pipeline: RunPipeline, queue: str) -> None:
    sagemaker = boto3.client("sagemaker")

    def answer(message: Message) -> None:
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=message["token"],
            OutputParameters=[{"Name": "count", "Value": "many"}],
        )

    with worker(queue, answer):
        run = run_pipeline(labelled(queue), name="mistyped")
    assert run.state == "failed"
    assert "output 'count' is declared as Integer" in run.failures["Label"]


# On AWS, whose SageMaker does not know our tokens


@pytest.fixture
def plugin_url() -> Iterator[str]:
    """The plugin as Airflow's API server takes it in."""
    app = FastAPI()
    init_plugins(app)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/sm-pipelines"
    server.should_exit = True
    thread.join()


@pytest.fixture
def _elsewhere(aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the local AWS be reached by an address that does not look like this host."""
    connection = json.loads(aws_environment.environment["AIRFLOW_CONN_AWS_DEFAULT"])
    url = connection["extra"]["endpoint_url"].replace("127.0.0.1", "127.1")
    connection["extra"]["endpoint_url"] = url
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__POLL_SECONDS", "0.2")


in_process = pytest.mark.skipif(
    not HAS_RETRY_POLICIES, reason="a run inside a process waits for ever on Airflow 3.1"
)


@in_process
@pytest.mark.usefixtures("_elsewhere")
def test_on_aws_the_plugin_takes_the_answer(
    run_pipeline: RunPipeline, queue: str, plugin_url: str
) -> None:
    with worker(queue, answering(boto3.client("sagemaker", endpoint_url=plugin_url))):
        run = run_pipeline(labelled(queue), name="elsewhere")
    assert run.state == "success", run.failures
    assert run.outputs["Label"]["OutputParameters"] == {"labels": "s3://done", "count": 42}


@in_process
@pytest.mark.usefixtures("_elsewhere")
def test_the_plugin_takes_one_answer_and_none_to_a_token_that_nobody_waits_with(
    run_pipeline: RunPipeline, queue: str, plugin_url: str
) -> None:
    sagemaker, refused = boto3.client("sagemaker", endpoint_url=plugin_url), []

    def answer_twice(message: Message) -> None:
        answering(sagemaker)(message)
        try:
            sagemaker.send_pipeline_execution_step_failure(CallbackToken=message["token"])
        except ClientError as error:
            refused.append(error.response["Error"]["Code"])

    with worker(queue, answer_twice):
        assert run_pipeline(labelled(queue), name="once").state == "success"
    assert refused == ["ConflictException"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.send_pipeline_execution_step_failure(CallbackToken="0" * 10)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("describe_model", {"ModelName": "m"}),
        ("send_pipeline_execution_step_success", {"CallbackToken": "!" * 10}),
        (
            "send_pipeline_execution_step_success",
            {"CallbackToken": "0" * 10, "OutputParameters": [{"Name": "x", "Value": "y" * 1025}]},
        ),
    ],
)
def test_the_plugin_refuses_what_the_service_would(
    airflow_database: None, plugin_url: str, operation: str, request_: dict[str, Any]
) -> None:
    client = boto3.client(
        "sagemaker",
        endpoint_url=plugin_url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    with pytest.raises(ClientError, match=r"UnknownOperationException|ValidationException"):
        getattr(client, operation)(**request_)


def test_the_plugin_is_reached_with_a_slash_behind_its_path_and_without(
    airflow_database: None, plugin_url: str
) -> None:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    for url in (plugin_url, f"{plugin_url}/"):
        sagemaker = session.client("sagemaker", endpoint_url=url)
        with pytest.raises(ClientError, match="ResourceNotFound"):
            sagemaker.send_pipeline_execution_step_failure(CallbackToken="0" * 10)
