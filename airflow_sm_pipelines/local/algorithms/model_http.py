"""The web server in a model's container: /ping, /execution-parameters, /invocations.

Standard library alone, and no import from its neighbours: `script_serving.py` loads it by path into
an environment that is the user's.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_BACKLOG = 128


@dataclass(frozen=True)
class Request:
    """One invocation; `content_type` and `accept` are "" where the caller does not say."""

    body: bytes
    content_type: str
    accept: str


@dataclass(frozen=True)
class Answer:
    """What a model makes of a request."""

    body: bytes
    content_type: str


class RefusedError(Exception):
    """A request that cannot be answered, and the HTTP status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


Invoke = Callable[[Request], Answer]


def serve(invoke: Invoke, *, port: int, parameters: Mapping[str, object] | None = None) -> None:
    """Answer requests on `port` until the process ends.

    `parameters` are the execution parameters, None where there are none. As many requests reach
    `invoke` at once as SAGEMAKER_MODEL_SERVER_WORKERS says, or one: code that was written for a
    worker process of its own need not be safe for threads.
    """
    workers = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or 1)
    _Server(port, invoke, parameters, workers).serve_forever()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = _BACKLOG

    def __init__(
        self,
        port: int,
        invoke: Invoke,
        parameters: Mapping[str, object] | None,
        workers: int,
    ) -> None:
        self.invoke = invoke
        self.parameters = parameters
        self.turns = threading.BoundedSemaphore(workers)
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # Not HTTPServer's, which asks the DNS for the name of this host.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet
    server: _Server

    def do_GET(self) -> None:
        """/ping, and /execution-parameters where there are any."""
        if self.path == "/ping":
            self._send(200, b"", "text/plain")
        elif self.path == "/execution-parameters" and self.server.parameters is not None:
            self._send(200, json.dumps(self.server.parameters).encode(), "application/json")
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        """/invocations."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            self._send(404, b"", "text/plain")
            return
        request = Request(
            body, self.headers.get("Content-Type") or "", self.headers.get("Accept") or ""
        )
        status, answer = self._invoke(request)
        self._send(status, answer.body, answer.content_type)

    def _invoke(self, request: Request) -> tuple[int, Answer]:
        try:
            with self.server.turns:
                return 200, self.server.invoke(request)
        except RefusedError as error:
            status, message = error.status, str(error)
            sys.stderr.write(f"{message}\n")
        # A model's code may raise anything; the server answers the next request all the same.
        except Exception as error:
            status, message = 500, f"{type(error).__name__}: {error}"
            traceback.print_exc()
        sys.stderr.flush()
        return status, Answer(message.encode(), "text/plain")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the log is the model's."""
