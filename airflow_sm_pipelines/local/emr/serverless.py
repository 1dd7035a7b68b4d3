"""EMR Serverless as its callers see it: job runs, tags, and the applications of `applications.py`.

To answer another operation, write its method and add a row to `OPERATIONS`.
"""

import json
import logging
import random
import string
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call, reads
from airflow_sm_pipelines.local.control.disruption import Answer
from airflow_sm_pipelines.local.emr import applications, job_runs
from airflow_sm_pipelines.local.emr.applications import Applications, Told, check_token, page
from airflow_sm_pipelines.local.emr.clusters import MakeBench
from airflow_sm_pipelines.local.emr.job_runs import Fields, JobRun
from airflow_sm_pipelines.local.errors import AwsError, KeptError
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.members import checked

logger = logging.getLogger(__name__)


class EmrServerless:
    """All job runs and applications of the local AWS, in folders below `folder`."""

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        bench: MakeBench,
        grace_seconds: float,
    ) -> None:
        self._account = account
        self._folder = folder
        self._bench = bench
        self._applications = Applications(account, Shelf(folder / "applications"))
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._runs: dict[tuple[str, str], JobRun] = {}
        self._by_token: dict[tuple[str, str], JobRun] = {}
        self._earlier_read = False
        self._closed = False

    def concern(self, call: Call) -> bool:
        """Whether a request is one that is answered here."""
        return call.service == "emr-serverless"

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request."""
        try:
            told, effect = self._answered(call, environ)
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

    def _answered(self, call: Call, environ: dict[str, Any]) -> Told:
        if call.operation not in OPERATIONS.keys() | applications.OPERATIONS.keys():
            what = call.operation or f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            message = f"emr-serverless: {what} is not there in the local AWS"
            raise AwsError("NotImplemented", message)
        request = checked(call, environ)
        self._read_earlier()
        if call.operation in OPERATIONS:
            return OPERATIONS[call.operation](self, request)
        return applications.OPERATIONS[call.operation](self._applications, request)

    def _read_earlier(self) -> None:
        """Know the job runs of an earlier server, once somebody asks for anything."""
        with self._lock:
            if self._earlier_read:
                return
            self._earlier_read = True
            found: list[JobRun] = []
            for file in self._folder.glob(f"*/{job_runs.RECORD}"):
                try:
                    found += JobRun.read(file, account=self._account, bench=self._bench)
                except (KeptError, LookupError, TypeError, AttributeError) as error:
                    logger.warning("%s: left out: %s", file, error)
            for run in sorted(found, key=lambda each: each.created):
                self._add(run)

    def _add(self, run: JobRun) -> None:
        owner = run.application["applicationId"]
        self._runs[owner, run.id] = run
        self._by_token[owner, run.request["clientToken"]] = run

    def _start(self, request: Fields) -> Told:
        """A job run, or the one that the same token has started."""
        job_runs.check(request)
        application = self._applications.for_run(request["applicationId"])
        key = (request["applicationId"], request["clientToken"])
        with self._lock:
            if self._closed:
                raise AwsError("InternalServerException", "the local AWS is being stopped", 500)
            run = self._by_token.get(key)
            started = run is None
            if run is None:
                run = self._started(request, application)
        check_token("StartJobRun", run.request, request)
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
        self._add(run)
        run.start()
        return run

    def _get(self, request: Fields) -> Told:
        return {"jobRun": self._run(request).described()}, False

    def _list(self, request: Fields) -> Told:
        """A page, the newest first; the token is where the next one begins."""
        identifier = request["applicationId"]
        self._applications.describe(identifier)
        with self._lock:
            runs = [run for (owner, _), run in self._runs.items() if owner == identifier][::-1]
        rows = [run.summary() for run in runs if _is_asked_for(run, request)]
        return page("jobRuns", rows, request), False

    def _cancel(self, request: Fields) -> Told:
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

    def _tag(self, request: Fields) -> Told:
        self._retag(request, lambda tags: {**tags, **request["tags"]})
        return {}, True

    def _untag(self, request: Fields) -> Told:
        gone = request["tagKeys"]
        self._retag(request, lambda tags: {key: tags[key] for key in tags if key not in gone})
        return {}, True

    def _list_tags(self, request: Fields) -> Told:
        arn = request["resourceArn"]
        run = self._run_of(arn)
        return {"tags": run.tags if run else self._applications.tags(arn)}, False

    def _retag(self, request: Fields, change: Callable[[Fields], Fields]) -> None:
        """Change the tags of a job run, or of an application."""
        arn = request["resourceArn"]
        if run := self._run_of(arn):
            run.tag(change(run.tags))
        else:
            self._applications.tag(arn, change)

    def _run_of(self, arn: str) -> JobRun | None:
        with self._lock:
            return next((run for run in self._runs.values() if run.arn == arn), None)


def _is_asked_for(run: JobRun, request: Fields) -> bool:
    """Whether a list that is asked for with these filters has it."""
    created = run.created.timestamp()
    after, before = request.get("createdAtAfter"), request.get("createdAtBefore")
    if (after is not None and created <= after) or (before is not None and created >= before):
        return False
    return not request.get("states") or run.state in request["states"]


OPERATIONS: dict[str, Callable[[EmrServerless, Fields], Told]] = {
    "CancelJobRun": EmrServerless._cancel,
    "GetJobRun": EmrServerless._get,
    "ListJobRuns": EmrServerless._list,
    "ListTagsForResource": EmrServerless._list_tags,
    "StartJobRun": EmrServerless._start,
    "TagResource": EmrServerless._tag,
    "UntagResource": EmrServerless._untag,
}
