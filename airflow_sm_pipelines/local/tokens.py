"""Requests of moto's services that a token of the client's makes one: moto carries out each.

To add an operation: a row of `TOKENS`.
"""

import json
import threading
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call, body
from airflow_sm_pipelines.local.transport import WSGIApp


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """A request that has been carried out, and its answer."""

    request: dict[str, Any]
    response: Response


class Tokens:
    """What has been answered, by action, path and token."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answered: dict[tuple[str, str, str], _Answered] = {}

    def concern(self, call: Call) -> bool:
        """Whether a request has such a token."""
        return call.action in TOKENS

    def answer(self, call: Call, environ: dict[str, Any], app: WSGIApp) -> Response:
        """The answer of `app`, or the one that the same token has got before."""
        try:
            request = json.loads(body(environ))
            token = str(request[TOKENS[call.action]])
        except (ValueError, TypeError, KeyError):  # moto says what is wrong with it
            return Response.from_app(app, environ, buffered=True)
        key = (call.action, environ["PATH_INFO"], token)
        with self._lock:
            known = self._answered.get(key)
            if known is None:
                response = Response.from_app(app, environ, buffered=True)
                if response.status_code < 400:
                    self._answered[key] = _Answered(request=request, response=response)
                return response
        if known.request == request:
            return known.response
        # That it is refused is inferred: ConflictException is among the errors of these operations.
        message = f"{call.operation}: token {token!r} has been used for a different request"
        return json_error("ConflictException", message, 409)


# Action -> the member of its request that is the token.
TOKENS = {
    "emr-serverless:CreateApplication": "clientToken",
}
