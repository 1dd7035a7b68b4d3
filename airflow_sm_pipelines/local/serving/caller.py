"""Requests to the web server of a model, over connections that are kept."""

import http.client
import queue
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from airflow_sm_pipelines.local.serving.doors import Doors


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def fine(self) -> bool:
        """Whether the request was answered as asked."""
        return 200 <= self.status < 300


class Caller:
    """Asks one server; safe for threads."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._idle: queue.LifoQueue[_Connection] = queue.LifoQueue()
        self._closed = False

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout_seconds: float,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The reply to a request; raises `OSError` where there is none, or one that is no HTTP."""
        request = (method, path, body or None, dict(headers or {}))
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            return self._send(_Connection(self._doors, timeout_seconds), request)
        try:
            connection.limit(timeout_seconds)
            return self._send(connection, request)
        except TimeoutError:
            raise
        except OSError:  # it was closed while it was idle; asked once more, on a new one
            return self._send(_Connection(self._doors, timeout_seconds), request)

    def close(self) -> None:
        """Keep no connection any more."""
        self._closed = True
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().leave()

    def _send(
        self,
        connection: "_Connection",
        request: tuple[str, str, bytes | None, dict[str, str]],
    ) -> Reply:
        try:
            connection.request(*request)
            response = connection.getresponse()
            content = response.read()
        except http.client.HTTPException as error:
            connection.leave()
            if isinstance(error, OSError):
                raise
            raise ConnectionError(f"no HTTP: {error!r}") from error
        except BaseException:
            connection.leave()
            raise
        if response.will_close or self._closed:
            connection.leave()
        else:
            self._idle.put(connection)
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(status=response.status, body=content, headers=headers)


class _Connection(http.client.HTTPConnection):
    """A connection through one of the doors."""

    def __init__(self, doors: Doors, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._doors = doors
        self._seconds = timeout_seconds
        self._through: socket.socket | None = None

    def connect(self) -> None:
        self._through = self.sock = self._doors.connect(self._seconds)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def limit(self, timeout_seconds: float) -> None:
        """Wait no longer than this for what comes next."""
        self._seconds = timeout_seconds
        if self.sock is not None:
            self.sock.settimeout(timeout_seconds)

    def leave(self) -> None:
        """Close, and give the door back. (`close` is called before an answer has been read.)"""
        self.close()
        through, self._through = self._through, None
        if through is not None:
            self._doors.give_back(through)
