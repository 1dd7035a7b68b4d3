"""Metrics of a training job, read from its log by MetricDefinitions."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError

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


def final(log: Path, patterns: Mapping[str, re.Pattern[str]]) -> list[dict[str, Any]]:
    """FinalMetricDataList: the last value of each metric that the log has."""
    last: dict[str, tuple[float, datetime]] = {}
    if patterns:
        with log.open(encoding="utf-8", errors="replace") as lines:
            while line := lines.readline(_LINE_LENGTH):
                for name, pattern in patterns.items():
                    for value in _values(pattern, line):
                        last[name] = (value, now())
    return [
        {"MetricName": name, "Value": value, "Timestamp": moment}
        for name, (value, moment) in last.items()
    ]


def _values(pattern: re.Pattern[str], line: str) -> list[float]:
    """The numbers that the pattern's first group finds in a line, the last one at the end."""
    found = (match[1] if pattern.groups else match[0] for match in pattern.finditer(line))
    return [number for text in found if (number := _number(text)) is not None]


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
