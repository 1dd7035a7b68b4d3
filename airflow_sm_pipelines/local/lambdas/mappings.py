"""Event source mappings: queues whose messages invoke a function, as callbacks of pipelines do.

While there is one, a thread asks each queue for messages, and deletes those of a batch that the
function has taken; what it fails on is visible again after the queue's visibility timeout. Only
queues of SQS are a source here.
"""

import functools
import json
import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.control.disruption import Answer
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.lambdas.functions import Functions
from airflow_sm_pipelines.local.members import checked

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSource:
    """One mapping, as it was made and changed."""

    id: str
    source: str
    queue: str
    function: str
    batch: int
    enabled: bool
    modified: float
    per_item: bool
    """Whether the function answers which messages of a batch it has failed on."""

    def describe(self, state: str = "") -> dict[str, Any]:
        """As GetEventSourceMapping answers."""
        return {
            "UUID": self.id,
            "EventSourceArn": self.source,
            "FunctionArn": self.function,
            "BatchSize": self.batch,
            "MaximumBatchingWindowInSeconds": 0,
            "State": state or ("Enabled" if self.enabled else "Disabled"),
            "StateTransitionReason": "USER_INITIATED",
            "LastModified": self.modified,
            "FunctionResponseTypes": [PER_ITEM] if self.per_item else [],
        }


class Mappings:
    """The mappings of a server; `sqs` makes a client of its queues, when there is one to ask.

    On the shelf they outlive the server.
    """

    def __init__(self, functions: Functions, *, sqs: Callable[[], Any], shelf: Shelf) -> None:
        self._functions = functions
        self._client = sqs
        self._shelf = shelf
        self._told: set[str] = set()
        self._mappings = {each.id: each for each in _earlier(shelf)}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if self._mappings:
            self._start_asking()

    def concern(self, call: Call) -> bool:
        """Whether a request is one that is answered here."""
        return call.service == "lambda" and call.operation in OPERATIONS

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request."""
        try:
            told, status = OPERATIONS[call.operation](self, checked(call, environ))
        except AwsError as error:
            refused = json_error(error.code, error.message, error.status)
            return Answer(response=refused, outcome=error.code)
        content = json.dumps(told)
        response = Response(content, status=status, content_type="application/json")
        return Answer(response=response, effect=environ["REQUEST_METHOD"] != "GET")

    def close(self, *, grace_seconds: float) -> None:
        """Ask no queue any more; a function that runs is ended by `Functions`."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _create(self, request: Fields) -> tuple[Fields, int]:
        source = str(request.get("EventSourceArn") or "")
        _check(request, source)
        queue = self._queue_url(source)
        function = self._functions.arn(request["FunctionName"])
        made = EventSource(
            id=str(uuid.uuid4()),
            source=source,
            queue=queue,
            function=function,
            batch=request.get("BatchSize", 10),
            enabled=request.get("Enabled", True),
            modified=now().timestamp(),
            per_item=PER_ITEM in (request.get("FunctionResponseTypes") or ()),
        )
        with self._lock:
            for each in self._mappings.values():
                if (each.source, each.function) == (source, function):
                    raise AwsError(
                        "ResourceConflictException",
                        f'The event source arn (" {source} ") and function (" {function} ") '
                        f"provided mapping already exists. Please update or delete the existing "
                        f"mapping with UUID {each.id}",
                        409,
                    )
            self._put(made)
            self._start_asking()
        return made.describe("Creating"), 202

    def _get(self, request: Fields) -> tuple[Fields, int]:
        return self._named(request).describe(), 200

    def _list(self, request: Fields) -> tuple[Fields, int]:
        source, function = (request.get(key, "") for key in ("EventSourceArn", "FunctionName"))
        arn = self._functions.arn(function) if function else ""
        listed = [
            each.describe()
            for each in [*self._mappings.values()]
            if source in ("", each.source) and arn in ("", each.function)
        ]
        return {"EventSourceMappings": listed}, 200

    def _update(self, request: Fields) -> tuple[Fields, int]:
        found = self._named(request)
        _check(request, found.source)
        changed = replace(
            found,
            batch=request.get("BatchSize", found.batch),
            enabled=request.get("Enabled", found.enabled),
            modified=now().timestamp(),
        )
        with self._lock:
            self._put(changed)
        return changed.describe("Updating"), 202

    def _delete(self, request: Fields) -> tuple[Fields, int]:
        found = self._named(request)
        with self._lock:
            self._mappings.pop(found.id, None)
            self._shelf.remove(found.id)
        return found.describe("Deleting"), 202

    def _put(self, mapping: EventSource) -> None:
        self._mappings[mapping.id] = mapping
        self._shelf.put(mapping.id, asdict(mapping))

    def _named(self, request: Fields) -> EventSource:
        found = self._mappings.get(request["UUID"])
        if found is None:
            raise AwsError(
                "ResourceNotFoundException", "The resource you requested does not exist.", 404
            )
        return found

    @functools.cached_property
    def _sqs(self) -> Any:
        return self._client()

    def _queue_url(self, source: str) -> str:
        try:
            url: str = self._sqs.get_queue_url(QueueName=source.rpartition(":")[2])["QueueUrl"]
        except ClientError as error:
            message = f"Error occurred while ReceiveMessage. {error.response['Error']['Message']}"
            raise AwsError("InvalidParameterValueException", message) from error
        return url

    def _start_asking(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._ask, name="Mappings", daemon=True)
            self._thread.start()

    def _ask(self) -> None:
        """Take messages from all queues, until the end of the server."""
        while not self._closed.wait(POLL_SECONDS):
            for mapping in [*self._mappings.values()]:
                if mapping.enabled:
                    self._take(mapping)

    def _take(self, mapping: EventSource) -> None:
        try:
            received = self._sqs.receive_message(
                QueueUrl=mapping.queue,
                MaxNumberOfMessages=min(mapping.batch, MOST_AT_ONCE),
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = received.get("Messages", [])
            if messages:
                self._hand_over(mapping, messages)
            self._told.discard(mapping.id)
        except (AwsError, ClientError) as error:
            if mapping.id not in self._told:  # or it would be said five times a second
                logger.warning("%s for %s: %s", mapping.source, mapping.function, error)
            self._told.add(mapping.id)

    def _hand_over(self, mapping: EventSource, messages: list[Fields]) -> None:
        """Invoke the function with a batch of messages, and delete those that it has taken."""
        event = {"Records": [_record(mapping, message) for message in messages]}
        result = self._functions.call(mapping.function, event)
        if result.error:
            logger.warning("%s failed on %s: %s", mapping.function, mapping.source, result.payload)
            return
        failed = _failed(result.payload) if mapping.per_item else set()
        for message in messages:
            if message["MessageId"] not in failed:
                self._sqs.delete_message(
                    QueueUrl=mapping.queue, ReceiptHandle=message["ReceiptHandle"]
                )


def _earlier(shelf: Shelf) -> Iterator[EventSource]:
    """The mappings of an earlier server; what is none is told."""
    for name, value in shelf.all():
        try:
            yield EventSource(**value)
        except TypeError as error:
            logger.warning("mapping %s: left out: %r", name, error)


def _check(request: Fields, source: str) -> None:
    """Refuse what is not done here."""
    if not QUEUE.fullmatch(source):
        message = f"EventSourceArn {source!r}: only a queue of SQS is a source in the local AWS"
        raise AwsError("InvalidParameterValueException", message)
    if (request.get("FilterCriteria") or {}).get("Filters"):
        message = "FilterCriteria: the local AWS filters no messages; leave it out"
        raise AwsError("InvalidParameterValueException", message)


def _record(mapping: EventSource, message: Fields) -> dict[str, Any]:
    """A message as Lambda gives it to a function."""
    attributes = {
        name: {
            **{f"{key[0].lower()}{key[1:]}": value for key, value in given.items()},
            "stringListValues": [],
            "binaryListValues": [],
        }
        for name, given in (message.get("MessageAttributes") or {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes") or {}),
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": mapping.source,
        "awsRegion": mapping.source.split(":")[3],
    }


def _failed(payload: str) -> set[str]:
    """The messages that a function says it has failed on."""
    told = json.loads(payload or "null") or {}
    failures = told.get("batchItemFailures") or () if isinstance(told, dict) else ()
    return {str(each.get("itemIdentifier")) for each in failures}


PER_ITEM = "ReportBatchItemFailures"
QUEUE = re.compile(r"arn:aws[\w-]*:sqs:[\w-]+:\d{12}:[\w.-]+")
MOST_AT_ONCE = 10  # of ReceiveMessage
POLL_SECONDS = 0.2

OPERATIONS: dict[str, Callable[[Mappings, Fields], tuple[Fields, int]]] = {
    "CreateEventSourceMapping": Mappings._create,
    "GetEventSourceMapping": Mappings._get,
    "ListEventSourceMappings": Mappings._list,
    "UpdateEventSourceMapping": Mappings._update,
    "DeleteEventSourceMapping": Mappings._delete,
}
