"""Descriptions that are held back until what they tell of has ended, for clients that look rarely.

boto3's waiters, those of `aws ... wait` too, look every 30 to 120 seconds, and the SageMaker SDK of
version 2 every 30 where it prints logs: longer than most local jobs take in all. Both say who they
are in their User-Agent. A held answer is that of a slow service: nothing else differs.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from airflow_sm_pipelines.local.calls import Call

# The SDK prints a job's log every 10 seconds; it is not to be kept from that for longer.
LONGEST_SECONDS = 10.0

_LOOK_SECONDS = 0.05
_OPERATION = re.compile(r"Describe((?:\w+)?Job|Endpoint)")
_IN_PROGRESS = re.compile(r"(InProgress|Stopping|Creating|Updating)")
# botocore's mark of a waiter is a B among the features that a request names in m/...
_RARE = re.compile(r"\bm/(?:[^ ]*,)?B(?:[, ]|$)|\bAWS-SageMaker-Python-SDK[#/]2\.")
# Its clients wait for hundreds of jobs at once, which would be as many threads here.
_MANY = re.compile(r"\baiobotocore\b")


class Content(Protocol):
    """An answer to a request."""

    @property
    def content(self) -> bytes:
        """Its JSON."""


T = TypeVar("T", bound=Content)


def answered(
    call: Call,
    environ: Mapping[str, Any],
    answer: Callable[[], T],
    *,
    longest_seconds: float = LONGEST_SECONDS,
) -> T:
    """What `answer` gives; asked again until it tells of an end, where the client looks rarely."""
    told = answer()
    described = _OPERATION.fullmatch(call.operation)
    if described is None or not looks_rarely(environ.get("HTTP_USER_AGENT", "")):
        return told
    status_key = f"{described[1]}Status"
    deadline = time.monotonic() + longest_seconds
    while _goes_on(told, status_key) and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        told = answer()
    return told


def looks_rarely(user_agent: str) -> bool:
    """Whether a client of this name sleeps for long before it looks again."""
    return bool(_RARE.search(user_agent)) and not _MANY.search(user_agent)


def _goes_on(told: Content, status_key: str) -> bool:
    return bool(_IN_PROGRESS.fullmatch(str(json.loads(told.content).get(status_key))))
