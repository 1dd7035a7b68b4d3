"""Asking AWS again while it turns a step's first calls away, as SageMaker Pipelines does.

The service retries throttling and faults of its own for every step, without a policy, "exponential
retries with a one-second interval" (SDK, workflow/retry.py); how often is not documented. Creating
is idempotent here, so all of it can be done again, also after an answer was lost.
"""

import logging
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, exception_types
from airflow_sm_pipelines.errors import JobLostError, UnseenError

log = logging.getLogger(__name__)

T = TypeVar("T")


def persist(
    attempt: Callable[[], T],
    *,
    at_most: float,
    meanwhile: Callable[[], object],
    new: bool = True,
) -> T:
    """What `attempt` returns, as soon as AWS lets it; no new attempt after `at_most` seconds.

    `meanwhile` is called twice a second while it waits; what that raises ends the wait. What is
    `new` may not be known to AWS yet.
    """
    deadline = time.monotonic() + at_most
    last: Exception | None = None
    for seconds in _waits():
        try:
            return attempt()
        except (JobLostError, UnseenError, ClientError, BotoCoreError) as error:
            if not _passes(error, last=last, new=new) or time.monotonic() + seconds > deadline:
                raise
            last = error
            log.warning("%s; asking again in %.1f s", error, seconds)
        _wait(seconds, meanwhile)
    raise AssertionError("there is always another wait")


def _passes(error: Exception, *, last: Exception | None, new: bool) -> bool:
    """Whether the same again may succeed.

    What was just created may not be seen yet. Each attempt has a new client: where also its
    credentials have expired, the connection has no others.
    """
    if exception_types.is_expired(error):
        return last is None or not exception_types.is_expired(last)
    return (new and isinstance(error, JobLostError)) or aws.passes(error)


def _waits() -> Iterator[float]:
    """Seconds before each further attempt: 1, 2, 4 ..., less up to a half, so that many part."""
    seconds = FIRST_SECONDS
    while True:
        yield seconds * random.uniform(0.5, 1.0)
        seconds = min(2 * seconds, LONGEST_SECONDS)


def _wait(seconds: float, meanwhile: Callable[[], object]) -> None:
    deadline = time.monotonic() + seconds
    meanwhile()
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, LOOK_SECONDS))
        meanwhile()


FIRST_SECONDS = 1.0
LONGEST_SECONDS = 30.0
LOOK_SECONDS = 0.5
