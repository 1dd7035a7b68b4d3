"""Messages in queues: moto has them, here they outlive the server.

A message is a file from when it is sent until it is deleted. After a restart it is sent again when
somebody first asks SQS: then it is visible, whoever had received it before, under another
MessageId. Requests of the older query protocol are passed on and not noted.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.calls import Call, body, called, signed_for
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.members import members
from airflow_sm_pipelines.local.remembered import Remembered, queue_name
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]


def remembered(moto: WSGIApp, folder: Path) -> WSGIApp:
    """The app of moto, with all of its services' that a folder keeps."""
    return Messages(Remembered(moto, folder), folder / "messages")


class Messages:
    """The app of SQS, whose messages are kept in a folder."""

    def __init__(self, app: WSGIApp, folder: Path) -> None:
        self._app = app
        self._shelf = Shelf(folder)
        self._lock = threading.Lock()
        self._resent = False
        self._received: dict[str, str] = {}  # receipt handle -> message id
        self._duplicates: dict[tuple[str, str], float] = {}  # what FIFO queues take once, and when

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if signed_for(environ) != "sqs":
            return self._app(environ, start_response)
        call = called(environ)
        authorization = environ["HTTP_AUTHORIZATION"]
        with self._lock:
            self._resend(authorization)
        if call.protocol != "json" or call.operation not in OPERATIONS:
            return self._app(environ, start_response)
        try:
            request = members(call, environ)
        except AwsError:  # moto says what is wrong with it
            return self._app(environ, start_response)
        if call.operation == RECEIVE:  # it may wait, so others do not wait for it
            response = self._answered(call, request, environ)
        else:
            with self._lock:
                response = self._answered(call, request, environ)
        return response(environ, start_response)

    def _answered(self, call: Call, request: Fields, environ: dict[str, Any]) -> Response:
        """What moto answers; what that means for the messages is noted."""
        body(environ)
        response = Response.from_app(self._app, environ, buffered=True)
        if response.status_code < 400:
            told = response.get_json(force=True, silent=True)
            OPERATIONS[call.operation](self, request, told if isinstance(told, dict) else {})
        return response

    def _resend(self, authorization: str) -> None:
        """Send what an earlier server's queues had, once."""
        if self._resent:
            return
        self._resent = True
        asked = partial(self._asked, authorization)
        # Once per queue: moto looks at every message for that.
        retention = cache(partial(_retention, asked))
        for identifier, message in sorted(self._shelf.all(), key=lambda row: str(row[1].get("At"))):
            try:
                seconds = retention(queue_name(message["Request"]["QueueUrl"]))
                if time.time_ns() < message["At"] + seconds * _SECOND:
                    sent = asked("SendMessage", message["Request"])["MessageId"]
                    self._shelf.put(sent, message)
                self._shelf.remove(identifier)
            except (AwsError, LookupError, TypeError) as error:
                logger.warning("message %s: not sent again: %s", identifier, error)

    def _asked(self, authorization: str, operation: str, request: Fields) -> Fields:
        """What SQS answers to a request of ours; raises `AwsError`."""
        response = Client(self._app).post(
            "/",
            "http://127.0.0.1",
            data=json.dumps(request),
            headers={
                "Authorization": authorization,
                "Content-Type": "application/x-amz-json-1.0",
                "X-Amz-Target": f"AmazonSQS.{operation}",
            },
        )
        told: Fields = response.get_json(force=True)
        if response.status_code >= 400:
            raise AwsError(str(told.get("__type")), str(told.get("message")))
        return told

    def _sent(self, request: Fields, told: Fields) -> None:
        self._put(told["MessageId"], request)

    def _batch_sent(self, request: Fields, told: Fields) -> None:
        identifiers = {each["Id"]: each["MessageId"] for each in told.get("Successful", ())}
        for entry in request["Entries"]:
            if entry["Id"] in identifiers:
                message = {key: entry[key] for key in entry if key != "Id"}
                self._put(identifiers[entry["Id"]], {**message, "QueueUrl": request["QueueUrl"]})

    def _put(self, identifier: str, request: Fields) -> None:
        if queue_name(request["QueueUrl"]).endswith(".fifo") and self._is_duplicate(request):
            return
        self._shelf.put(identifier, {"At": time.time_ns(), "Request": request})

    def _is_duplicate(self, request: Fields) -> bool:
        """Whether a FIFO queue has had the message, and does not take it again."""
        told = str(request.get("MessageDeduplicationId") or request["MessageBody"])
        key, moment = (queue_name(request["QueueUrl"]), told), time.monotonic()
        found = moment - self._duplicates.get(key, -_DUPLICATE_SECONDS) < _DUPLICATE_SECONDS
        if not found:
            self._duplicates[key] = moment
        return found

    def _taken(self, request: Fields, told: Fields) -> None:
        """Know the messages of a receipt; one of another queue's is in a dead-letter queue now."""
        for each in told.get("Messages", ()):
            self._received[each["ReceiptHandle"]] = each["MessageId"]
            with self._lock:
                kept = self._shelf.get(each["MessageId"])
                if kept and not _is_in(kept, request["QueueUrl"]):
                    moved = {**kept["Request"], "QueueUrl": request["QueueUrl"]}
                    self._shelf.put(each["MessageId"], {**kept, "Request": moved})

    def _deleted(self, request: Fields, _: Fields) -> None:
        if identifier := self._received.pop(request["ReceiptHandle"], ""):
            self._shelf.remove(identifier)

    def _batch_deleted(self, request: Fields, told: Fields) -> None:
        identifiers = {each["Id"] for each in told.get("Successful", ())}
        for entry in request["Entries"]:
            if entry["Id"] in identifiers:
                self._deleted(entry, {})

    def _emptied(self, request: Fields, _: Fields) -> None:
        for identifier, message in [*self._shelf.all()]:
            if _is_in(message, request["QueueUrl"]):
                self._shelf.remove(identifier)


def _retention(asked: Callable[[str, Fields], Fields], queue: str) -> int:
    """How many seconds a queue keeps a message."""
    which = {"QueueUrl": asked("GetQueueUrl", {"QueueName": queue})["QueueUrl"]}
    told = asked("GetQueueAttributes", {**which, "AttributeNames": [_RETENTION]})
    return int(told["Attributes"][_RETENTION])


def _is_in(message: Fields, queue_url: str) -> bool:
    return queue_name(message["Request"]["QueueUrl"]) == queue_name(queue_url)


RECEIVE = "ReceiveMessage"

_RETENTION = "MessageRetentionPeriod"
_DUPLICATE_SECONDS = 300.0
_SECOND = 1_000_000_000

OPERATIONS: dict[str, Callable[[Messages, Fields, Fields], None]] = {
    "DeleteMessage": Messages._deleted,
    "DeleteMessageBatch": Messages._batch_deleted,
    "DeleteQueue": Messages._emptied,
    "PurgeQueue": Messages._emptied,
    "ReceiveMessage": Messages._taken,
    "SendMessage": Messages._sent,
    "SendMessageBatch": Messages._batch_sent,
}
"""What an answer of moto's to an operation means for the messages that are kept."""
