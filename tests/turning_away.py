"""An AWS in front of the local one, which turns some calls away: too busy, at a limit, silent."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from airflow_sm_pipelines.local import LocalAWS
from tests.answering import connection, serving


@dataclass(frozen=True)
class Away:
    """What a call is answered with; without a `code` it is passed on, and its answer is lost."""

    operation: str
    code: str = ""
    status: int = 400


@dataclass
class Front:
    """Passes calls on to the local AWS, but for those in `away`, each of which stands for one."""

    target: str
    away: list[Away]
    asked: list[str] = field(default_factory=list)
    """The operations of SageMaker that were asked for."""

    def take(self, operation: str) -> Away | None:
        """What a call is turned away with, if it is."""
        found = next((each for each in self.away if each.operation == operation), None)
        if found:
            self.away.remove(found)
        return found


class _Handler(BaseHTTPRequestHandler):
    front: ClassVar[Front]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        self.front.asked.append(operation)
        away = self.front.take(operation)
        if away and away.code:
            self._answer(away.status, f'{{"__type": "{away.code}"}}'.encode())
            return
        status, answer = self._passed_on(body)
        if not away:
            self._answer(status, answer)

    def do_GET(self) -> None:
        self.do_POST()

    def do_PUT(self) -> None:
        self.do_POST()

    def do_HEAD(self) -> None:
        self.do_POST()

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        local = http.client.HTTPConnection(urlsplit(self.front.target).netloc)
        local.request(self.command, self.path, body, dict(self.headers))
        response = local.getresponse()
        answer = response.read()
        local.close()
        return response.status, answer

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are no output of a test."""


@contextmanager
def turns_away(aws: LocalAWS, monkeypatch: pytest.MonkeyPatch, *away: Away) -> Iterator[Front]:
    """The connection aws_default leads to a Front whose every call is made once by botocore."""
    front = Front(aws.endpoint_url, [*away])
    once = {"retries": {"mode": "standard", "max_attempts": 0}}
    with serving(type("Handler", (_Handler,), {"front": front})) as url:
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", connection(url, config_kwargs=once))
        yield front
