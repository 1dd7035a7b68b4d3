"""The job engine: every job from its request to its final status."""

import logging
import shutil
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.errors import AwsError, JobError, StoppedError, invalid
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.script import Moment, Script
from airflow_sm_pipelines.local.scripts import Scripts

logger = logging.getLogger(__name__)

_PLAYERS = 1000  # threads that wait for the next moment of a script


class Jobs:
    """All jobs of the local AWS, run by a bounded number of workers."""

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        workers: int,
        grace_seconds: float,
        scripts: Scripts | None = None,
    ) -> None:
        self._account = account
        self._scripts = scripts or Scripts()
        self._folder = folder
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._closed = False
        self._jobs: dict[tuple[str, str], Job] = {}
        self._futures: dict[tuple[str, str], Future[None]] = {}
        self._folders: set[Path] = set()
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job")
        self._players = ThreadPoolExecutor(max_workers=_PLAYERS, thread_name_prefix="script")

    def create(self, kind: JobKind, request: Fields) -> Job:
        """Accept a job, to be run as soon as a worker is free."""
        name = request[kind.name_key]
        path = kind.path(request)
        arn = self._account.arn(kind.slug, path)
        key = (kind.noun, path)  # not the ARN: names that differ only in case share it
        with self._lock:
            self._refuse(key, arn)
        kind.check(request)
        script = self._scripts.take(kind.noun, name)
        if script is None:
            kind.look(request)  # it asks S3: nobody is to wait for that
        with self._lock:
            self._refuse(key, arn)
            job = Job(
                kind,
                request,
                arn=arn,
                folder=self._make_room(kind, path),
                grace_seconds=self._grace_seconds,
            )
            self._jobs[key] = job
            future = self._futures[key] = self._submit(job, script)
        future.add_done_callback(partial(_settle, job))
        return job

    def get(self, kind: JobKind, request: Fields) -> Job:
        """The job of that kind that a request names."""
        with self._lock:
            job = self._jobs.get((kind.noun, kind.path(request)))
        if job is None:
            raise unknown(kind, request[kind.name_key])
        return job

    def find(self, kind: JobKind, arn: str) -> Job:
        """A job of that kind and ARN; names that differ only in case share it."""
        with self._lock:
            jobs = list(self._jobs.values())
        found = next((job for job in jobs if job.kind is kind and job.arn == arn), None)
        if found is None:
            raise unknown(kind, arn.rpartition("/")[2])
        return found

    def stop(self, kind: JobKind, request: Fields) -> None:
        """Stop a job; one that still waits for a worker has never started."""
        job = self.get(kind, request)
        if job.final:
            status = job.describe()[kind.status_key]
            what = kind.slug.replace("-", " ")
            raise invalid(f"The request was rejected because the {what} is in status {status}.")
        job.stop("Stopped")
        with self._lock:
            future = self._futures.get((kind.noun, kind.path(request)))
        if future is not None:  # else it has ended since, and been deleted
            future.cancel()

    def delete(self, kind: JobKind, request: Fields) -> str:
        """Forget a job that has ended; its ARN, or "" where there is none of the name."""
        key = (kind.noun, kind.path(request))
        with self._lock:
            job = self._jobs.get(key)
            if job is None:  # DeleteJob is documented as idempotent
                return ""
            if not job.final:
                status = job.describe()[kind.status_key]
                raise AwsError("ResourceInUse", f"{job.arn} is {status}; stop it first")
            del self._jobs[key], self._futures[key]
        return job.arn

    def descriptions(self, kind: JobKind) -> list[Fields]:
        """What every job of a kind looks like at this moment."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [job.describe() for job in jobs if job.kind is kind]

    def close(self, *, grace_seconds: float) -> None:
        """Stop every job, and return when the last process has ended."""
        with self._lock:
            self._closed = True
            jobs = [job for job in self._jobs.values() if not job.final]
        pools = (self._pool, self._players)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for job in jobs:
            job.stop("Stopped", grace_seconds=grace_seconds)
        for pool in pools:
            pool.shutdown(wait=True)

    def _submit(self, job: Job, script: Script | None) -> "Future[None]":
        """Run the job when a worker is free, or play its script at once."""
        if script is None:
            return self._pool.submit(_run, job, job.kind.run)
        return self._players.submit(_run, job, partial(_play, script))

    def _refuse(self, key: tuple[str, str], arn: str) -> None:
        """Raise `AwsError` where no job of that kind and name can be created."""
        if self._closed:
            raise AwsError("ServiceUnavailable", "the local AWS is being stopped", 503)
        if key in self._jobs:
            raise AwsError(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, "
                f"and a job with this name already exists ({arn})",
            )

    def _make_room(self, kind: JobKind, path: str) -> Path:
        """The folder of a new job; what a server before this one left there goes."""
        scope, _, name = path.rpartition("/")
        folder = self._folder / name
        if folder in self._folders:  # by a job of another kind: AWS counts their names apart
            folder = self._folder / ".".join(filter(None, (name, kind.slug, scope)))
        if folder.exists():
            aside = self._folder / ".replaced" / uuid.uuid4().hex
            aside.parent.mkdir(exist_ok=True)
            folder.rename(aside)
            self._pool.submit(shutil.rmtree, aside)
        self._folders.add(folder)
        return folder


def unknown(kind: JobKind, name: str) -> AwsError:
    """SageMaker's answer where there is no job of that kind and name."""
    return AwsError(kind.unknown_code, kind.unknown.format(name=name))


def _play(script: Script, job: Job) -> Ending:
    """What the last moment of a script says, after those before it."""
    job.note("played from a script, not run")
    *before, last = script.moments
    try:
        job.advance(job.kind.started)
        for moment in before:
            job.advance(partial(_at, job.kind, moment))
            job.wait(moment.seconds)
    except StoppedError:
        job.linger(script.stop_seconds)
        raise
    return Ending(status=last.status, reason=last.reason, fields=last.fields)


def _at(kind: JobKind, moment: Moment, fields: Fields) -> Fields:
    return {kind.status_key: moment.status, **moment.fields}


def _run(job: Job, run: Callable[[Job], Ending]) -> None:
    try:
        job.go_on()
        ending = run(job)
    except StoppedError:
        ending = Ending(status="Stopped")
    except (JobError, OSError) as error:
        reason = str(error) if isinstance(error, JobError) else f"InternalServerError: {error}"
        job.note(reason)
        ending = Ending(status="Failed", reason=reason)
    job.finish(ending)


def _settle(job: Job, future: "Future[None]") -> None:
    """Never leave a job in progress, whatever became of its worker."""
    if future.cancelled():
        job.finish(Ending(status="Stopped"))
        return
    error = future.exception()
    if error is not None:
        logger.error("job %s: the engine failed", job.name, exc_info=error)
        reason = f"InternalServerError: {type(error).__name__}: {error}"
        job.finish(Ending(status="Failed", reason=reason))
