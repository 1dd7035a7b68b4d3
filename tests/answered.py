"""Real boto3 clients, whose answers are written down or made without a server."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3

from airflow_sm_pipelines.local import listing
from tests.fakes import training_job

SESSION = boto3.Session("key", "secret", region_name="us-east-1")
Answer = tuple[int, dict[str, Any]]


def refusal(code: str, message: str = "", *, status: int = 400) -> Answer:
    """What AWS answers when it does not do what it is asked."""
    metadata = {"HTTPStatusCode": status}
    return status, {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}


class FakeAws:
    """What a client is answered, in order: answers, errors to raise, or what a function does."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        """Names that were described, and List operations."""
        self.requests: list[dict[str, Any]] = []
        self.answers: list[Any] = []
        self.client: Any = SESSION.client("sagemaker")
        self.client.meta.events.register("before-call.sagemaker", self._answer)

    def says(self, *statuses: str) -> None:
        self.answers += [(200, training_job(status)) for status in statuses]

    def lists(self, *jobs: dict[str, Any], token: str | None = None) -> None:
        """The next answer is a page of training jobs."""
        more = {"NextToken": token} if token else {}
        self.answers.append((200, {"TrainingJobSummaries": list(jobs), **more}))

    def refuses(self, code: str, message: str = "", *, status: int = 400) -> None:
        self.answers.append(refusal(code, message, status=status))

    def _answer(self, model: Any, params: Any, **_: Any) -> Any:
        assert self.answers, "asked once too often"
        request = json.loads(params["body"])
        self.requests.append(request)
        self.asked.append(request.get("TrainingJobName", model.name))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        status, parsed = answer() if callable(answer) else answer
        return SimpleNamespace(status_code=status), parsed


class Account:
    """Transform jobs as the service describes and lists them, without a server."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        """The operations that the client has called, in order."""
        self.requests: list[dict[str, Any]] = []
        self.refused: dict[str, Answer] = {}
        """Operation -> what is answered instead."""
        self.jobs: dict[str, dict[str, Any]] = {}
        self.client: Any = SESSION.client("sagemaker")
        self.client.meta.events.register("before-call.sagemaker", self._answer)

    def start(self, count: int, *, age: timedelta = timedelta()) -> list[str]:
        """So many new jobs, each newer than those before; their names, the oldest first."""
        names = [f"job-{len(self.jobs) + number}" for number in range(count)]
        for name in names:
            moment = datetime.now(UTC) - age
            self.jobs[name] = {
                "TransformJobName": name,
                "TransformJobArn": f"arn:{name}",
                "TransformJobStatus": "InProgress",
                "CreationTime": moment,
                "LastModifiedTime": moment,
            }
        return names

    def end(self, name: str) -> None:
        """The job is Stopped."""
        self.jobs[name]["TransformJobStatus"] = "Stopped"

    def forget(self) -> None:
        """Begin anew to note what is called."""
        self.calls.clear()
        self.requests.clear()

    def _answer(self, model: Any, params: Any, **_: Any) -> Any:
        request = json.loads(params["body"])
        self.calls.append(model.name)
        self.requests.append(request)
        status, parsed = self.refused.get(model.name) or self._known(model.name, request)
        return SimpleNamespace(status_code=status), parsed

    def _known(self, operation: str, request: dict[str, Any]) -> Answer:
        if operation == "ListTransformJobs":
            return 200, dict(listing.page(operation, request, self.jobs.values()))
        if job := self.jobs.get(request["TransformJobName"]):
            return 200, job
        return refusal("ValidationException", "Could not find requested job with name: job.")
