"""Callback steps, as a worker behind their queue and whoever runs the pipeline see them."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.callbacks import Callbacks
from airflow_sm_pipelines.local.kept import Notes, Shelf

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/0123456789ab"


@pytest.fixture
def sagemaker(aws_environment: LocalAWS) -> Any:
    return boto3.client("sagemaker")


@pytest.fixture
def token(aws_environment: LocalAWS) -> str:
    """The token of a message that has been sent."""
    made = uuid4().hex[:10]
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=f"q-{made}")["QueueUrl"]
    message = {"token": made, "pipelineExecutionArn": f"{ARN[:-4]}{made[:4]}", "arguments": {}}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))
    return made


def steps(sagemaker: Any, token: str) -> list[Any]:
    arn = f"{ARN[:-4]}{token[:4]}"
    found: list[Any] = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
        "PipelineExecutionSteps"
    ]
    return found


def test_a_message_that_has_no_answer_is_executing(sagemaker: Any, token: str) -> None:
    (step,) = steps(sagemaker, token)
    assert step["StepStatus"] == "Executing"
    assert step["Metadata"]["Callback"]["CallbackToken"] == token


def test_an_answer_is_kept_with_its_outputs(sagemaker: Any, token: str) -> None:
    outputs = [{"Name": "labels", "Value": "s3://bucket/labels"}]
    answered = sagemaker.send_pipeline_execution_step_success(
        CallbackToken=token, OutputParameters=outputs
    )
    (step,) = steps(sagemaker, token)
    assert answered["PipelineExecutionArn"].startswith(ARN[:-4])
    assert step["StepStatus"] == "Succeeded"
    assert step["Metadata"]["Callback"]["OutputParameters"] == outputs


def test_a_failure_is_kept_with_its_reason(sagemaker: Any, token: str) -> None:
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="no hands")
    (step,) = steps(sagemaker, token)
    assert (step["StepStatus"], step["FailureReason"]) == ("Failed", "no hands")


def test_the_first_answer_counts(sagemaker: Any, token: str) -> None:
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token)
    with pytest.raises(ClientError, match="ConflictException"):
        sagemaker.send_pipeline_execution_step_success(CallbackToken=token)


def test_a_token_that_no_message_had_is_unknown(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.send_pipeline_execution_step_success(CallbackToken="0" * 10)


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"token": 1}', '{"token": "abcdefghij"}'])
def test_other_messages_are_no_callbacks(sagemaker: Any, body: str) -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName=f"q-{uuid4().hex[:10]}")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody=body)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.send_pipeline_execution_step_success(CallbackToken="abcdefghij")


def test_a_file_that_is_no_callback_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Shelf(tmp_path).put("damaged", {"token": "damaged"})
    assert Callbacks(Notes(Shelf(tmp_path))).steps({"PipelineExecutionArn": ARN}) == {
        "PipelineExecutionSteps": []
    }
    assert "callback damaged: left out: KeyError('outputs')" in caplog.text
