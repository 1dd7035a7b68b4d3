"""The trigger that waits for the answer to a Callback step while its task is deferred."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async
from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, callbacks
from airflow_sm_pipelines.errors import AccessDeniedError
from airflow_sm_pipelines.triggers import outlast


class CallbackTrigger(BaseTrigger):
    """Fires once, when the token of a message has been answered: the `callbacks.Answer` as JSON.

    `message` is a `callbacks.Message` as a dictionary. `run` is the (dag_id, run_id) in whose XComs
    the answer will be; None where the endpoint of the connection has it. When a user ends the
    waiting task, the queue is told that the step is Stopping, as the service does.
    """

    def __init__(
        self,
        *,
        message: dict[str, Any],
        aws_conn_id: str | None,
        region_name: str | None = None,
        run: tuple[str, str] | None = None,
        poll_seconds: float,
        first_look_seconds: float = 0.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.message = callbacks.Message(**message)
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.answered_in = tuple(run) if run else None
        self.poll_seconds = poll_seconds
        self.first_look_seconds = first_look_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path of this class and the arguments to make it again."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "message": asdict(self.message),
                "aws_conn_id": self.aws_conn_id,
                "region_name": self.region_name,
                "run": self.answered_in,
                "poll_seconds": self.poll_seconds,
                "first_look_seconds": self.first_look_seconds,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is an answer; a look that fails is followed by the next."""
        await asyncio.sleep(self.first_look_seconds)
        # sync_to_async, not to_thread: connections and XComs call back into the triggerer's loop.
        mailbox = await outlast(sync_to_async(self._mailbox)())
        while (answer := await self._look(mailbox)) is None:
            await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent(answer.to_json())  # type: ignore[no-untyped-call]

    async def on_kill(self) -> None:
        """Tell the worker behind the queue that nobody waits any more."""
        try:
            await outlast(sync_to_async(self._send_stopping)())
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            self.log.error("%s: nobody was told that it stops: %s", self._callback, error)

    async def _look(self, mailbox: callbacks.Mailbox) -> callbacks.Answer | None:
        try:
            return await outlast(sync_to_async(mailbox.answer)(self.message.token))
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            self.log.warning("%s: %s", self._callback, error)
            return None

    def _mailbox(self) -> callbacks.Mailbox:
        if self.answered_in:
            dag_id, run_id = self.answered_in
            return callbacks.RunMailbox(dag_id=dag_id, run_id=run_id)
        client = self._connection.client("sagemaker")
        return callbacks.EndpointMailbox(client=client, execution_arn=self.message.execution_arn)

    @property
    def _connection(self) -> aws.Connection:
        return aws.Connection(self.aws_conn_id, self.region_name)

    @property
    def _callback(self) -> str:
        return f"callback {self.message.token}"

    def _send_stopping(self) -> None:
        self.message.send(self._connection, status="Stopping")
        self.log.info("%s: its queue is told that the step is Stopping", self._callback)
