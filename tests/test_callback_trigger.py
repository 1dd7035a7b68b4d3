"""The trigger of a Callback step, against the local AWS."""

import asyncio
import json
from dataclasses import asdict
from pkgutil import resolve_name
from typing import Any
from uuid import uuid4

import boto3
import pytest

from airflow_sm_pipelines import aws, callbacks
from airflow_sm_pipelines.callback_trigger import CallbackTrigger
from airflow_sm_pipelines.local import LocalAWS
from tests import cancelling

ARN = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/0123456789ab"


@pytest.fixture
def message(aws_environment: LocalAWS) -> callbacks.Message:
    """A message that its queue has."""
    queue = boto3.client("sqs").create_queue(QueueName=f"q-{uuid4().hex[:8]}")["QueueUrl"]
    made = callbacks.Message(
        token=callbacks.new_token(), execution_arn=ARN, queue_url=queue, arguments={"n": 1}
    )
    made.send(aws.Connection("aws_default"))
    return made


def trigger(message: callbacks.Message) -> CallbackTrigger:
    made = CallbackTrigger(message=asdict(message), aws_conn_id="aws_default", poll_seconds=0.05)
    path, arguments = made.serialize()
    again = resolve_name(path)(**json.loads(json.dumps(arguments)))  # as Airflow stores it
    assert isinstance(again, CallbackTrigger)
    assert again.serialize() == (path, arguments)
    return again


def told(message: callbacks.Message) -> list[dict[str, Any]]:
    """What is in the queue of a message."""
    sqs, found = boto3.client("sqs"), []
    while taken := sqs.receive_message(QueueUrl=message.queue_url).get("Messages"):
        found += [json.loads(each["Body"]) for each in taken]
    return found


def test_it_fires_with_the_answer(message: callbacks.Message) -> None:
    async def answered() -> Any:
        waiting = asyncio.ensure_future(anext(trigger(message).run()))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        outputs: Any = [{"Name": "labels", "Value": "s3://done"}]
        await asyncio.to_thread(
            boto3.client("sagemaker").send_pipeline_execution_step_success,
            CallbackToken=message.token,
            OutputParameters=outputs,
        )
        return (await waiting).payload

    answer = callbacks.Answer(**asyncio.run(answered()))
    assert answer == callbacks.Answer(succeeded=True, outputs={"labels": "s3://done"})


def test_a_look_that_fails_is_followed_by_the_next(
    message: callbacks.Message, aws_environment: LocalAWS
) -> None:
    boto3.client("sagemaker").send_pipeline_execution_step_failure(
        CallbackToken=message.token, FailureReason="no"
    )
    refused = {"Kind": "AccessDenied", "Operations": "ListPipelineExecutionSteps", "Times": 2}
    aws_environment.faults.add(refused)
    try:
        first: Any = anext(trigger(message).run())
        event = asyncio.run(first)
    finally:
        aws_environment.faults.replace()
    assert callbacks.Answer(**event.payload).reason == "no"


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.3])
def test_one_that_is_cancelled_at_any_moment_says_why(
    message: callbacks.Message, moment: float
) -> None:
    with pytest.raises(asyncio.CancelledError, match="user-action"):
        cancelling.waiting(trigger(message), moment)


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.3])
def test_the_queue_is_told_that_the_step_is_stopping_whoever_cancels_that(
    message: callbacks.Message, moment: float
) -> None:
    cancelling.killing(trigger(message), moment)
    first, last = told(message)
    assert (first["status"], last) == ("Executing", {**first, "status": "Stopping"})
