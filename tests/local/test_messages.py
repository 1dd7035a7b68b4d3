"""What is kept of messages in queues, and sent again. A killed server: `test_killed`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.calls import operations
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.messages import OPERATIONS, remembered
from airflow_sm_pipelines.local.transport import connect

from .killed import SESSION


def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    return list(sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ()))


@pytest.fixture
def sqs(tmp_path: Path) -> Any:
    """A client of an SQS whose messages are kept below a folder."""
    made = SESSION.client("sqs")
    connect(made, remembered(Moto(), tmp_path))
    return made


@pytest.fixture
def queue(sqs: Any, name: str) -> str:
    return str(sqs.create_queue(QueueName=name)["QueueUrl"])


@pytest.fixture
def kept(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """The bodies of what is kept, and the name of the queue of each."""

    def look() -> dict[str, str]:
        requests = [value["Request"] for _, value in Shelf(tmp_path / "messages").all()]
        return {each["MessageBody"]: each["QueueUrl"].rpartition("/")[2] for each in requests}

    return look


def test_a_deleted_message_is_not_kept(sqs: Any, queue: str, kept: Callable[[], Any]) -> None:
    for body in ("a", "b", "c"):
        sqs.send_message(QueueUrl=queue, MessageBody=body)
    assert set(kept()) == {"a", "b", "c"}
    first, *others = received(sqs, queue)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=first["ReceiptHandle"])
    assert set(kept()) == {"b", "c"}
    entries = [{"Id": each["MessageId"], "ReceiptHandle": each["ReceiptHandle"]} for each in others]
    sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    assert kept() == {}


@pytest.mark.parametrize("operation", ["purge_queue", "delete_queue"])
def test_what_empties_a_queue_leaves_the_others(
    sqs: Any, queue: str, kept: Callable[[], Any], name: str, operation: str
) -> None:
    other = sqs.create_queue(QueueName=f"{name}-other")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="a")
    sqs.send_message(QueueUrl=other, MessageBody="b")
    getattr(sqs, operation)(QueueUrl=queue)
    assert kept() == {"b": f"{name}-other"}


def test_a_message_is_where_its_queue_has_put_it_at_last(
    sqs: Any, queue: str, kept: Callable[[], Any], name: str
) -> None:
    dead = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    policy = f'{{"deadLetterTargetArn": "{dead}", "maxReceiveCount": 1}}'
    attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "0"}
    source = sqs.create_queue(QueueName=f"{name}-source", Attributes=attributes)["QueueUrl"]
    sqs.send_message(QueueUrl=source, MessageBody="a")
    assert len(received(sqs, source)) == 1
    assert received(sqs, source) == []
    assert kept() == {"a": f"{name}-source"}
    assert len(received(sqs, queue)) == 1
    assert kept() == {"a": name}


def test_what_a_fifo_queue_does_not_take_twice_is_kept_once(
    sqs: Any, tmp_path: Path, name: str
) -> None:
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for token in ("1", "1", "2"):
        sqs.send_message(
            QueueUrl=url, MessageBody="a", MessageGroupId="g", MessageDeduplicationId=token
        )
    assert len([*Shelf(tmp_path / "messages").all()]) == 2


def test_a_message_that_its_queue_would_have_dropped_is_not_sent_again(
    sqs: Any, queue: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(tmp_path / "messages")
    message = {"Request": {"QueueUrl": queue, "MessageBody": "a"}}
    shelf.put("old", {"At": 1, **message})
    shelf.put("damaged", {"At": "1"})
    shelf.put("lost", {"At": 2, "Request": {**message["Request"], "QueueUrl": "http://x/1/no"}})
    another = SESSION.client("sqs")
    connect(another, remembered(Moto(), tmp_path))
    assert received(another, queue) == []
    assert {name for name, _ in shelf.all()} == {"damaged", "lost"}
    assert "message damaged: not sent again" in caplog.text
    assert "message lost: not sent again: com.amazonaws.sqs#QueueDoesNotExist" in caplog.text


def test_rows_are_operations_of_sqs() -> None:
    assert set(OPERATIONS) <= set(operations("sqs") or ())
