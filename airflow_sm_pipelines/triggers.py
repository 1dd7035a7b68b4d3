"""The trigger that waits for a job while its task is deferred."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async
from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, clients, stops
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import AccessDeniedError, JobLostError
from airflow_sm_pipelines.poller import poller
from airflow_sm_pipelines.watches import Renew, Told

if TYPE_CHECKING:
    from botocore.client import BaseClient


T = TypeVar("T")


class JobTrigger(BaseTrigger):
    """Fires once, when a job has reached a final status: `{"identifier": ..., "status": ...}`, and
    `told_apart` where it has that.

    `status` is None where AWS would not tell; the task then asks for itself and sees why. The job
    is stopped when a user marks the waiting task or clears it, never by a triggerer's restart, and
    not where it is not `owned`: then another task has created it. It does not fire before
    `first_look_seconds`.
    """

    def __init__(
        self,
        *,
        step_type: str,
        identifier: str,
        aws_conn_id: str | None,
        region_name: str | None = None,
        poll_seconds: float,
        first_look_seconds: float = 0.0,
        told_apart: Mapping[str, str] | None = None,
        unchanged_since: str = "",
        owned: bool = True,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.step_type = step_type
        self.identifier = identifier
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.poll_seconds = poll_seconds
        self.first_look_seconds = first_look_seconds
        self.told_apart = dict(told_apart or {})
        self.unchanged_since = unchanged_since
        self.owned = owned

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of this class and the arguments to make it again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "step_type": self.step_type,
                "identifier": self.identifier,
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "poll_seconds": self.poll_seconds,
                "first_look_seconds": self.first_look_seconds,
                "told_apart": self.told_apart,
                "unchanged_since": self.unchanged_since,
                "owned": self.owned,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait in the process-wide poller."""
        await asyncio.sleep(self.first_look_seconds)
        try:
            status = await self._final_status()
        except (AccessDeniedError, JobLostError, ClientError, BotoCoreError) as error:
            self.log.warning("%s: %s", self._resource, error)
            status = None
        payload: dict[str, Any] = {"identifier": self.identifier, "status": status}
        if self.told_apart:  # `dag.test()` resumes a task with the event alone
            payload["told_apart"] = self.told_apart
        yield TriggerEvent(payload)  # type: ignore[no-untyped-call]

    async def _final_status(self) -> str:
        client = await outlast(self._client())
        watching = poller(self._connection, client, poll_seconds=self.poll_seconds)
        loop, context = asyncio.get_running_loop(), copy_context()
        ended = watching.watch(
            self._resource, told=self._teller(loop, context), renew=self._renewer(loop)
        )
        return await asyncio.wrap_future(ended)

    async def on_kill(self) -> None:
        """Stop the job, since a user has ended the task."""
        if not self.owned:
            self.log.info("%s is another task's: it goes on", self._resource)
            return
        await outlast(self._stop())

    async def _stop(self) -> None:
        try:
            client = await self._client()
            await asyncio.to_thread(stops.stop, client, self._resource)
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            self.log.error("%s could not be stopped and may go on: %s", self._resource, error)

    @property
    def _resource(self) -> aws.Resource:
        job = STEP_TYPES[self.step_type].job
        assert job is not None, f"{self.step_type} steps create no job"
        return aws.Resource(
            job,
            self.identifier,
            told_apart=self.told_apart,
            unchanged_since=self.unchanged_since,
        )

    @property
    def _connection(self) -> aws.Connection:
        return aws.Connection(self.aws_conn_id, self.region_name)

    def _teller(self, loop: asyncio.AbstractEventLoop, context: Context) -> Told:
        """What writes a status to the task's log: the context tells the log which task's it is."""

        def told(text: str) -> None:
            with suppress(RuntimeError):  # the loop has ended, and the wait with it
                loop.call_soon_threadsafe(
                    partial(self.log.info, "%s: %s", self._resource, text), context=context
                )

        return told

    def _renewer(self, loop: asyncio.AbstractEventLoop) -> Renew:
        """What makes a client anew, called in another thread than the loop's."""

        def renew() -> "Future[BaseClient]":
            making = self._client(clients.renewed)
            try:
                return asyncio.run_coroutine_threadsafe(making, loop)
            except RuntimeError as error:  # the loop has ended, and the wait with it
                making.close()
                failed: Future[BaseClient] = Future()
                failed.set_exception(error)
                return failed

        return renew

    async def _client(
        self, have: "Callable[[aws.Connection, str], BaseClient]" = clients.recent
    ) -> "BaseClient":
        # sync_to_async and not to_thread: the look-up of the connection calls back into the
        # triggerer's event loop.
        return await sync_to_async(have)(self._connection, self._resource.job.service)


async def outlast(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns; it goes on to its end where whoever waits for it is cancelled.

    Airflow 3.3.2 cancels a trigger again each second until it has ended, also while it is in its
    `on_kill`. And sync_to_async drops the message of a cancellation that comes meanwhile, by which
    Airflow tells a user's decision from its own end; without it no `on_kill` is called.
    """
    going_on = asyncio.create_task(work)
    _GOING_ON.add(going_on)
    going_on.add_done_callback(_GOING_ON.discard)
    return await asyncio.shield(going_on)


# Airflow hears of a deferral from the task and, up to seconds later, from the executor. A task that
# is resumed in between is taken for failed: "finished with state success, but the task instance's
# state attribute is running".
SETTLE_SECONDS = 5.0

# The event loop itself holds its tasks weakly.
_GOING_ON: "set[asyncio.Task[Any]]" = set()
