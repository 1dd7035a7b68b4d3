"""One thread per connection and service for all jobs that are waited for in this process.

It is a thread, not a coroutine: `dag.test()` runs each trigger in an event loop of its own, and
boto3 would block a triggerer's. The thread lives as long as there is something to wait for. How it
looks at the jobs is told in `looks.py`.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.looks import Kind, Looks, kind
from airflow_sm_pipelines.watches import Renew, Told, Watch

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

GRACE_SECONDS = 120.0
"""How long a job may be unknown to AWS after the wait for it has begun."""


class Poller:
    """Looks at the jobs of one connection, once in `poll_seconds`, until they have ended.

    A look that fails because AWS is busy or out of reach is repeated, later each time, and one that
    fails because credentials have expired with a client that `renew` makes; neither ever fails the
    waiting task. A refusal to describe a job ends its wait, and so does that AWS does not know it,
    `grace_seconds` after the wait has begun.
    """

    def __init__(
        self,
        client: "BaseClient",
        *,
        poll_seconds: float,
        grace_seconds: float = GRACE_SECONDS,
        renew: Renew | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.client = client
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._renew = renew
        self._sleep = sleep
        self._clock = clock
        self._chance = chance
        self._looks: dict[Kind, Looks] = {}
        self._watches: list[Watch] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(
        self, resource: aws.Resource, told: Told | None = None, renew: Renew | None = None
    ) -> "Future[str]":
        """A future of the job's final status; cancelling it ends the wait.

        `told` is called in the poller's thread with each status that differs from the one before;
        neither it nor `renew`, by which this wait can have another client, may raise.
        """
        watch = Watch(resource=resource, since=self._clock(), told=told, renew=renew)
        with self._lock:
            self._watches.append(watch)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="sm-pipelines-poller", daemon=True
                )
                self._thread.start()
        return watch.ended

    def _run(self) -> None:
        try:
            self._poll()
        except BaseException as error:
            self._give_up(error)  # a thread that dies may not leave tasks waiting for ever
            raise

    def _poll(self) -> None:
        failures = 0
        while watches := self._pending():
            began = self._clock()
            answered = self._look(watches)
            failures = 0 if answered else min(failures + 1, MOST_DOUBLINGS)
            if not self._pending():
                return
            self._sleep(self._pause(failures, self._clock() - began))

    def _pause(self, failures: int, took: float) -> float:
        """Seconds until the next look, which come from the start of this one where it answered."""
        if failures:
            longest = min(self._poll_seconds * 2.0**failures, SLOWEST_SECONDS)
            return longest * (1 - self._chance() / 2)
        return max(self._poll_seconds - took, self._poll_seconds / 2)

    def _pending(self) -> list[Watch]:
        """The jobs still to be looked at; where there is none the thread has to end at once.

        From then on the next watch starts another.
        """
        with self._lock:
            self._watches = [watch for watch in self._watches if not watch.ended.done()]
            if not self._watches:
                self._thread = None
            return list(self._watches)

    def _give_up(self, error: BaseException) -> None:
        with self._lock:
            watches, self._watches, self._thread = self._watches, [], None
        for watch in watches:
            watch.end(error)

    def _look(self, watches: Sequence[Watch]) -> bool:
        """Look at the jobs, kind by kind; False where AWS did not answer for all of them."""
        kinds: dict[Kind, list[Watch]] = {}
        for watch in watches:
            kinds.setdefault(kind(watch.resource), []).append(watch)
        answers = [self._look_at(each, alike) for each, alike in kinds.items()]
        return all(answers)

    def _look_at(self, each: Kind, watches: Sequence[Watch]) -> bool:
        looks = self._looks.setdefault(
            each,
            Looks(
                poll_seconds=self._poll_seconds,
                grace_seconds=self._grace_seconds,
                clock=self._clock,
            ),
        )
        try:
            looks.look(self.client, watches)
        except (ClientError, BotoCoreError) as error:
            log.warning("%s: no answer, trying again: %s", ", ".join(map(str, each)), error)
            if aws.expired(error):
                self._renew_client(watches)
            return False
        return True

    def _renew_client(self, watches: Sequence[Watch]) -> None:
        """Go on with the credentials that the connection has now, if they can be had."""
        renew = next((watch.renew for watch in reversed(watches) if watch.renew), self._renew)
        if renew is None:
            return
        renewed = renew()
        try:
            error = renewed.exception(timeout=RENEWAL_SECONDS)
        except (TimeoutError, CancelledError) as late:
            error = late
        if error is not None:
            log.warning("the connection gave no new client: %r", error)
            return
        client = renewed.result()
        # A connection that cannot be looked up is taken for an empty one, which leads elsewhere.
        if client.meta.endpoint_url == self.client.meta.endpoint_url:
            self.client = client
        else:
            log.warning("the connection leads to %s now", client.meta.endpoint_url)


def poller(
    connection: aws.Connection,
    client: "BaseClient",
    *,
    poll_seconds: float,
    grace_seconds: float = GRACE_SECONDS,
) -> Poller:
    """The process's poller of a connection, which goes on with `client`: it is the newest."""
    service = client.meta.service_model.service_name
    key = (connection, service, client.meta.endpoint_url, poll_seconds)
    with _LOCK:
        found = _POLLERS.get(key)
        if found is None:
            found = _POLLERS[key] = Poller(
                client,
                poll_seconds=poll_seconds,
                grace_seconds=grace_seconds,
                renew=lambda: _renewed(connection, service),
            )
    # Its credentials are those that the connection has now.
    found.client = client
    return found


def _renewed(connection: aws.Connection, service: str) -> "Future[BaseClient]":
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(connection.client, service)


SLOWEST_SECONDS = 120.0
MOST_DOUBLINGS = 16
RENEWAL_SECONDS = 60.0

_LOCK = threading.Lock()
_POLLERS: dict[tuple[aws.Connection, str, str, float], Poller] = {}
