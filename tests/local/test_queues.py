"""SQS in the local AWS, as a consumer of a Callback step's queue uses it; the service is moto's."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from airflow_sm_pipelines.local import LocalAWS

CONSUMER = """
import json, sys
import boto3

sqs = boto3.client("sqs")
url = sqs.get_queue_url(QueueName=sys.argv[1])["QueueUrl"]
(message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
print(json.loads(message["Body"])["token"])
"""


@pytest.fixture
def sqs(client: Callable[[str], Any]) -> Any:
    return client("sqs")


@pytest.fixture
def queue(sqs: Any, name: str) -> str:
    return str(sqs.create_queue(QueueName=name)["QueueUrl"])


def test_the_url_of_a_queue_leads_to_this_server(queue: str, name: str, aws: LocalAWS) -> None:
    assert queue == f"{aws.endpoint_url}/123456789012/{name}"


def test_a_consumer_with_the_variables_of_the_server_takes_a_message(
    sqs: Any, queue: str, name: str, aws: LocalAWS
) -> None:
    body = {"token": "26vcYbeWsZ", "arguments": {"number": 5}, "status": "Executing"}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    consumer = subprocess.run(
        [sys.executable, "-c", CONSUMER, name],
        env={"PATH": os.environ["PATH"], **aws.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert consumer.stdout == "26vcYbeWsZ\n"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)


def test_a_message_that_is_not_deleted_comes_again(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="once more")
    for _ in range(2):
        received = sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)
        assert received["Messages"][0]["Body"] == "once more"
