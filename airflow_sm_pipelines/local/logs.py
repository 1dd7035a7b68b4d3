"""Job logs in CloudWatch: what a job writes to its log file is sent on while it runs.

The file is the first truth; CloudWatch has all of it when the job is final. `streams.json` beside
it says which stream it is, so that the next server can send it again (`resent.py`).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.following import following

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

# Bounds of PutLogEvents: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
_BATCH_EVENTS = 10_000
_BATCH_BYTES = 1_048_576
_EVENT_OVERHEAD_BYTES = 26
_EVENT_BYTES = 256 * 1024 - _EVENT_OVERHEAD_BYTES

SEND_SECONDS = 0.5
_OLDEST_SECONDS = 13 * 86_400

STREAMS = "streams.json"


class Logs:
    """The log streams of jobs in the local CloudWatch."""

    def __init__(self, client: "CloudWatchLogsClient") -> None:
        self._client = client
        self._groups: set[str] = set()
        self._known: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def follow(self, file: Path, *, group: str, stream: str) -> Iterator[None]:
        """Send the lines of `file` to a new stream until the block ends, then what is left."""

        self._remember(file, group=group, stream=stream)

        def follow_file(ended: threading.Event) -> None:
            self._create(group, stream)
            _Tail(self._client, file, group, stream).follow(ended)

        with following(follow_file, name=f"log {stream}"):
            yield

    def resend(self, file: Path, *, group: str, stream: str) -> None:
        """Send a file of an earlier server's to its stream, as of the time of its last line.

        Once: a stream that this server has made is left alone. Its own CloudWatch takes nothing
        that is older than 14 days, so what is older is sent as if it were not.
        """
        with self._lock:
            if (group, stream) in self._known:
                return
            self._known.add((group, stream))
        moment = max(file.stat().st_mtime, time.time() - _OLDEST_SECONDS)
        try:
            self._create(group, stream)
        except self._client.exceptions.ResourceAlreadyExistsException:
            return  # by an earlier server of this process
        ended = threading.Event()
        ended.set()
        _Tail(self._client, file, group, stream, moment=int(moment * 1000)).follow(ended)

    def _remember(self, file: Path, *, group: str, stream: str) -> None:
        """Note which stream a file is."""
        record = file.with_name(STREAMS)
        row = {"Group": group, "Stream": stream, "File": file.name}
        with self._lock:
            self._known.add((group, stream))
            rows = kept.read(record)["Streams"] if record.exists() else []
            kept.write(record, {"Streams": [*rows, row]})

    def put(self, file: Path, group: str, stream: str) -> None:
        """Send the lines of a file that is complete to a new stream."""
        self._create(group, stream)
        ended = threading.Event()
        ended.set()
        _Tail(self._client, file, group, stream).follow(ended)

    def _create(self, group: str, stream: str) -> None:
        with self._lock:
            if group not in self._groups:
                with suppress(self._client.exceptions.ResourceAlreadyExistsException):
                    self._client.create_log_group(logGroupName=group)
                self._groups.add(group)
        self._client.create_log_stream(logGroupName=group, logStreamName=stream)


class _Tail:
    """A log file that is read as it grows."""

    def __init__(
        self,
        client: "CloudWatchLogsClient",
        file: Path,
        group: str,
        stream: str,
        *,
        moment: int | None = None,
    ) -> None:
        self._client = client
        self._moment = moment
        self._file = file
        self._group = group
        self._stream = stream
        self._rest = b""

    def follow(self, ended: threading.Event) -> None:
        """Send what is new every `SEND_SECONDS`, and everything once `ended` is set."""
        with self._file.open("rb") as log:
            while not ended.wait(SEND_SECONDS):
                self._send(iter(lambda: log.read(_BATCH_BYTES), b""))
            self._send(iter(lambda: log.read(_BATCH_BYTES), b""))
            self._put([line for line in (self._rest,) if line])

    def _send(self, chunks: Iterator[bytes]) -> None:
        for chunk in chunks:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._put(lines)
            if len(self._rest) > _EVENT_BYTES:
                self._put([self._rest])
                self._rest = b""

    def _put(self, lines: list[bytes]) -> None:
        moment = self._moment or int(time.time() * 1000)
        for messages in _batches(lines):
            events: list[InputLogEventTypeDef] = [
                {"timestamp": moment, "message": message} for message in messages
            ]
            self._client.put_log_events(
                logGroupName=self._group, logStreamName=self._stream, logEvents=events
            )


def _batches(lines: list[bytes]) -> Iterator[list[str]]:
    """The lines as messages, in batches that PutLogEvents takes."""
    batch: list[str] = []
    size = 0
    for message in (message for line in lines for message in _messages(line)):
        length = len(message.encode()) + _EVENT_OVERHEAD_BYTES
        if batch and (len(batch) == _BATCH_EVENTS or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += length
    if batch:
        yield batch


def _messages(line: bytes) -> Iterator[str]:
    """A line as one message, or more where it is longer than a message may be."""
    text = line.rstrip(b"\r").decode(errors="replace")
    step = _EVENT_BYTES // 4  # no character of UTF-8 is longer than four bytes
    for start in range(0, max(len(text), 1), step):
        yield text[start : start + step] or " "  # an empty message is refused
