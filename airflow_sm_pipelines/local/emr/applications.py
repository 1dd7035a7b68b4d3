"""The applications of EMR Serverless: recorded and kept; an application has no workers.

To answer another operation, write its method and add a row to `OPERATIONS`.
"""

import logging
import random
import string
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_sm_pipelines.local.account import Account, now
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.kept import Shelf

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]

Told = tuple[Fields, bool]
"""What is answered, and whether something was made or changed."""


class Applications:
    """All applications, which outlive the server on a shelf; by id, the oldest first."""

    def __init__(self, account: Account, shelf: Shelf) -> None:
        self._prefix = f"arn:aws:emr-serverless:{account.region}:{account.id}:/applications/"
        self._shelf = shelf
        self._lock = threading.RLock()
        self._loaded = False
        self._records: dict[str, Fields] = {}

    def create(self, request: Fields) -> Told:
        """A new application, or the one that the same token has made."""
        if request["type"].upper() not in ENGINES:
            raise AwsError("ValidationException", f"Unsupported engine {request['type']}")
        with self._lock:
            for record in self._known().values():
                if record["Request"]["clientToken"] == request["clientToken"]:
                    check_token("CreateApplication", record["Request"], request)
                    return _made(record["Application"]), False
            application = self._described(request)
            self._put(application, request)
        return _made(application), True

    def describe(self, identifier: str) -> Fields:
        """An application as GetApplication tells it."""
        with self._lock:
            record = self._known().get(identifier)
        if record is None:
            message = f"Application {identifier} does not exist"
            raise AwsError("ResourceNotFoundException", message, 404)
        application: Fields = record["Application"]
        return application

    def for_run(self, identifier: str) -> Fields:
        """The application of a new job run, which starts it where it has not been started."""
        application = self.describe(identifier)
        if application["state"] == "TERMINATED":
            message = f"Application {identifier} is terminated. Cannot start job run."
            raise AwsError("ValidationException", message)
        return self._change(identifier, state="STARTED")

    def tag(self, arn: str, change: Callable[[Fields], Fields]) -> None:
        """Change the tags of the application of an ARN."""
        identifier = arn.removeprefix(self._prefix)
        with self._lock:
            self._change(identifier, tags=change(self.describe(identifier).get("tags") or {}))

    def tags(self, arn: str) -> Fields:
        """The tags of the application of an ARN."""
        tags: Fields = self.describe(arn.removeprefix(self._prefix)).get("tags") or {}
        return tags

    def _get(self, request: Fields) -> Told:
        return {"application": wire(self.describe(request["applicationId"]))}, False

    def _list(self, request: Fields) -> Told:
        with self._lock:
            applications = [record["Application"] for record in self._known().values()]
        states = request.get("states")
        rows = [
            {"id": each["applicationId"], **{key: each[key] for key in SUMMARY if key in each}}
            for each in applications
            if not states or each["state"] in states
        ]
        return page("applications", [wire(row) for row in rows], request), False

    def _update(self, request: Fields) -> Told:
        others = {"applicationId", "clientToken"}
        changes = {key: value for key, value in request.items() if key not in others}
        with self._lock:
            self._check_state(request["applicationId"])
            return {"application": wire(self._change(request["applicationId"], **changes))}, True

    def _delete(self, request: Fields) -> Told:
        with self._lock:
            self._check_state(request["applicationId"])
            self._change(request["applicationId"], state="TERMINATED")
        return {}, True

    def _start(self, request: Fields) -> Told:
        self._change(request["applicationId"], state="STARTED")
        return {}, True

    def _stop(self, request: Fields) -> Told:
        self._change(request["applicationId"], state="STOPPED")
        return {}, True

    def _check_state(self, identifier: str) -> None:
        """Refuse what can be done to an application at rest only; the wording is moto's."""
        state = self.describe(identifier)["state"]
        if state not in {"CREATED", "STOPPED"}:
            raise AwsError(
                "ValidationException",
                f"Application {identifier} must be in one of the following statuses "
                f"[CREATED, STOPPED]. Current status: {state}",
            )

    def _described(self, request: Fields) -> dict[str, Any]:
        identifier = f"00{''.join(random.choices(string.ascii_lowercase + string.digits, k=14))}"
        moment = now()
        return {
            **{key: value for key, value in request.items() if key != "clientToken"},
            "applicationId": identifier,
            "arn": f"{self._prefix}{identifier}",
            "type": request["type"].capitalize(),
            "state": "CREATED",
            "stateDetails": "",
            "createdAt": moment,
            "updatedAt": moment,
            "autoStartConfiguration": request.get("autoStartConfiguration") or {"enabled": True},
            "autoStopConfiguration": request.get("autoStopConfiguration") or IDLE,
            "architecture": request.get("architecture") or "X86_64",
            "tags": request.get("tags") or {},
        }

    def _change(self, identifier: str, **changes: Any) -> Fields:
        with self._lock:
            before = self.describe(identifier)
            if all(before.get(key) == value for key, value in changes.items()):
                return before
            after = {**before, **changes, "updatedAt": now()}
            self._put(after, self._records[identifier]["Request"])
        return after

    def _put(self, application: Fields, request: Fields) -> None:
        record = {"Application": application, "Request": request}
        self._known()[application["applicationId"]] = record
        self._shelf.put(application["applicationId"], record)

    def _known(self) -> dict[str, Fields]:
        """All records, those of an earlier server read when somebody first asks."""
        if not self._loaded:
            self._loaded = True
            rows = [(name, value) for name, value in self._shelf.all() if self._is_own(name, value)]
            rows.sort(key=lambda row: row[1]["Application"]["createdAt"])
            self._records = dict(rows)
        return self._records

    def _is_own(self, name: str, value: Fields) -> bool:
        """Whether it is an application of this region; what is none is told."""
        try:
            application, token = value["Application"], value["Request"]["clientToken"]
            if isinstance(application["createdAt"], datetime) and isinstance(token, str):
                return bool(application["arn"] == f"{self._prefix}{name}")
        except (LookupError, TypeError):
            pass
        logger.warning("application %s: left out: it is none", name)
        return False


def check_token(operation: str, before: Fields, request: Fields) -> None:
    """Refuse a token that has been used for another request.

    That it is refused is inferred: ConflictException is among the errors of these operations.
    """
    if before != request:
        token = request["clientToken"]
        message = f"{operation}: token {token!r} has been used for a different request"
        raise AwsError("ConflictException", message, 409)


def page(member: str, rows: Sequence[Fields], request: Fields) -> dict[str, Any]:
    """A page of rows; the token is where the next one begins."""
    start, size = int(request.get("nextToken") or 0), int(request.get("maxResults") or PAGE)
    more = {"nextToken": str(start + size)} if len(rows) > start + size else {}
    return {member: rows[start : start + size], **more}


def wire(fields: Fields) -> dict[str, Any]:
    """What is described, with times as they are sent."""
    return {
        key: value.timestamp() if isinstance(value, datetime) else value
        for key, value in fields.items()
    }


def _made(application: Fields) -> dict[str, Any]:
    """What CreateApplication answers."""
    return {key: application[key] for key in ("applicationId", "name", "arn") if key in application}


ENGINES = frozenset({"SPARK", "HIVE"})
PAGE = 50
SUMMARY = (
    "name",
    "arn",
    "releaseLabel",
    "type",
    "state",
    "stateDetails",
    "createdAt",
    "updatedAt",
    "architecture",
)
# EMR Serverless's default; nothing here stops an application that is idle.
IDLE = {"enabled": True, "idleTimeoutMinutes": 15}

OPERATIONS: dict[str, Callable[[Applications, Fields], Told]] = {
    "CreateApplication": Applications.create,
    "DeleteApplication": Applications._delete,
    "GetApplication": Applications._get,
    "ListApplications": Applications._list,
    "StartApplication": Applications._start,
    "StopApplication": Applications._stop,
    "UpdateApplication": Applications._update,
}
