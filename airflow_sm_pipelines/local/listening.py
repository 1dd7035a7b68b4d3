"""Where the local AWS listens, on the loopback interface unless it is told otherwise, and how."""

import ipaddress
import logging
import os
import socket
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_ANY = "0.0.0.0"
_ANSWER = "airflow_sm_pipelines.answer"  # the key of a request's environment that holds it
_BACKLOG = 1024  # callers that may ask at the same moment; others would wait a second or more


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises `LocalError` where that is not possible."""
    if port not in range(1 << 16):
        raise LocalError(f"port {port}: no port; it would be 0 to 65535")
    _address(host)
    try:
        return socket.create_server((host, port), backlog=_BACKLOG)
    except OSError as error:
        # `strerror` would name the address once more.
        reason = os.strerror(error.errno) if error.errno else str(error)
        where = f"port {port}" if host == LOOPBACK else f"{host}, port {port}"
        raise LocalError(f"{where}: {reason}; 0 takes any port that is free") from error


def serve(app: WSGIApp, listening: socket.socket) -> ThreadedWSGIServer:
    """A server with a thread per request, on a duplicate of a socket that listens already."""

    def answered(environ: dict[str, Any], start_response: Any) -> Any:
        environ[_ANSWER] = answer = app(environ, start_response)
        return answer

    host, port = listening.getsockname()[:2]
    return ThreadedWSGIServer(host, port, answered, handler=_Handler, fd=listening.fileno())


class _Handler(MotoRequestHandler):
    """One request: silent, and without the 40 ms that Nagle's algorithm can add."""

    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        self.close_connection = True  # no further request comes, and there is nobody to tell
        # werkzeug does not where the connection was reset: then the answer's file stays open.
        close = getattr((environ or {}).get(_ANSWER), "close", None)
        if close is not None:
            close()

    def log(self, type: str, message: str, *args: Any) -> None:
        logger.debug("%s %s", type, message % args)


def warning(host: str) -> str:
    """What whoever starts a server there has to know, or ""."""
    if _address(host).is_loopback:
        return ""
    return (
        f"{host}: the local AWS runs code for whoever reaches it, as {_user()}, and asks for no "
        "password; listen there on a network of your own alone"
    )


def reached(host: str) -> str:
    """The address at which this machine reaches a server that listens there."""
    return LOOPBACK if host == _ANY else host


def _address(host: str) -> ipaddress.IPv4Address:
    try:
        return ipaddress.IPv4Address(host)
    except ValueError as error:
        raise LocalError(
            f"host {host!r}: no IPv4 address; it would be {LOOPBACK}, one of this machine's "
            f"addresses, or {_ANY} for all of them"
        ) from error


def _user() -> str:
    return "root" if os.getuid() == 0 else "you"
