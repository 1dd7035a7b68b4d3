"""Functions that the messages of a queue invoke."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.fakes import until

from .test_functions import ROLE, zipped

# What it is told goes to S3, where the test looks; it fails on messages that say so.
CODE = """
import boto3, json, os
def handler(event, context):
    failed = []
    for record in event["Records"]:
        if record["body"] == "fail":
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        key = f"{os.environ['PREFIX']}/{record['messageId']}"
        boto3.client("s3").put_object(Bucket=os.environ["BUCKET"], Key=key, Body=json.dumps(record))
    if failed and os.environ.get("WHOLE"):
        raise ValueError("a batch that fails")
    return {"batchItemFailures": failed}
"""


@pytest.fixture
def queue(client: Callable[[str], Any]) -> Iterator[tuple[str, str]]:
    """A queue, as its URL and its ARN."""
    sqs = client("sqs")
    url = sqs.create_queue(
        QueueName=f"queue-{uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "0"}
    )
    told = sqs.get_queue_attributes(QueueUrl=url["QueueUrl"], AttributeNames=["QueueArn"])
    yield url["QueueUrl"], told["Attributes"]["QueueArn"]
    sqs.delete_queue(QueueUrl=url["QueueUrl"])


@pytest.fixture
def function(client: Callable[[str], Any], name: str, bucket: str) -> Callable[..., str]:
    def made(**environment: str) -> str:
        client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role=ROLE,
            Handler="main.handler",
            Timeout=20,
            Code={"ZipFile": zipped(**{"main.py": CODE})},
            Environment={"Variables": {"BUCKET": bucket, "PREFIX": name, **environment}},
        )
        return name

    return made


@pytest.fixture
def mapped(client: Callable[[str], Any]) -> Iterator[Callable[..., dict[str, Any]]]:
    lambdas, made = client("lambda"), []

    def create(**request: Any) -> dict[str, Any]:
        told: dict[str, Any] = lambdas.create_event_source_mapping(**request)
        made.append(told["UUID"])
        return told

    yield create
    for each in lambdas.list_event_source_mappings()["EventSourceMappings"]:
        if each["UUID"] in made:
            lambdas.delete_event_source_mapping(UUID=each["UUID"])


@dataclass(frozen=True)
class Lab:
    """A queue without messages, and what makes functions and mappings."""

    client: Callable[[str], Any]
    function: Callable[..., str]
    mapped: Callable[..., dict[str, Any]]
    url: str
    arn: str
    bucket: str

    def send(self, text: str, **more: Any) -> str:
        """Put a message into the queue; its ID."""
        sent = self.client("sqs").send_message(QueueUrl=self.url, MessageBody=text, **more)
        return str(sent["MessageId"])

    def count(self) -> int:
        """How many messages are in the queue, those that somebody has taken included."""
        told = self.client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=["All"])
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(told["Attributes"][name]) for name in names)


@pytest.fixture
def lab(
    client: Callable[[str], Any],
    function: Callable[..., str],
    mapped: Callable[..., dict[str, Any]],
    queue: tuple[str, str],
    bucket: str,
) -> Lab:
    return Lab(client, function, mapped, *queue, bucket)


def test_a_message_invokes_the_function_and_is_gone(lab: Lab) -> None:
    name = lab.function()
    told = lab.mapped(EventSourceArn=lab.arn, FunctionName=name, BatchSize=1)
    assert (told["State"], told["BatchSize"]) == ("Creating", 1)
    kind = {"DataType": "String", "StringValue": "x"}
    message = lab.send("hello", MessageAttributes={"kind": kind})
    until(lambda: lab.count() == 0)
    key = f"{name}/{message}"
    record = json.loads(lab.client("s3").get_object(Bucket=lab.bucket, Key=key)["Body"].read())
    assert (record["body"], record["eventSource"], record["eventSourceARN"]) == (
        "hello",
        "aws:sqs",
        lab.arn,
    )
    assert record["messageAttributes"]["kind"]["stringValue"] == "x"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"


def test_only_the_messages_that_the_function_fails_on_stay(lab: Lab) -> None:
    lab.send("fail")
    lab.send("good")
    lab.mapped(
        EventSourceArn=lab.arn,
        FunctionName=lab.function(),
        FunctionResponseTypes=["ReportBatchItemFailures"],
    )
    until(lambda: lab.count() == 1)


def test_a_batch_that_fails_stays(lab: Lab) -> None:
    lab.send("fail")
    name = lab.function(WHOLE="yes")
    lab.mapped(EventSourceArn=lab.arn, FunctionName=name)
    logs = lab.client("logs")
    groups = {"logGroupNamePrefix": f"/aws/lambda/{name}"}
    until(lambda: logs.describe_log_groups(**groups)["logGroups"])
    assert lab.count() == 1


def test_a_mapping_is_described_listed_changed_and_deleted(lab: Lab) -> None:
    lambdas, name = lab.client("lambda"), lab.function()
    made = lab.mapped(EventSourceArn=lab.arn, FunctionName=name, Enabled=False)["UUID"]
    assert lambdas.get_event_source_mapping(UUID=made)["State"] == "Disabled"
    lab.send("late")
    (listed,) = lambdas.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    assert listed["UUID"] == made
    assert listed["FunctionArn"].endswith(f":function:{name}")
    assert lambdas.update_event_source_mapping(UUID=made, Enabled=True)["State"] == "Updating"
    until(lambda: lab.count() == 0)
    assert lambdas.delete_event_source_mapping(UUID=made)["State"] == "Deleting"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        lambdas.get_event_source_mapping(UUID=made)


def test_what_is_no_mapping_is_refused(lab: Lab) -> None:
    create, name = lab.client("lambda").create_event_source_mapping, lab.function()
    arn = lab.arn
    lab.mapped(EventSourceArn=lab.arn, FunctionName=name, Enabled=False)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"EventSourceArn": arn, "FunctionName": name}, "ResourceConflictException"),
        ({"EventSourceArn": arn, "FunctionName": "nobody"}, "ResourceNotFoundException"),
        (
            {"EventSourceArn": arn, "FunctionName": name, "BatchSize": 20_000},
            "1 validation error detected: .*batchSize",
        ),
        ({"EventSourceArn": f"{arn}-gone", "FunctionName": name}, "Error occurred while Receive"),
        (
            {
                "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/x",
                "FunctionName": name,
            },
            "only a queue of SQS is a source",
        ),
        (
            {
                "EventSourceArn": arn,
                "FunctionName": name,
                "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
            },
            "filters no messages",
        ),
    ]
    for request, reason in refused:
        with pytest.raises(ClientError, match=reason):
            create(**request)


def test_a_queue_that_is_gone_does_not_end_the_others(lab: Lab) -> None:
    sqs, name = lab.client("sqs"), lab.function()
    gone = sqs.create_queue(QueueName=f"gone-{uuid4().hex[:8]}")["QueueUrl"]
    told = sqs.get_queue_attributes(QueueUrl=gone, AttributeNames=["QueueArn"])
    lab.mapped(EventSourceArn=told["Attributes"]["QueueArn"], FunctionName=name)
    sqs.delete_queue(QueueUrl=gone)
    lab.mapped(EventSourceArn=lab.arn, FunctionName=name)
    lab.send("good")
    until(lambda: lab.count() == 0)
