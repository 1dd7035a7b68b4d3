"""What a job runs on: isolation, images, S3, logs, and the environment of its process."""

import json
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import engines, roots
from airflow_sm_pipelines.local.crew import Crew, Outcome
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.hosts import HOMOGENEOUS, Host, log_of, write_names
from airflow_sm_pipelines.local.images import ImageError, Images, Runtime
from airflow_sm_pipelines.local.job import Job
from airflow_sm_pipelines.local.logs import Logs
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.sandbox import Isolation
from airflow_sm_pipelines.local.serving.entrance import Entrance

# All that a job sees of the shell that started the local AWS.
_PASSED_ON = ("HOME", "LANG", "TZ")

DAY_SECONDS = 86_400  # how long a job may run where its request does not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What a host is to run, and with which variables."""

    host: Host
    argv: Sequence[str]
    environment: Mapping[str, str]


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

    def runtime(self, owner: Job | Host, image_uri: str) -> Runtime:
        """What stands for an image, with an environment of the owner's own for its pip."""
        try:
            return self.images.runtime(image_uri).for_job(owner.folder / "python")
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
        """Run the command of a job with one host to its end; its exit code."""
        host = Host(name="algo-1", instance_type="", group=HOMOGENEOUS, folder=job.folder)
        launch = Launch(host=host, argv=argv, environment=environment)
        return self.run_hosts(job, [launch], log_group=log_group).code

    def run_hosts(self, job: Job, launches: Sequence[Launch], *, log_group: str) -> Outcome:
        """Run the commands of a job's hosts to their end, each in its own /opt/ml."""
        created = int(job.describe()["CreationTime"].timestamp())
        condition = job.request.get("StoppingCondition") or {}
        limit_seconds = condition.get("MaxRuntimeInSeconds", DAY_SECONDS)
        limit = threading.Timer(limit_seconds, _exceeded, (job, limit_seconds))
        limit.daemon = True
        names = write_names(job, [launch.host for launch in launches])
        with ExitStack() as ending:
            for launch in launches:
                stream = f"{job.name}/{launch.host.name}-{created}"
                log = log_of(launch.host)
                ending.enter_context(self.logs.follow(log, group=log_group, stream=stream))
            crew = self._crew(launches, names)
            with job.running(crew):
                limit.start()
                outcome = crew.wait()
            limit.cancel()
        for launch in launches:
            roots.clear(launch.host.folder / "work")
        return outcome

    def _crew(self, launches: Sequence[Launch], names: Path) -> Crew:
        """The hosts' processes, or none at all."""
        started: list[Process] = []
        try:
            for launch in launches:
                started.append(self._started(launch, names))
        except OSError:
            crew = Crew(started)
            crew.terminate(grace_seconds=0)
            crew.wait()
            raise
        return Crew(started)

    def _started(self, launch: Launch, names: Path) -> Process:
        """A host's process, in a working directory of its own."""
        work = launch.host.folder / "work"
        work.mkdir()
        return Process(
            self.command(launch.argv, launch.host.ml, launch.environment, names, work),
            environment=launch.environment,
            folder=work,
            log=launch.host.log,
        )

    def command(
        self, argv: Sequence[str], ml: Path, environment: Mapping[str, str], names: Path, work: Path
    ) -> list[str]:
        """What runs a command that is to see `ml` as /opt/ml; in a container where one is named.

        `names` is what it sees as /etc/hosts, and `work` as /, but for containers.
        """
        contained = engines.command(environment, ml, argv)
        return contained or self.isolation.command(argv, ml, names, root=work)

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
