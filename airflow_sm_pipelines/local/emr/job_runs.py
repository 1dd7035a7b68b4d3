"""The job runs of EMR Serverless, which really run.

An application has no workers: a job run is a process of this machine.
"""

import gzip
import logging
import shlex
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.account import Account, now
from airflow_sm_pipelines.local.emr import spark
from airflow_sm_pipelines.local.emr.bench import Bench, Ready
from airflow_sm_pipelines.local.emr.clusters import MakeBench
from airflow_sm_pipelines.local.emr.commands import Command
from airflow_sm_pipelines.local.errors import AwsError, JobError
from airflow_sm_pipelines.local.reasons import last_error

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]


class JobRun:
    """One job run, from SUBMITTED to its end."""

    def __init__(
        self,
        identifier: str,
        request: Fields,
        *,
        application: Fields,
        account: Account,
        folder: Path,
        bench: MakeBench,
    ) -> None:
        self.id = identifier
        self.request = request
        self.application = application
        self.folder = folder / identifier
        self.state = "SUBMITTED"
        self.details = ""
        self.created = self.updated = now()
        self.ended: datetime | None = None
        self._account = account
        self._bench = bench
        self._command = Command()
        self._cancelled = ""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.tags: Fields = request.get("tags") or {}

    @classmethod
    def read(cls, file: Path, *, account: Account, bench: MakeBench) -> Iterator["JobRun"]:
        """The job run that an earlier server has kept, unless it is of another region.

        What was in progress when that server died has failed. Raises `KeptError`, LookupError
        where it is none.
        """
        value = kept.read(file)
        run = cls(
            value["Id"],
            value["Request"],
            application=value["Application"],
            account=account,
            folder=file.parents[1],
            bench=bench,
        )
        if value["Arn"] != run.arn:
            return
        run.state, run.details, run.tags = value["State"], value["Details"], value["Tags"]
        run.created, run.updated = value["Created"], value["Updated"]
        run.ended = value["Ended"]
        if not run.is_final:
            run._move("FAILED", DIED)
        yield run

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL

    def start(self) -> None:
        """Run it."""
        self._keep()
        self._thread = threading.Thread(target=self._run, name=f"job run {self.id}", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Return when its process has ended."""
        if self._thread:
            self._thread.join()

    def tag(self, tags: Fields) -> None:
        """Give it these tags and no others."""
        with self._lock:
            self.tags = tags
            self._keep()

    def cancel(self, why: str, *, grace_seconds: float) -> None:
        """Cancel it, unless it has ended."""
        with self._lock:
            if self.is_final or self._cancelled:
                return
            self._cancelled = why
            self._move("CANCELLING")
        self._command.terminate(grace_seconds=grace_seconds)

    def summary(self) -> dict[str, Any]:
        """What ListJobRuns answers of it."""
        name = {"name": self.request["name"]} if self.request.get("name") else {}
        application = self.application["applicationId"]
        return {
            "applicationId": application,
            "id": self.id,
            **name,
            "arn": self.arn,
            "createdBy": f"arn:aws:iam::{self._account.id}:root",
            "createdAt": self.created.timestamp(),
            "updatedAt": self.updated.timestamp(),
            "executionRole": self.request["executionRoleArn"],
            "state": self.state,
            "stateDetails": self.details,
            "releaseLabel": self.application["releaseLabel"],
            "type": self.application.get("type", "SPARK"),
        }

    def described(self) -> dict[str, Any]:
        """What GetJobRun answers of it."""
        summary = self.summary()
        del summary["id"], summary["type"]
        told = ("configurationOverrides", "mode", "retryPolicy", "executionTimeoutMinutes")
        end = {"endedAt": self.ended.timestamp()} if self.ended else {}
        return {
            **{key: self.request[key] for key in told if self.request.get(key) is not None},
            **summary,
            **end,
            "jobRunId": self.id,
            "jobDriver": self.request["jobDriver"],
            "tags": self.tags,
        }

    @property
    def arn(self) -> str:
        """Its ARN."""
        region, account = self._account.region, self._account.id
        application = self.application["applicationId"]
        path = f"/applications/{application}/jobruns/{self.id}"
        return f"arn:aws:emr-serverless:{region}:{account}:{path}"

    def _move(self, state: str, details: str = "") -> None:
        self.updated = now()
        self.details = details[:LONGEST_DETAILS]
        if state in FINAL:
            self.ended = self.updated
        self.state = state
        self._keep()

    def _keep(self) -> None:
        """Write it to a file of its folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        value = {
            "Id": self.id,
            "Arn": self.arn,
            "Request": self.request,
            "Application": {key: self.application[key] for key in APPLICATION},
            "State": self.state,
            "Details": self.details,
            "Tags": self.tags,
            "Created": self.created,
            "Updated": self.updated,
            "Ended": self.ended,
        }
        kept.write(self.folder / RECORD, value)

    def _run(self) -> None:
        """From its start to its end; never left RUNNING, whatever happens."""
        failure = ""
        try:
            code = self._carried_out()
            if code:
                failure = f"Job failed, exit code {code}. {last_error(self.folder / 'stdout')}"
        except (JobError, OSError) as error:
            failure = f"Job failed, it is not executed by the local AWS: {error}"
        except Exception as error:
            logger.exception("job run %s: the local AWS failed", self.id)
            failure = f"Internal error: {type(error).__name__}: {error}"
        self._ship()
        with self._lock:
            if self._cancelled:
                self._move("CANCELLED", self._cancelled)
            else:
                self._move("FAILED" if failure else "SUCCESS", failure)

    def _carried_out(self) -> int:
        """The exit code of its command."""
        work = self.folder / "work"
        work.mkdir(parents=True)
        bench = self._bench(str(self.application["releaseLabel"]), work)
        ready = _ready(bench, self.request["jobDriver"])
        environment = bench.commands.environment(**ready.variables)
        with self._lock:
            if not self._cancelled:
                self._move("RUNNING")
        seconds = float(self.request.get("executionTimeoutMinutes") or DAY_MINUTES) * 60
        limit = threading.Timer(seconds, self.cancel, (EXCEEDED,), {"grace_seconds": 0})
        limit.daemon = True
        limit.start()
        try:
            return self._command.run(
                ready.argv, environment=environment, folder=work, log=self.folder / "stdout"
            )
        finally:
            limit.cancel()

    def _ship(self) -> None:
        """Put its log where the monitoring configuration says."""
        overrides = self.request.get("configurationOverrides") or {}
        monitoring = overrides.get("monitoringConfiguration") or {}
        uri = (monitoring.get("s3MonitoringConfiguration") or {}).get("logUri")
        log = self.folder / "stdout"
        if not uri or not log.exists():
            return
        packed = self.folder / "stdout.gz"
        packed.write_bytes(gzip.compress(log.read_bytes()))
        application = self.application["applicationId"]
        path = f"applications/{application}/jobs/{self.id}/SPARK_DRIVER/stdout.gz"
        try:
            self._bench("", self.folder).objects.upload(packed, f"{uri.rstrip('/')}/{path}")
        except JobError as error:
            logger.warning("job run %s: %s", self.id, error)


def check(request: Fields) -> None:
    """Refuse what EMR Serverless would refuse; its wording is inferred."""
    if not request.get("executionRoleArn"):
        raise AwsError("ValidationException", "executionRoleArn must be provided")
    given = [key for key in ("sparkSubmit", "hive") if (request.get("jobDriver") or {}).get(key)]
    if len(given) != 1:
        raise AwsError("ValidationException", "jobDriver must have one of sparkSubmit and hive")


def _ready(bench: Bench, driver: Fields) -> Ready:
    """The command of a job driver."""
    if "sparkSubmit" not in driver:
        raise JobError("Hive is not there; a Spark job run is")
    submit = driver["sparkSubmit"]
    words = shlex.split(submit.get("sparkSubmitParameters") or "")
    arguments = submit.get("entryPointArguments") or ()
    return spark.spark_submit(bench, [*words, submit["entryPoint"], *arguments])


RECORD = "job_run.json"
APPLICATION = ("applicationId", "releaseLabel", "type")
"""What is kept of its application with it."""
DIED = "Job failed: the local AWS ended while the job run was in progress."

FINAL = frozenset({"SUCCESS", "FAILED", "CANCELLED"})
DAY_MINUTES = 720
"""How long a job run may take that does not say so."""
EXCEEDED = "The job run was cancelled as it has exceeded its executionTimeoutMinutes."
LONGEST_DETAILS = 256
