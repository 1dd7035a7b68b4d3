"""moto's services as one WSGI app, with clean errors for what moto cannot do.

moto answers an operation that it does not have with an HTML page of status 500, which boto3 tries
again and again. Here it is a 400 in the protocol of the request. The names of moto used are those
that its own server is made of; its classes are neither extended nor patched. `sessions.py` says
how it is kept from the user's AWS configuration.
"""

import json
import logging
from collections.abc import Iterable
from importlib.metadata import metadata
from typing import Any
from xml.sax.saxutils import escape

import flask
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local.calls import signed_for
from airflow_sm_pipelines.local.sessions import neutral_sessions
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

# Services whose app the signature alone decides; moto's own look-up takes a millisecond more.
_DIRECT = ("s3", "logs")


class Moto:
    """Every AWS service that moto stands for."""

    def __init__(self) -> None:
        # Any WSGI app will do, although the hint says Flask.
        self._dispatcher = DomainDispatcherApplication(_app)  # type: ignore[arg-type]
        with neutral_sessions():
            self._direct = {service: _app(service) for service in _DIRECT}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        app = self._direct.get(_service(environ), self._dispatcher)
        with neutral_sessions():
            answer: Iterable[bytes] = app(environ, start_response)
        return answer


def _service(environ: dict[str, Any]) -> str:
    """The service that a request is signed for, or ""."""
    # S3 Control is signed as s3, and is another service.
    control = environ.get("PATH_INFO", "").startswith("/v20180820/")
    return "" if control else signed_for(environ)


def _app(service: Any) -> WSGIApp:
    """The app of a service of moto's; None is one that moto has not."""
    if service is None:
        return _failing("", NotImplementedError("moto has no such service"))
    try:
        app = create_backend_app(service)
    except ModuleNotFoundError as error:
        return _failing(service, error)
    app.register_error_handler(
        Exception, lambda error: _unanswered(flask.request, service, error=error)
    )
    return app


def _failing(service: str, error: Exception) -> WSGIApp:
    """An app that tells every caller of an error."""

    @Request.application
    def answer(request: Request) -> Any:
        return _unanswered(request, service or _service(request.environ), error=error)

    return answer


def _unanswered(request: Request, service: str, *, error: Exception) -> Any:
    """What a caller is told when moto has raised."""
    if isinstance(error, HTTPException):
        return error
    code, reason = _failure(service, error)
    target = request.headers.get("X-Amz-Target", "")
    action = request.values.get("Action", "")
    what = target.rpartition(".")[2] or action or f"{request.method} {request.path}"
    message = f"{service}: {what} {reason}"
    if action:
        return _xml(f"<ErrorResponse>{_error(code, message)}</ErrorResponse>")
    if service == "s3":
        return _xml(_error(code, message))
    return json_error(code, message)


def _failure(service: str, error: Exception) -> tuple[str, str]:
    """The code of what moto has raised, and what that means for the operation."""
    match error:
        case NotImplementedError():
            return "NotImplemented", "is not there in the local AWS"
        case ModuleNotFoundError(name=str(module)):
            package = module.partition(".")[0]
            extra = service if service in _extras() else "all"
            logger.warning("%s: moto needs the package %s", service, package)
            return "NotImplemented", (
                f"needs the package {package}; pip install 'moto[{extra}]', "
                "then start the local AWS again"
            )
        case _:
            logger.error("%s: moto failed", service, exc_info=error)
            return "InternalFailure", f"failed in moto ({type(error).__name__}: {error})"


def _extras() -> list[str]:
    """The services that moto's package has an extra for."""
    return metadata("moto").get_all("Provides-Extra") or []


def json_error(code: str, message: str, status: int = 400) -> Response:
    """An error in AWS's JSON protocols."""
    content = json.dumps({"__type": code, "message": message})
    return Response(
        content,
        status=status,
        content_type="application/x-amz-json-1.1",
        headers={"x-amzn-ErrorType": code},
    )


def _error(code: str, message: str) -> str:
    return f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"


def _xml(content: str) -> Response:
    return Response(content, status=400, content_type="text/xml")
