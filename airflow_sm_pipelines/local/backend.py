"""moto's services as one WSGI app, with clean errors for what moto cannot do.

moto answers an operation that it does not have with an HTML page, of status 404 for some services
and of status 500, which boto3 tries again and again, for others. Here it is a 400 in the protocol
of the request that names the operation. The names of moto used are those
that its own server is made of; its classes are neither extended nor patched. `sessions.py` says
how it is kept from the user's AWS configuration.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable
from importlib.metadata import metadata
from typing import Any
from xml.sax.saxutils import escape

import flask
from botocore.model import OperationNotFoundError
from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local.calls import (
    Call,
    rest_operation,
    signed_for,
    speaks_xml,
)
from airflow_sm_pipelines.local.sessions import neutral_sessions
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

# Services whose app the signature alone decides; moto's own look-up takes a millisecond more.
_DIRECT = ("s3", "logs")


class Moto:
    """Every AWS service that moto stands for.

    `first` is called with it before the first request to any of them but S3 and CloudWatch Logs,
    and makes what is to be there: the start need not wait for it.
    """

    def __init__(self, first: Callable[[WSGIApp], None] = lambda moto: None) -> None:
        # Any WSGI app will do, although the hint says Flask.
        self._dispatcher = DomainDispatcherApplication(_app)  # type: ignore[arg-type]
        self._first: Callable[[WSGIApp], None] | None = first
        self._lock = threading.RLock()  # what is called first asks moto, too
        self._direct: dict[str, WSGIApp] = {}  # made when they are asked for: S3's seldom is

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with neutral_sessions():
            app = self._app(_service(environ))
            answer: Iterable[bytes] = app(environ, start_response)
        return answer

    def _app(self, service: str) -> WSGIApp:
        with self._lock:
            if service not in _DIRECT:
                first, self._first = self._first, None
                if first is not None:
                    first(self)
                return self._dispatcher
            if service not in self._direct:
                self._direct[service] = _app(service)
            return self._direct[service]


def start_over() -> None:
    """Forget what moto holds; from here on its IAM has the policies that AWS manages.

    Notebooks attach them to the roles that they make. They cost 0.1 s when IAM is first asked.
    """
    Client(Moto()).post("/moto-api/reset")
    default_user_config["iam"] = {"load_aws_managed_policies": True}


class _AbsentError(Exception):
    """moto has nothing for what is asked of it."""


def _service(environ: dict[str, Any]) -> str:
    """The service that a request is signed for, or ""."""
    # S3 Control is signed as s3, and is another service.
    control = environ.get("PATH_INFO", "").startswith("/v20180820/")
    return "" if control else signed_for(environ)


def _app(service: Any) -> WSGIApp:
    """The app of a service of moto's; None is one that moto has not."""
    if service is None:
        return _failing("", _AbsentError("moto has no such service"))
    try:
        app = create_backend_app(service)
    except ModuleNotFoundError as error:
        return _failing(service, error)
    app.register_error_handler(
        Exception, lambda error: _unanswered(flask.request, service, error=error)
    )
    app.after_request(lambda response: _spoken(flask.request, service, response))
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
        return error  # `_spoken` sees whether it is AWS's
    call = _call(request)
    code, reason = _failure(service, call, error)
    what = call.operation or f"{request.method} {request.path}"
    return _told(call, service, code, f"{call.service or service}: {what} {reason}")


def _call(request: Request) -> Call:
    """What a request asks for, whose body moto has read."""
    environ, service = request.environ, signed_for(request.environ)
    if action := request.values.get("Action", ""):
        return Call(service=service, operation=action, protocol="query")
    target = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    return Call(service=service, operation=target or rest_operation(service, environ))


def _spoken(request: Request, service: str, response: Response) -> Response:
    """An answer of moto's, or a clean error where it is a page for people."""
    page = response.status_code >= 400 and response.mimetype == "text/html"
    if not page or request.method == "HEAD" or _is_document(response.get_data()):
        return response
    told: Response = _unanswered(request, service, error=_AbsentError())
    return told


def _is_document(content: bytes) -> bool:
    """Whether it is JSON or XML: moto sends both as text/html at times."""
    start = content.lstrip()[:9].lower()
    return start.startswith((b"{", b"[", b"<")) and start != b"<!doctype"


def _failure(service: str, call: Call, error: Exception) -> tuple[str, str]:
    """The code of what moto has raised, and what that means for the operation."""
    match error:
        case _AbsentError() | NotImplementedError():  # the latter is moto's own
            return "NotImplemented", "is not there in the local AWS"
        case OperationNotFoundError():
            query = call.protocol == "query"
            code = "InvalidAction" if query else "UnknownOperationException"
            return code, "is no operation of this service"
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


def _told(call: Call, service: str, code: str, message: str) -> Response:
    """An error in the protocol of the request."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    if service == "s3":
        return _xml(error)
    if call.protocol == "query" or speaks_xml(call.service):
        return _xml(f"<ErrorResponse>{error}</ErrorResponse>")
    return json_error(code, message)


def _xml(content: str) -> Response:
    return Response(content, status=400, content_type="text/xml")
