"""The operator of Callback steps: tell a queue, wait for the answer, hand it on."""

import time
from dataclasses import asdict
from typing import Any, NoReturn
from urllib.parse import urlsplit

from airflow_sm_pipelines import callbacks, outputs, patience, settings
from airflow_sm_pipelines.callback_trigger import CallbackTrigger
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import JobFailedError
from airflow_sm_pipelines.operators import StepOperator
from airflow_sm_pipelines.scope import RunScope
from airflow_sm_pipelines.triggers import SETTLE_SECONDS


class CallbackOperator(StepOperator):
    """Sends the message of a step and waits, deferred, for the answer to its token.

    The token is stored before the message is sent: a try that follows one that died waits for the
    answer to the same token. A user's clear asks anew.
    """

    ui_color = "#e1d5e7"

    def execute(self, context: Any) -> dict[str, Json]:
        """Resolve, send, wait."""
        self.enter(context)
        with self.judging(context):
            scope = self.scope(context)
            client = self.connection.client("sagemaker")
            endpoint_url = client.meta.endpoint_url
            local = urlsplit(endpoint_url).hostname in settings.LOOPBACK
            told = self._tell(scope)
            run = _run_mailbox(context)
            mailbox = (
                callbacks.EndpointMailbox(client=client, execution_arn=told.execution_arn)
                if local
                else run
            )
            answer = _wait_here(mailbox, told.token, endpoint_url)
            if answer is None:
                self._defer(told, endpoint_url, run=None if local else (run.dag_id, run.run_id))
            return self._hand_on(told.token, answer)

    def resume(self, context: Any, event: dict[str, Any], *, token: str) -> dict[str, Json]:
        """Go on after the trigger has fired."""
        with self.judging(context):
            return self._hand_on(token, callbacks.Answer(**event))

    def _defer(
        self, told: callbacks.Message, endpoint_url: str, *, run: tuple[str, str] | None
    ) -> NoReturn:
        self.defer(
            trigger=CallbackTrigger(
                message=asdict(told),
                aws_conn_id=self.connection.conn_id,
                region_name=self.connection.region_name,
                run=run,
                poll_seconds=settings.poll_seconds(endpoint_url),
                first_look_seconds=SETTLE_SECONDS,
            ),
            method_name="resume",
            kwargs={"token": told.token},
            timeout=self.execution_timeout,
        )

    def _hand_on(self, token: str, answer: callbacks.Answer) -> dict[str, Json]:
        """What was answered, in the types that the step declares; a Failure fails the step."""
        if not answer.succeeded:
            raise JobFailedError(
                step=self.step.name,
                noun="callback",
                job_name=token,
                status="Failed",
                reason=answer.reason,
            )
        answered = outputs.typed(self.step, answer.outputs)
        return {"CallbackToken": token, outputs.OUTPUT_PARAMETERS: answered}

    def _tell(self, scope: RunScope) -> callbacks.Message:
        """The message that the queue has, from now on or from a try before."""
        mailbox, max_tries = _run_mailbox(scope.context), scope.context["ti"].max_tries
        key = f"callback:{self.step.name}"
        record: dict[str, Any] = mailbox.get(key) or {}
        if record.get("epoch") != max_tries:
            record = {"token": callbacks.new_token(), "epoch": max_tries, "sent": False}
            mailbox.set(key, record)
            mailbox.set(callbacks.token_key(record["token"]), {"step": self.step.name})
        message = callbacks.Message(
            token=record["token"],
            execution_arn=f"{scope.pipeline_arn}/execution/{scope.execution_id}",
            queue_url=str(resolve(self.step.keys["SqsQueueUrl"], scope)),
            arguments={key: resolve(value, scope) for key, value in self.step.arguments.items()},
        )
        if record["sent"]:
            self.log.info("%s has the token %s since before", message.queue_url, message.token)
            return message
        patience.persist(
            lambda: message.send(self.connection),
            at_most=settings.create_patience_seconds(),
            meanwhile=lambda: None,
            new=False,
        )
        mailbox.set(key, {**record, "sent": True})
        self.log.info("%s is told to answer with the token %s", message.queue_url, message.token)
        return message


def _run_mailbox(context: Any) -> callbacks.RunMailbox:
    return callbacks.RunMailbox(dag_id=context["ti"].dag_id, run_id=context["ti"].run_id)


def _wait_here(
    mailbox: callbacks.Mailbox, token: str, endpoint_url: str
) -> callbacks.Answer | None:
    """The answer, if there is one before the task is to defer."""
    deadline = time.monotonic() + settings.defer_after_seconds(endpoint_url)
    while (answer := mailbox.answer(token)) is None and time.monotonic() < deadline:
        time.sleep(settings.poll_seconds(endpoint_url))
    return answer
