"""What a job runs on: isolation, images, S3, logs, and the environment of its process."""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.entrance import Entrance
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.images import ImageError, Images, Runtime
from airflow_sm_pipelines.local.job import Job
from airflow_sm_pipelines.local.logs import Logs
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.sandbox import Isolation

# All that a job sees of the shell that started the local AWS.
_PASSED_ON = ("HOME", "LANG", "TZ")

_DAY_SECONDS = 86_400  # how long a job may run where its request does not say

# The service model does not require the member, and AWS has no default for it.
NO_INSTANCE_TYPE = "{where}.InstanceType: missing; it would be such as 'ml.m5.large'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The local stand-in for an instance; `environment` is what every job's process gets.

    `entrance` is the way to the local AWS from networks that only a server's process is in.
    """

    isolation: Isolation
    images: Images
    objects: Objects
    logs: Logs
    environment: Mapping[str, str]
    entrance: Entrance = field(default_factory=Entrance)

    def runtime(self, job: Job, image_uri: str) -> Runtime:
        """What stands for an image, with an environment of the job's own for its pip."""
        try:
            return self.images.runtime(image_uri).for_job(job.folder / "python")
        except ImageError as error:
            raise JobError(f"ClientError: {error}") from error

    def run(
        self,
        job: Job,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        log_group: str,
    ) -> int:
        """Run a job's command to its end, in its own /opt/ml; its exit code."""
        work = job.folder / "work"
        work.mkdir()
        stream = f"{job.name}/algo-1-{int(job.describe()['CreationTime'].timestamp())}"
        condition = job.request.get("StoppingCondition") or {}
        limit_seconds = condition.get("MaxRuntimeInSeconds", _DAY_SECONDS)
        limit = threading.Timer(limit_seconds, _exceeded, (job, limit_seconds))
        limit.daemon = True
        with self.logs.follow(job.log, group=log_group, stream=stream):
            process = Process(
                self.isolation.command(argv, job.ml),
                environment=environment,
                folder=work,
                log=job.log,
            )
            with job.running(process):
                limit.start()
                code = process.wait()
            limit.cancel()
        return code

    def process_environment(
        self, runtime: Runtime, requested: Mapping[str, str], **contract: str
    ) -> dict[str, str]:
        """The whole environment of a job's process: nothing else reaches it."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {
            **passed_on,
            # Every SageMaker image sets it; without it a log would come in blocks.
            "PYTHONUNBUFFERED": "1",
            **runtime.environment,
            **self.environment,
            **contract,
            **requested,
        }


def inside(ml: Path, local_path: str) -> Path:
    """Where a path below /opt/ml is on this machine."""
    path = Path(os.path.normpath(local_path))
    if not path.is_relative_to("/opt/ml"):
        raise JobError(f"ClientError: LocalPath {local_path!r} must be below /opt/ml")
    return ml / path.relative_to("/opt/ml")


def write_json(file: Path, value: Any) -> None:
    """Write one of the files that the container contract promises."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, default=str), encoding="utf-8")


def _exceeded(job: Job, limit_seconds: int) -> None:
    job.note(f"stopped after MaxRuntimeInSeconds = {limit_seconds}")
    job.stop("MaxRuntimeExceeded")
