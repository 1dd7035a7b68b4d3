"""Logs of an earlier server's jobs, sent to CloudWatch when somebody asks for them.

Not at the start: there may be thousands, and most are never looked at.
"""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.calls import as_object, body, signed_for
from airflow_sm_pipelines.local.errors import KeptError
from airflow_sm_pipelines.local.logs import STREAMS, Logs
from airflow_sm_pipelines.local.transport import WSGIApp

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """A stream, and the file that has its lines."""

    group: str
    name: str
    file: Path


class Resent:
    """CloudWatch, which has the logs of the jobs below a folder."""

    def __init__(self, app: WSGIApp, logs: Logs, folder: Path) -> None:
        self._app = app
        self._logs = logs
        self._folder = folder
        self._lock = threading.Lock()
        self._earlier: list[_Stream] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if signed_for(environ) == "logs":
            self._resend(as_object(body(environ)))
        return self._app(environ, start_response)

    def _resend(self, asked: Mapping[str, Any]) -> None:
        """Send the streams that a request is about, all where it names none."""
        names = [*asked.get("logStreamNames", ()), asked.get("logStreamName", "")]
        prefix = asked.get("logStreamNamePrefix", "")
        with self._lock:
            if self._earlier is None:
                self._earlier = list(_streams(self._folder))
            left = []
            for stream in self._earlier:
                named = stream.name in names or (not any(names) and stream.name.startswith(prefix))
                if named:
                    self._send(stream)
                else:
                    left.append(stream)
            self._earlier = left

    def _send(self, stream: _Stream) -> None:
        try:
            self._logs.resend(stream.file, group=stream.group, stream=stream.name)
        except OSError as error:
            logger.warning("%s: left out of CloudWatch: %s", stream.file, error)


def _streams(folder: Path) -> Iterator[_Stream]:
    """The streams of the jobs below a folder; a file that cannot be read is told."""
    for record in folder.glob(f"*/{STREAMS}"):
        try:
            for row in kept.read(record)["Streams"]:
                file = record.with_name(row["File"])
                yield _Stream(group=row["Group"], name=row["Stream"], file=file)
        except (KeptError, LookupError, TypeError) as error:
            logger.warning("%s: left out of CloudWatch: %s", record, error)
