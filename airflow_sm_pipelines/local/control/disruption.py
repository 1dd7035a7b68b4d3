"""What stands between a caller and AWS: faults happen to requests here, and all are written down.

A connection that is reset is closed so that the caller's system reports it, at once: no byte of an
answer comes, and no end of the connection either.
"""

import os
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local import refusals
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.control.fault import Stage
from airflow_sm_pipelines.local.control.faults import Faults
from airflow_sm_pipelines.local.control.journal import Journal
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.transport import WSGIApp

OK = "ok"
RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What AWS answers: an app that gives it, "ok" or the code of an error, and its effect.

    `effect` is whether something was made or changed; `created` is the ARN of what was made here.
    """

    response: WSGIApp
    outcome: str = OK
    effect: bool = False
    created: str = ""


class DroppedError(ConnectionError):
    """The connection of a request is closed; there is nobody to answer."""


class Disruption:
    """Requests on their way to AWS and back."""

    def __init__(self, faults: Faults, journal: Journal) -> None:
        self._faults = faults
        self._journal = journal

    def answer(
        self, call: Call, environ: dict[str, Any], aws: Callable[[Call, dict[str, Any]], Answer]
    ) -> WSGIApp:
        """The answer to a request, from AWS or from a fault; raises `DroppedError`."""
        at = now()
        instead = self._faults.take(call, Stage.INSTEAD)
        if instead is None:
            answer = aws(call, environ)
            after = self._faults.take(call, Stage.AFTER)
        else:
            answer, after = self._refused(instead.kind, call), None
        reset = after is not None or answer.outcome == RESET
        self._hide(call, answer)
        late = self._faults.take(call, Stage.LATE)
        response = _carried_out(answer.response, environ) if reset or late else answer.response
        outcome = RESET if reset else answer.outcome
        self._journal.note(call, at=at, outcome=outcome, effect=answer.effect)
        if late:
            time.sleep(late.seconds)
        if reset:
            _drop(environ)
        return response

    def _refused(self, kind: str, call: Call) -> Answer:
        """What a fault answers with; nothing, where it resets the connection."""
        if kind not in refusals.REFUSALS:
            return Answer(response=Response(), outcome=RESET)
        error: AwsError = refusals.refusal(kind, call)
        return Answer(response=refusals.response(error, call), outcome=error.code)

    def _hide(self, call: Call, answer: Answer) -> None:
        """Let what a request has made be unseen for a while, where a fault says so."""
        unseen = self._faults.take(call, Stage.CREATED) if answer.created else None
        if unseen:
            self._faults.hide(answer.created, unseen.seconds)


def _carried_out(app: WSGIApp, environ: dict[str, Any]) -> WSGIApp:
    """An answer that is there as a whole, so that the operation has taken effect."""
    return Response.from_app(app, environ, buffered=True)


def _drop(environ: dict[str, Any]) -> NoReturn:
    """Reset the connection of a request; the server then ends its thread without a word."""
    connection = environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Detached first: the server's own shutdown, which would announce an end, finds no socket.
        os.close(connection.detach())
    raise DroppedError(RESET)
