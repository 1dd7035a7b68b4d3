"""What moto's services have been told: moto has it in memory, here it outlives the server.

The requests that made a resource what it is are kept in a file of the resource, and sent to moto
again, oldest first, before the first request to their service. So what moto draws by chance and
its times are new ones; names, ARNs and URLs are those of before.

To keep more: a row of `CHANGES`.
"""

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import Client
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.calls import Call, body, called, signed_for
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.members import members
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an operation changes: a resource, or a part of one.

    `of` are the members that name it, the resource's own first. Without `drops` the request is
    kept; with it all that was kept of it goes.
    """

    kind: str
    of: tuple[str, ...]
    drops: bool = False
    unless: str = ""
    """A member with which it is not the whole that goes."""
    settles: bool = False
    """Whether it makes something of what the resource is at that moment."""


class Remembered:
    """The app of moto, whose services know again what an earlier server's have been told."""

    def __init__(self, app: WSGIApp, folder: Path) -> None:
        self._app = app
        self._folder = folder
        self._lock = threading.RLock()
        self._told: set[str] = set()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        service = signed_for(environ)
        if service not in CHANGES:
            return self._app(environ, start_response)
        self._tell(service)
        call = called(environ)
        change = CHANGES[service].get(call.operation)
        if change is None:
            return self._app(environ, start_response)
        with self._lock:
            response = self._changed(call, change, environ)
        return response(environ, start_response)

    def _changed(self, call: Call, change: Change, environ: dict[str, Any]) -> Response:
        """What moto answers to a change, which is noted where it has taken effect."""
        content = body(environ)
        try:
            said = members(call, environ)
        except AwsError:  # moto says what is wrong with it
            return Response.from_app(self._app, environ, buffered=True)
        response = Response.from_app(self._app, environ, buffered=True)
        if response.status_code < 400:
            self._note(call, change, said, _sendable(environ, content))
        return response

    def _note(self, call: Call, change: Change, said: Fields, request: Fields) -> None:
        name, *part = (NAMES.get(member, _plain(member))(said) for member in change.of)
        resource, shelf = f"{change.kind} {name}", Shelf(self._folder / call.service)
        before = (shelf.get(resource) or {"Requests": []})["Requests"]
        if change.drops and not said.get(change.unless):
            after = [each for each in before if each["Part"][: len(part)] != part]
        else:
            added = {
                "At": time.time_ns(),
                "Operation": call.operation,
                "Part": part,
                "Settles": change.settles or said.get("Publish") is True,
                "Said": sorted(_said(said)),
                **request,
            }
            after = [*_outlasting(before, added), added]
        if after:
            shelf.put(resource, {"Requests": after})
        else:
            shelf.remove(resource)

    def _tell(self, service: str) -> None:
        """Let moto know what is kept of a service, once."""
        with self._lock:
            if service in self._told:
                return
            self._told.add(service)
            for needed in NEEDED.get(service, ()):
                self._tell(needed)
            for name, request in _in_order(Shelf(self._folder / service)):
                self._send(service, name, request)

    def _send(self, service: str, name: str, request: Fields) -> None:
        scope = f"local/20000101/{request['Region']}/{service}/aws4_request"
        # By address: moto takes names of hosts for names of services.
        response = Client(self._app).open(
            request["Path"],
            "http://127.0.0.1",
            method=request["Method"],
            query_string=request["Query"],
            data=request["Body"],
            headers={**request["Headers"], "Authorization": f"{_SIGNED} Credential={scope}"},
        )
        if response.status_code >= 400:
            told = response.get_data(as_text=True)
            logger.warning("%s: %s: not as before: %s", name, request["Operation"], told)


def _sendable(environ: Fields, content: bytes) -> dict[str, Any]:
    """What is to be sent again of a request: all but its signature."""
    named = {"Content-Type": "CONTENT_TYPE", "X-Amz-Target": "HTTP_X_AMZ_TARGET"}
    region = _REGION.search(environ["HTTP_AUTHORIZATION"])
    return {
        "Region": region[1] if region else "us-east-1",
        "Method": environ["REQUEST_METHOD"],
        "Path": environ["PATH_INFO"],
        "Query": environ.get("QUERY_STRING", ""),
        "Headers": {name: environ[key] for name, key in named.items() if environ.get(key)},
        "Body": content.decode(),
    }


def _outlasting(before: Sequence[Fields], added: Fields) -> Iterator[Fields]:
    """The requests that one more of them does not make needless.

    It says all that an earlier one of the same operation said, and nothing was made of that since.
    The first one has made the resource.
    """
    settled = max((n for n, each in enumerate(before) if each["Settles"]), default=0)
    for number, each in enumerate(before):
        same = all(each[key] == added[key] for key in ("Operation", "Part"))
        if number <= settled or not same or not set(each["Said"]) <= set(added["Said"]):
            yield each


def _said(value: Any, where: str = "") -> Iterator[str]:
    """What a request says, so that what has the same place is the same whatever its value.

    Elements of lists are told apart by what they are, not by their place.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _said(inner, f"{where}/{key}")
    elif isinstance(value, list):
        yield from (f"{where}/={json.dumps(each, sort_keys=True)}" for each in value)
    elif any(word.isdigit() for word in where.split(".")):  # a list of the query protocol
        yield f"{where}={value}"
    else:
        yield where


def _in_order(shelf: Shelf) -> list[tuple[str, Fields]]:
    """All requests of a shelf with the names of their resources, the oldest first."""
    found = []
    for name, value in shelf.all():
        try:
            requests = value["Requests"]
            if all(each.keys() >= _SENT and isinstance(each["At"], int) for each in requests):
                found += [(name, each) for each in requests]
                continue
        except (LookupError, TypeError, AttributeError):
            pass
        logger.warning("%s: left out: it is no list of requests", name)
    return sorted(found, key=lambda row: row[1]["At"])


def _plain(member: str) -> Callable[[Fields], str]:
    return lambda said: str(said.get(member, ""))


def _function(given: str) -> str:
    """The name of a function that is given by it, by its ARN or a part of that."""
    return given.rpartition("function:")[2].partition(":")[0]


def queue_name(url: str) -> str:
    """The name of a queue, which ends its URL."""
    return url.rstrip("/").rpartition("/")[2]


def _policy(said: Fields) -> str:
    """Path and name of a policy: all that is its own in its ARN."""
    if "PolicyArn" in said:
        return str(said["PolicyArn"]).partition(":policy")[2]
    return f"{said.get('Path', '/')}{said['PolicyName']}"


_SIGNED = "AWS4-HMAC-SHA256"
_REGION = re.compile(r"Credential=[^,\s]*/\d{8}/([\w-]+)/")
_SENT = frozenset({"At", "Region", "Operation", "Method", "Path", "Query", "Headers", "Body"})

NAMES: dict[str, Callable[[Fields], str]] = {
    "FunctionName": lambda said: _function(said["FunctionName"]),
    "Resource": lambda said: _function(said["Resource"]),
    "QueueUrl": lambda said: queue_name(said["QueueUrl"]),
    "Policy": _policy,
}
"""How a request names a resource; other members are names as they are."""


def _rows(kind: str, of: tuple[str, ...], *, keep: str, drop: str = "") -> dict[str, Change]:
    """Rows of operations that change the same: the names of those that are kept, that drop."""
    kept = {name: Change(kind=kind, of=of) for name in keep.split()}
    return kept | {name: Change(kind=kind, of=of, drops=True) for name in drop.split()}


CHANGES: dict[str, dict[str, Change]] = {
    "iam": {
        **_rows("policy", ("Policy",), keep="CreatePolicy TagPolicy UntagPolicy"),
        **_rows("policy", ("Policy",), keep="SetDefaultPolicyVersion", drop="DeletePolicy"),
        **_rows("policy", ("Policy",), keep="CreatePolicyVersion DeletePolicyVersion"),
        **_rows("role", ("RoleName",), keep="CreateRole UpdateRole", drop="DeleteRole"),
        **_rows("role", ("RoleName",), keep="UpdateRoleDescription UpdateAssumeRolePolicy"),
        **_rows("role", ("RoleName",), keep="TagRole UntagRole"),
        **_rows(
            "role",
            ("RoleName", "PolicyName"),
            keep="PutRolePolicy",
            drop="DeleteRolePolicy",
        ),
        **_rows(
            "role",
            ("RoleName", "PolicyArn"),
            keep="AttachRolePolicy",
            drop="DetachRolePolicy",
        ),
    },
    "lambda": {
        **_rows("function", ("FunctionName",), keep="CreateFunction UpdateFunctionCode"),
        **_rows("function", ("FunctionName",), keep="UpdateFunctionConfiguration"),
        **_rows("function", ("FunctionName",), keep="PutFunctionConcurrency"),
        **_rows("function", ("FunctionName",), keep="DeleteFunctionConcurrency"),
        **_rows("function", ("Resource",), keep="TagResource UntagResource"),
        **_rows(
            "function", ("FunctionName", "Name"), keep="CreateAlias UpdateAlias", drop="DeleteAlias"
        ),
        **_rows(
            "function",
            ("FunctionName", "StatementId"),
            keep="AddPermission",
            drop="RemovePermission",
        ),
        "DeleteFunction": Change(
            kind="function", of=("FunctionName",), drops=True, unless="Qualifier"
        ),
        "PublishVersion": Change(kind="function", of=("FunctionName",), settles=True),
    },
    "sqs": {
        **_rows("queue", ("QueueName",), keep="CreateQueue"),
        **_rows("queue", ("QueueUrl",), keep="SetQueueAttributes", drop="DeleteQueue"),
        **_rows("queue", ("QueueUrl",), keep="TagQueue UntagQueue"),
        **_rows("queue", ("QueueUrl", "Label"), keep="AddPermission", drop="RemovePermission"),
    },
}
"""The operations that change what is kept, by service."""

NEEDED: dict[str, tuple[str, ...]] = {"lambda": ("iam",)}
"""Services that have to know theirs before one does: a function's role is looked up."""
