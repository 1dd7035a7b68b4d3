"""The WSGI app that callers reach: SageMaker's jobs and records are ours, the rest is moto's.

What is below `/_local/` is no part of AWS: `control.py`.
"""

import io
import logging
import re
import uuid
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local.api import Api
from airflow_sm_pipelines.local.backend import Moto, json_error
from airflow_sm_pipelines.local.control import Control
from airflow_sm_pipelines.local.errors import AwsError

logger = logging.getLogger(__name__)

_TARGET = "SageMaker."
_INVOCATION = re.compile(r"/endpoints/[^/]+/(async-)?invocations")


class Front:
    """The local AWS as one WSGI app."""

    def __init__(self, api: Api, moto: Moto, *, control: Control) -> None:
        self._api = api
        self._control = control
        self._moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            response = self._respond(environ) or self._moto
            return response(environ, start_response)
        # The last net: whatever it is, no caller gets a page of HTML, and the log has all of it.
        except Exception as error:
            return _failed(environ, error)(environ, start_response)

    def _respond(self, environ: dict[str, Any]) -> Response | None:
        """Our answer to a request, or None where it is moto's to answer."""
        if "HTTP_ORIGIN" in environ:
            # Jobs run code: no web page that this machine's browser shows may start one.
            return json_error("AccessDenied", "the local AWS does not answer web pages", 403)
        if self._control.answers(environ.get("PATH_INFO", "")):
            return self._control.answer(Request(environ))
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target.startswith(_TARGET):
            return self._sagemaker(target.removeprefix(_TARGET), environ)
        if _INVOCATION.fullmatch(environ.get("PATH_INFO", "")):
            return json_error(
                "ValidationError",
                "InvokeEndpoint is not there in the local AWS: endpoints are recorded only",
            )
        return None

    def _sagemaker(self, operation: str, environ: dict[str, Any]) -> Response | None:
        body = Request(environ).get_data()
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            if not self._api.answers(operation, body):
                return None
            answer = self._api.answer(operation, body)
        except AwsError as error:
            return json_error(error.code, error.message, error.status)
        return Response(
            answer,
            content_type="application/x-amz-json-1.1",
            headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )


def _failed(environ: dict[str, Any], error: Exception) -> Response:
    """What a caller is told of an error that nobody expected."""
    what = environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    logger.error("%s: the local AWS failed", what, exc_info=error)
    message = f"{what}: the local AWS failed ({type(error).__name__}: {error})"
    return json_error("InternalFailure", message, 500)
