"""The WSGI app that callers reach: SageMaker's jobs and records are ours, the rest is moto's.

What is below `/_local/` is no part of AWS: `control.py`.
"""

import logging
import re
import uuid
from collections.abc import Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local import held, policies, run_metrics
from airflow_sm_pipelines.local.api import Api
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import SAGEMAKER, Call, body, called, reads
from airflow_sm_pipelines.local.control.disruption import Answer, Disruption, DroppedError
from airflow_sm_pipelines.local.control.paths import Control
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.services import Services
from airflow_sm_pipelines.local.serving.invocations import Invocations
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

# What boto3 puts before a message; moto has it in some messages already.
_AS_BOTO = re.compile(r"An error occurred \(\w+\) when calling the \w+ operation: ")


class Front:
    """The local AWS as one WSGI app."""

    def __init__(
        self,
        api: Api,
        moto: WSGIApp,
        *,
        control: Control,
        disruption: Disruption,
        services: Services,
        invocations: Invocations | None = None,
    ) -> None:
        self._api = api
        self._services = services
        self._invocations = invocations
        self._control = control
        self._disruption = disruption
        self._moto = moto

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            response = self._outside(environ) or self._inside(environ)
            return response(environ, start_response)
        except DroppedError:
            raise
        # The last net: whatever it is, no caller gets a page of HTML, and the log has all of it.
        except Exception as error:
            return _failed(environ, error)(environ, start_response)

    def _outside(self, environ: dict[str, Any]) -> Response | None:
        """The answer to a request that is none to AWS, or None."""
        if "HTTP_ORIGIN" in environ:
            # Jobs run code: no web page that this machine's browser shows may start one.
            return json_error("AccessDenied", "the local AWS does not answer web pages", 403)
        if self._control.answers(environ.get("PATH_INFO", "")):
            return self._control.answer(Request(environ))
        return None

    def _inside(self, environ: dict[str, Any]) -> WSGIApp:
        """The answer to a request to AWS, or what a fault makes of it."""
        return self._disruption.answer(called(environ), environ, self._aws)

    def _aws(self, call: Call, environ: dict[str, Any]) -> Answer:
        if call.service == SAGEMAKER and "HTTP_X_AMZ_TARGET" in environ:
            return self._sagemaker(call, environ)
        path = environ.get("PATH_INFO", "")
        try:
            if self._invocations and self._invocations.concern(path):
                return Answer(response=self._invocations.answer(Request(environ)))
            if path == run_metrics.PATH:
                return Answer(response=run_metrics.answer(self._api.registry, Request(environ)))
        except AwsError as error:
            return _refused(error)
        if self._services.concern(call):
            return self._services.answer(call, environ)
        return self._by_moto(call, environ)

    def _by_moto(self, call: Call, environ: dict[str, Any]) -> Answer:
        """What moto answers, but for what is told of it here."""
        if call.service == "sqs":
            self._api.callbacks.hear(call, body(environ))
        if policies.concern(call):
            return Answer(response=policies.answer(call, environ))
        return Answer(response=self._moto)

    def _sagemaker(self, call: Call, environ: dict[str, Any]) -> Answer:
        content = body(environ)
        try:
            if not self._api.answers(call.operation, content):
                self._api.check(call.operation, content)
                return _passed_on(call, Response.from_app(self._moto, environ, buffered=True))
            told = held.answered(call, environ, lambda: self._api.answer(call.operation, content))
        except AwsError as error:
            return _refused(error)
        except Exception as error:  # the last net, so that the journal has it too
            return Answer(response=_failed(environ, error), outcome="InternalFailure")
        response = Response(
            told.content,
            content_type="application/x-amz-json-1.1",
            headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )
        return Answer(response=response, effect=told.effect, created=told.created)


def _refused(error: AwsError) -> Answer:
    response = json_error(error.code, error.message, error.status)
    return Answer(response=response, outcome=error.code)


def _passed_on(call: Call, response: Response) -> Answer:
    """What moto answers, and what came of it: it names an error's code in its JSON."""
    if response.status_code < 400:
        return Answer(response=response, effect=not reads(call.operation))
    parsed = response.get_json(force=True, silent=True)
    told = parsed if isinstance(parsed, dict) else {}
    code = str(told.get("__type") or "")
    said = str(told.get("message") or told.get("Message") or "")
    if _AS_BOTO.match(said):
        response = json_error(code, _AS_BOTO.sub("", said), response.status_code)
    return Answer(response=response, outcome=code or str(response.status_code))


def _failed(environ: dict[str, Any], error: Exception) -> Response:
    """What a caller is told of an error that nobody expected."""
    what = environ.get("HTTP_X_AMZ_TARGET") or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    logger.error("%s: the local AWS failed", what, exc_info=error)
    message = f"{what}: the local AWS failed ({type(error).__name__}: {error})"
    return json_error("InternalFailure", message, 500)
