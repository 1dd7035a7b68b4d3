"""Metrics of a training job, read from its log by MetricDefinitions."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import measured
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.following import following
from airflow_sm_pipelines.local.job import Job

LOOK_SECONDS = 0.5

_LINE_LENGTH = 1024 * 1024


def compiled(definitions: Iterable[Mapping[str, str]]) -> dict[str, re.Pattern[str]]:
    """Metric name -> what finds its value in a line of the log."""
    patterns: dict[str, re.Pattern[str]] = {}
    for each in definitions:
        try:
            patterns[each["Name"]] = re.compile(each["Regex"])
        except re.error as error:
            raise JobError(
                f"ClientError: MetricDefinitions: the Regex of {each['Name']!r} is no regular "
                f"expression: {error}"
            ) from error
    return patterns


class Readings:
    """The metrics that logs have so far: of each the last value."""

    def __init__(self, patterns: Mapping[str, re.Pattern[str]], logs: Iterable[Path]) -> None:
        self.patterns = patterns
        self._offsets = dict.fromkeys(logs if patterns else (), 0)
        self._last: dict[str, tuple[float, datetime]] = {}
        self._new: list[measured.Value] = []

    def read(self, *, ended: bool = False) -> bool:
        """Read the lines that are new; whether they have a value.

        A line without an end is waited for, unless the logs have `ended`.
        """
        before = self._last.copy()
        for log in self._offsets:
            with suppress(FileNotFoundError), log.open("rb") as lines:
                lines.seek(self._offsets[log])
                while line := lines.readline(_LINE_LENGTH):
                    if not (ended or line.endswith(b"\n") or len(line) == _LINE_LENGTH):
                        break
                    self._offsets[log] += len(line)
                    self._find(line.decode(errors="replace"))
        return self._last != before

    def fields(self) -> dict[str, Any]:
        """FinalMetricDataList, where there is a value."""
        values = [
            {"MetricName": name, "Value": value, "Timestamp": moment}
            for name, (value, moment) in self._last.items()
        ]
        return {"FinalMetricDataList": values} if values else {}

    def keep(self, job: Job) -> None:
        """Leave the values since the last time where CloudWatch has them from."""
        if self._new:
            measured.keep(job.folder, job.name, self._new)
            self._new.clear()

    def _find(self, line: str) -> None:
        for name, pattern in self.patterns.items():
            for value in _values(pattern, line):
                moment = now()
                self._last[name] = (value, moment)
                self._new.append((name, value, moment))


@contextmanager
def shown(job: Job, readings: Readings) -> Iterator[None]:
    """While in the block, let the job's description have the values as they appear."""
    if not readings.patterns:
        yield
        return

    def follow(ended: threading.Event) -> None:
        while not ended.wait(LOOK_SECONDS):
            if readings.read():
                job.update(lambda _: readings.fields())
                readings.keep(job)
        readings.read(ended=True)
        readings.keep(job)

    with following(follow, name=f"metrics {job.name}"):
        yield


def _values(pattern: re.Pattern[str], line: str) -> list[float]:
    """The numbers that the pattern's first group finds in a line, the last one at the end."""
    found = (match[1] if pattern.groups else match[0] for match in pattern.finditer(line))
    return [number for text in found if (number := _number(text)) is not None]


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
