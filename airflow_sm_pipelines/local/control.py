"""What tests tell the local AWS itself, outside AWS's protocols: `/_local/<what>`.

GET answers with what is set, PUT sets it anew, POST adds to it, DELETE clears it; each answers with
what is set then. To add something that can be set: a `Settable`, and its row in `server.py`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
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


class Control:
    """What can be set, by the last part of its path; in a body, its key begins with a capital."""

    def __init__(self, settables: Mapping[str, Settable]) -> None:
        self._settables = settables

    def answers(self, path: str) -> bool:
        """Whether a request of that path is not AWS's."""
        return path.startswith(_PREFIX)

    def answer(self, request: Request) -> Response:
        """What a request sets, or what is wrong with it."""
        name = request.path.removeprefix(_PREFIX)
        if name not in self._settables:
            known = ", ".join(f"{_PREFIX}{each}" for each in self._settables)
            return _refusal(404, [f"{request.path}: nothing to set; it would be {known}"])
        if request.method not in METHODS:
            allowed = ", ".join(METHODS)
            return _refusal(
                405,
                [f"{request.method} {request.path}: not answered; it would be one of {allowed}"],
            )
        settable, key = self._settables[name], name.capitalize()
        try:
            METHODS[request.method](settable, request, key)
        except LocalError as error:
            return _refusal(400, str(error).splitlines())
        return _json(200, {key: list(settable.documents())})


def _read(settable: Settable, request: Request, key: str) -> None:
    """Change nothing: what is set is the answer to every method."""


def _replace(settable: Settable, request: Request, key: str) -> None:
    settable.replace(*_documents(request, key))


def _add(settable: Settable, request: Request, key: str) -> None:
    settable.add(*_documents(request, key))


def _clear(settable: Settable, request: Request, key: str) -> None:
    settable.replace()


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


METHODS: dict[str, Callable[[Settable, Request, str], None]] = {
    "GET": _read,
    "PUT": _replace,
    "POST": _add,
    "DELETE": _clear,
}
