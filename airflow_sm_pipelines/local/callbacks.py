"""The callbacks of pipelines: whose messages passed through a queue, and what was answered.

SageMaker Pipelines makes a token for each Callback step, sends it to the step's queue and waits for
the answer. Here whoever runs the pipeline sends that message: a token is known from then on, and
ListPipelineExecutionSteps of the message's execution has the answer. The message does not name its
step, so neither does that list where the execution is not one of this server's own.
"""

import logging
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from airflow_sm_pipelines.local import listing
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.calls import Call, as_object
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.kept import Notes

logger = logging.getLogger(__name__)

LISTED = "ListPipelineExecutionSteps"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Callback:
    token: str
    execution_arn: str
    queue_url: str
    started: datetime
    status: str = "Executing"
    ended: datetime | None = None
    outputs: tuple[Fields, ...] = ()
    reason: str = ""

    def step(self) -> Fields:
        """As an element of ListPipelineExecutionSteps."""
        return {
            # What the list is sorted by; no answer has them.
            "CreationTime": self.started,
            "PipelineExecutionStepArn": self.token,
            "PipelineExecutionStepName": self.token,
            "StartTime": self.started,
            **({"EndTime": self.ended} if self.ended else {}),
            "StepStatus": self.status,
            **({"FailureReason": self.reason} if self.reason else {}),
            "Metadata": {
                "Callback": {
                    "CallbackToken": self.token,
                    "SqsQueueUrl": self.queue_url,
                    "OutputParameters": list(self.outputs),
                }
            },
        }


class Callbacks:
    """The callbacks that have been heard of, oldest first; `notes` outlive the server."""

    def __init__(self, notes: Notes) -> None:
        self._lock = threading.Lock()
        self._notes = notes
        earlier = sorted(_read(notes), key=lambda each: each.started)
        self._by_token = {each.token: each for each in earlier}

    def hear(self, call: Call, content: bytes) -> None:
        """Notice the message of a Callback step among the requests to SQS."""
        if (call.service, call.operation) != ("sqs", "SendMessage"):
            return
        request = as_object(content)
        message = as_object(request.get("MessageBody", ""))
        token, arn = message.get("token"), message.get("pipelineExecutionArn")
        if isinstance(token, str) and isinstance(arn, str):
            heard = _Callback(
                token=token,
                execution_arn=arn,
                queue_url=str(request.get("QueueUrl", "")),
                started=now(),
            )
            with self._lock:
                if token not in self._by_token:
                    self._put(heard)

    def succeed(self, request: Fields) -> Fields:
        """SendPipelineExecutionStepSuccess."""
        outputs = tuple(request.get("OutputParameters") or ())
        return self._answered(request, status="Succeeded", outputs=outputs)

    def fail(self, request: Fields) -> Fields:
        """SendPipelineExecutionStepFailure."""
        return self._answered(request, status="Failed", reason=request.get("FailureReason", ""))

    def steps(self, request: Fields) -> Fields:
        """ListPipelineExecutionSteps, of which only the callbacks are known."""
        return listing.page(LISTED, request, self.of(request.get("PipelineExecutionArn", "")))

    def of(self, execution_arn: str) -> list[Fields]:
        """The callbacks of an execution, oldest first."""
        with self._lock:
            heard = list(self._by_token.values())
        return [each.step() for each in heard if each.execution_arn == execution_arn]

    def _answered(self, request: Fields, **answer: Any) -> Fields:
        token = request["CallbackToken"]
        with self._lock:
            asked = self._by_token.get(token)
            # The wording of both is inferred, the codes are those of the service model.
            if asked is None:
                raise AwsError("ResourceNotFound", f"Callback token {token} does not exist.")
            if asked.ended:
                raise AwsError("ConflictException", f"Callback token {token} is answered already.")
            self._put(replace(asked, ended=now(), **answer))
        return {"PipelineExecutionArn": asked.execution_arn}

    def _put(self, callback: _Callback) -> None:
        self._by_token[callback.token] = callback
        self._notes.put(callback.token, asdict(callback))


def _read(notes: Notes) -> Iterator[_Callback]:
    """The callbacks of an earlier server; what is none is told."""
    for token, value in notes.all():
        try:
            yield _Callback(**{**value, "outputs": tuple(value["outputs"])})
        except (LookupError, TypeError) as error:
            logger.warning("callback %s: left out: %r", token, error)
