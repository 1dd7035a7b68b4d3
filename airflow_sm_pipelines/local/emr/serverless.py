"""EMR Serverless as its callers see it: job runs are ours, the applications moto's.

To answer another operation, write its method and add a row to `OPERATIONS`.
"""

import functools
import json
import random
import string
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call, reads
from airflow_sm_pipelines.local.control.disruption import Answer
from airflow_sm_pipelines.local.emr import job_runs
from airflow_sm_pipelines.local.emr.clusters import MakeBench
from airflow_sm_pipelines.local.emr.job_runs import Fields, JobRun
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.members import members
from airflow_sm_pipelines.local.sessions import neutral_session


class EmrServerless:
    """All job runs of the local AWS, in folders below `folder`."""

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        bench: MakeBench,
        applications: Any,
        grace_seconds: float,
    ) -> None:
        self._account = account
        self._folder = folder
        self._bench = bench
        self._applications = applications
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._runs: dict[tuple[str, str], JobRun] = {}
        self._by_token: dict[tuple[str, str], JobRun] = {}
        self._closed = False

    def concern(self, call: Call) -> bool:
        """Whether a request is one that is answered here."""
        return call.service == "emr-serverless" and call.operation in OPERATIONS

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request."""
        try:
            told, effect = OPERATIONS[call.operation](self, _request(call, environ))
        except AwsError as error:
            refused = json_error(error.code, error.message, error.status)
            return Answer(response=refused, outcome=error.code)
        response = Response(
            json.dumps(told),
            content_type="application/json",
            headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )
        return Answer(response=response, effect=effect and not reads(call.operation))

    def close(self, *, grace_seconds: float) -> None:
        """Cancel every job run, and return when the last process has ended."""
        with self._lock:
            self._closed = True
            runs = list(self._runs.values())
        for run in runs:
            run.cancel("the local AWS was stopped", grace_seconds=grace_seconds)
        for run in runs:
            run.join()

    def _start(self, request: Fields) -> tuple[Fields, bool]:
        """A job run, or the one that the same token has started."""
        job_runs.check(request)
        application = self._application(request["applicationId"])
        key = (request["applicationId"], request["clientToken"])
        with self._lock:
            if self._closed:
                raise AwsError("InternalServerException", "the local AWS is being stopped", 500)
            run = self._by_token.get(key)
            started = run is None
            if run is None:
                run = self._by_token[key] = self._started(request, application)
        if not job_runs.same(run.request, request):
            # That it is refused is inferred: ConflictException is among the operation's errors.
            message = f"StartJobRun: token {key[1]!r} has been used for a different request"
            raise AwsError("ConflictException", message, 409)
        told = {"applicationId": key[0], "jobRunId": run.id, "arn": run.arn}
        return told, started

    def _started(self, request: Fields, application: Fields) -> JobRun:
        run = JobRun(
            f"00{''.join(random.choices(string.ascii_lowercase + string.digits, k=14))}",
            request,
            application=application,
            account=self._account,
            folder=self._folder,
            bench=self._bench,
        )
        self._runs[request["applicationId"], run.id] = run
        run.start()
        return run

    def _get(self, request: Fields) -> tuple[Fields, bool]:
        return {"jobRun": self._run(request).described()}, False

    def _list(self, request: Fields) -> tuple[Fields, bool]:
        """A page, the newest first; the token is where the next one begins."""
        identifier = request["applicationId"]
        self._application(identifier)
        with self._lock:
            runs = [run for (owner, _), run in self._runs.items() if owner == identifier][::-1]
        rows = [run.summary() for run in runs if _is_asked_for(run, request)]
        start, size = int(request.get("nextToken") or 0), int(request.get("maxResults") or PAGE)
        more = {"nextToken": str(start + size)} if len(rows) > start + size else {}
        return {"jobRuns": rows[start : start + size], **more}, False

    def _cancel(self, request: Fields) -> tuple[Fields, bool]:
        run = self._run(request)
        if run.is_final:
            message = f"Job run {run.id} is in state {run.state} and can not be cancelled"
            raise AwsError("ValidationException", message)
        run.cancel("Job run was cancelled by user", grace_seconds=self._grace_seconds)
        return {"applicationId": request["applicationId"], "jobRunId": run.id}, True

    def _run(self, request: Fields) -> JobRun:
        key = (request["applicationId"], request["jobRunId"])
        with self._lock:
            run = self._runs.get(key)
        if run is None:
            message = f"Job run {key[1]} does not exist"
            raise AwsError("ResourceNotFoundException", message, 404)
        return run

    def _application(self, identifier: str) -> Fields:
        """moto's application, started if need be, as its first job run does."""
        client = self._applications
        try:
            told = client.get_application(applicationId=identifier)["application"]
            if told["state"] in {"CREATED", "STOPPED"}:
                client.start_application(applicationId=identifier)
        except ClientError as error:
            detail = error.response["Error"]
            raise AwsError(detail["Code"], detail["Message"], 404) from error
        return dict(told)


def _is_asked_for(run: JobRun, request: Fields) -> bool:
    """Whether a list that is asked for with these filters has it."""
    created = run.created.timestamp()
    after, before = request.get("createdAtAfter"), request.get("createdAtBefore")
    if (after is not None and created <= after) or (before is not None and created >= before):
        return False
    return not request.get("states") or run.state in request["states"]


def _request(call: Call, environ: dict[str, Any]) -> dict[str, Any]:
    """The members of a request, once they are seen to be good."""
    request = members(call, environ)
    shapes.conforms(request, _model().operation_model(call.operation).input_shape)
    return request


@functools.cache
def _model() -> ServiceModel:
    return neutral_session().get_service_model("emr-serverless")


PAGE = 50

Told = tuple[Mapping[str, Any], bool]
"""What is answered, and whether something was made or changed."""

OPERATIONS: dict[str, Callable[[EmrServerless, Fields], Told]] = {
    "CancelJobRun": EmrServerless._cancel,
    "GetJobRun": EmrServerless._get,
    "ListJobRuns": EmrServerless._list,
    "StartJobRun": EmrServerless._start,
}
