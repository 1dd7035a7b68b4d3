"""What passes between a Callback step and whoever works for it: a message out, an answer back.

The message goes to the step's queue as the service sends it; the worker answers with
SendPipelineExecutionStepSuccess or -Failure and the message's token. SageMaker itself would not
know the token: on the local AWS the answer is asked of its endpoint, elsewhere the plugin
(`plugin.py`) takes it and leaves it as an XCom of the run's last task, which no retry of a step
clears.
"""

import json
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from airflow_sm_pipelines import aws, naming
from airflow_sm_pipelines.definition.node import Json

if TYPE_CHECKING:
    from botocore.client import BaseClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a worker has answered; `outputs` are text, as the API takes them."""

    succeeded: bool
    outputs: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def to_json(self) -> dict[str, Json]:
        """The answer as an XCom or an event holds it."""
        stored: dict[str, Json] = asdict(self)
        return stored

    @classmethod
    def of_step(cls, step: Mapping[str, Any]) -> "Answer | None":
        """The answer in an element of ListPipelineExecutionSteps; None before there is one."""
        callback = step["Metadata"]["Callback"]
        if step["StepStatus"] not in ("Succeeded", "Failed"):
            return None
        return cls(
            succeeded=step["StepStatus"] == "Succeeded",
            outputs={each["Name"]: each["Value"] for each in callback["OutputParameters"]},
            reason=step.get("FailureReason", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a step tells its queue."""

    token: str
    execution_arn: str
    queue_url: str
    arguments: dict[str, Any]

    def send(self, connection: aws.Connection, status: str = "Executing") -> None:
        """Send it, in the region of the queue.

        A queue that keeps an order drops one that is sent twice; another may deliver any twice.
        """
        region = region_of(self.queue_url) or connection.region_name
        body = {
            "token": self.token,
            "pipelineExecutionArn": self.execution_arn,
            "status": status,
            "arguments": self.arguments,
        }
        order = {
            "MessageGroupId": self.token,
            "MessageDeduplicationId": f"{self.token}-{status}",
        }
        aws.call(
            aws.Connection(connection.conn_id, region).client("sqs"),
            "SendMessage",
            {
                "QueueUrl": self.queue_url,
                "MessageBody": json.dumps(body),
                **(order if self.queue_url.endswith(".fifo") else {}),
            },
        )


class Mailbox(Protocol):
    """Where the answer to a token is found."""

    def answer(self, token: str) -> Answer | None:
        """The answer, once there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointMailbox:
    """Answers that the endpoint of the step's own connection has taken: the local AWS."""

    client: "BaseClient"
    execution_arn: str

    def answer(self, token: str) -> Answer | None:
        request = {"PipelineExecutionArn": self.execution_arn}
        for page in aws.pages(self.client, "ListPipelineExecutionSteps", request):
            for step in page["PipelineExecutionSteps"]:
                if step["Metadata"].get("Callback", {}).get("CallbackToken") == token:
                    return Answer.of_step(step)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMailbox:
    """Answers that the plugin has taken, in XComs of an Airflow run."""

    dag_id: str
    run_id: str

    def answer(self, token: str) -> Answer | None:
        stored = (self.get(token_key(token)) or {}).get(ANSWER)
        return Answer(**stored) if stored else None

    def get(self, key: str) -> Any:
        """An XCom of the run's last task."""
        return _xcom().get_one(
            key=key, dag_id=self.dag_id, run_id=self.run_id, task_id=naming.END_TASK
        )

    def set(self, key: str, value: Json) -> None:
        """Store an XCom of the run's last task."""
        _xcom().set(key, value, dag_id=self.dag_id, run_id=self.run_id, task_id=naming.END_TASK)


def new_token() -> str:
    """A token that nobody can guess: who has it may answer."""
    return "".join(secrets.choice(ALPHABET) for _ in range(TOKEN_LENGTH))


def token_key(token: str) -> str:
    """The key of the XCom by which the plugin knows the run of a token, and puts the answer in."""
    return f"callback-token:{token}"


def region_of(queue_url: str) -> str | None:
    """The region in the URL of a queue of AWS's; None for another."""
    found = re.match(r"https://(?:sqs\.([\w-]+)|([\w-]+)\.queue)\.amazonaws\.com", queue_url)
    return found and (found[1] or found[2])


def _xcom() -> Any:
    # Known at run time alone: it is the backend that Airflow is configured with.
    from airflow.providers.common.compat.sdk import XCom

    return XCom


ANSWER = "answer"
TOKEN_LENGTH = 10
ALPHABET = string.ascii_letters + string.digits
