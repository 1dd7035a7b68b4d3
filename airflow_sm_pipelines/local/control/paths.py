"""What tests tell and ask the local AWS itself, outside AWS's protocols: `/_local/<what>`.

Of what can be set, GET answers with what is set, PUT sets it anew, POST adds to it, DELETE clears
it; of what is recorded, GET answers with the record and DELETE clears it. Each answers with what is
there then. To add a part: a `Settable` or a `Record`, and its row in `server.py`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local.errors import LocalError

# No S3 bucket can have this name, so no request of AWS's protocols begins like it.
_PREFIX = "/_local/"


class Settable(Protocol):
    """What can be set; documents that are wrong raise `LocalError`, one problem a line."""

    def documents(self) -> Iterable[Mapping[str, Any]]:
        """What is set, as it was written."""

    def add(self, *documents: object) -> None:
        """Set more."""

    def replace(self, *documents: object) -> None:
        """Set this and nothing else."""


class Record(Protocol):
    """What has happened."""

    def documents(self) -> Iterable[Mapping[str, Any]]:
        """What has happened, one by one."""

    def counts(self) -> Mapping[str, int]:
        """How often what has happened."""

    def clear(self) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is behind one path: what is there, and what each method does before it answers so."""

    content: Callable[[], Mapping[str, Any]]
    methods: Mapping[str, Callable[[Request], None]]


def settable(key: str, settable: Settable) -> Part:
    """What can be set; `key` is that of the list in bodies."""
    return Part(
        content=lambda: {key: list(settable.documents())},
        methods={
            "GET": _read,
            "PUT": lambda request: settable.replace(*_documents(request, key)),
            "POST": lambda request: settable.add(*_documents(request, key)),
            "DELETE": lambda _: settable.replace(),
        },
    )


def record(key: str, record: Record) -> Part:
    """What is recorded; `key` is that of the list in answers, which have `Counts` beside it."""
    return Part(
        content=lambda: {key: list(record.documents()), "Counts": record.counts()},
        methods={"GET": _read, "DELETE": lambda _: record.clear()},
    )


class Control:
    """The parts, by the last part of their path."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts

    def answers(self, path: str) -> bool:
        """Whether a request of that path is not AWS's."""
        return path.startswith(_PREFIX)

    def answer(self, request: Request) -> Response:
        """What a request sets or asks for, or what is wrong with it."""
        name = request.path.removeprefix(_PREFIX)
        part = self._parts.get(name)
        if part is None:
            known = ", ".join(f"{_PREFIX}{each}" for each in self._parts)
            return _refusal(404, [f"{request.path}: nothing is there; it would be {known}"])
        if request.method not in part.methods:
            allowed = ", ".join(part.methods)
            return _refusal(
                405,
                [f"{request.method} {request.path}: not answered; it would be one of {allowed}"],
            )
        try:
            part.methods[request.method](request)
        except LocalError as error:
            return _refusal(400, str(error).splitlines())
        return _json(200, part.content())


def _read(request: Request) -> None:
    """Change nothing: what is there is the answer to every method."""


def _documents(request: Request, key: str) -> list[object]:
    """The list in a request's body, `{"Scripts": [...]}`."""
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise LocalError(f"$: no JSON ({error}); it would be an object with {key}") from error
    if not isinstance(body, dict) or set(body) != {key} or not isinstance(body[key], list):
        raise LocalError(f"$: not what can be set; it would be an object with {key}, a list")
    return list(body[key])


def _refusal(status: int, problems: list[str]) -> Response:
    return _json(status, {"Problems": problems})


def _json(status: int, content: Mapping[str, Any]) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")
