"""One poll loop per connection for all jobs that are waited for in this process.

It is a thread, not a coroutine: `dag.test()` runs each trigger in an event loop of its own, and
boto3 would block a triggerer's. The thread lives as long as there is something to wait for.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.errors import AccessDeniedError, JobLostError

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """A job that is waited for; `ended` becomes its final status."""

    resource: aws.Resource
    ended: Future[str] = field(default_factory=Future)


class Poller:
    """Describes the jobs of one connection, each once in `poll_seconds`, until they have ended.

    A look that fails because AWS is busy or out of reach is repeated, later each time, and never
    fails the waiting task. Any other error (a refusal, a job that is gone) ends that job's wait.
    """

    def __init__(
        self,
        client: "BaseClient",
        *,
        poll_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._watches: list[Watch] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, resource: aws.Resource) -> Future[str]:
        """A future of the job's final status; cancelling it ends the wait."""
        watch = Watch(resource)
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
            answered = self._look(watches)
            failures = 0 if answered else min(failures + 1, MOST_DOUBLINGS)
            if not self._pending():
                return
            self._sleep(min(self._poll_seconds * 2**failures, SLOWEST_SECONDS))

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
            _end(watch, error)

    def _look(self, watches: list[Watch]) -> bool:
        """Describe each job; False as soon as AWS does not answer."""
        for watch in watches:
            try:
                described = aws.describe(self.client, watch.resource)
            except (AccessDeniedError, JobLostError, ClientError, BotoCoreError) as error:
                if aws.passes(error):
                    log.warning("%s: no answer, trying again: %s", watch.resource, error)
                    return False
                _end(watch, error)
            else:
                if status := watch.resource.final_status(described):
                    _end(watch, status)
        return True


def poller(connection: aws.Connection, client: "BaseClient", *, poll_seconds: float) -> Poller:
    """The process's poller of a connection, which goes on with `client`: it is the newest."""
    key = (connection, client.meta.endpoint_url, poll_seconds)
    with _LOCK:
        found = _POLLERS.setdefault(key, Poller(client, poll_seconds=poll_seconds))
    # Its credentials are those that the connection has now.
    found.client = client
    return found


def _end(watch: Watch, result: str | BaseException) -> None:
    # False where the waiting side has cancelled the future in the meantime.
    if not watch.ended.set_running_or_notify_cancel():
        return
    if isinstance(result, BaseException):
        watch.ended.set_exception(result)
    else:
        watch.ended.set_result(result)


SLOWEST_SECONDS = 120.0
MOST_DOUBLINGS = 16

_LOCK = threading.Lock()
_POLLERS: dict[tuple[aws.Connection, str, float], Poller] = {}
