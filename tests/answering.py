"""An AWS that gives one answer, for what the local AWS never says: refusals, other regions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest


@dataclass
class Answering:
    """An AWS with one answer; the bodies it was asked with are kept."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    url: str = ""
    """Where it answers."""
    headers: dict[str, str] = field(default_factory=dict)
    """What it answers to HEAD."""
    heads: list[str] = field(default_factory=list)
    """The paths that HEAD has asked for."""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                answering.asked.append(json.loads(self.rfile.read(length)))
                # Credential=<key>/<date>/<region>/<service>/aws4_request
                answering.regions.append(self.headers["Authorization"].split("/")[2])
                self._answer(json.dumps(answering.body).encode())

            def do_HEAD(self) -> None:
                answering.heads.append(self.path)
                # Without headers to answer with it knows no HEAD.
                self.send_response(answering.status if answering.headers else 501)
                for name, value in answering.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:
                members = "".join(f"<{key}>{text}</{key}>" for key, text in answering.body.items())
                self._answer(f"<Error>{members}</Error>".encode())

            def _answer(self, body: bytes) -> None:
                self.send_response(answering.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Requests are no output of a test."""

        return Handler


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """The URL at which a handler answers for as long."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def connection(endpoint_url: str, **extra: Any) -> str:
    own = {"endpoint_url": endpoint_url, "region_name": "us-east-1", **extra}
    return json.dumps({"conn_type": "aws", "login": "key", "password": "word", "extra": own})


@contextmanager
def answers(monkeypatch: pytest.MonkeyPatch, status: int, **body: Any) -> Iterator[Answering]:
    """The connection `answering` leads to an AWS that gives this answer."""
    answering = Answering(status, body)
    with serving(answering.handler()) as url:
        answering.url = url
        monkeypatch.setenv("AIRFLOW_CONN_ANSWERING", connection(url))
        yield answering
