"""The job engine: every job from its request to its final status."""

import itertools
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.control.script import Moment, Script
from airflow_sm_pipelines.local.control.scripts import Scripts
from airflow_sm_pipelines.local.control.stage import Pause, Play, Stage
from airflow_sm_pipelines.local.earlier import earlier_jobs
from airflow_sm_pipelines.local.errors import AwsError, JobError, StoppedError, invalid
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind

logger = logging.getLogger(__name__)

_MOST_WAITING = 1000  # jobs that wait for other jobs, each in a thread of its own


class Jobs:
    """All jobs of the local AWS, run by a bounded number of workers.

    `ready` raises `JobError` where none can be run at this moment.
    """

    def __init__(
        self,
        account: Account,
        folder: Path,
        *,
        workers: int,
        grace_seconds: float,
        scripts: Scripts | None = None,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._account = account
        self._ready = ready
        self._scripts = scripts or Scripts()
        self._folder = folder
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._closed = False
        # By kind, then by name: some have thousands, and a List operation looks at all of a kind.
        self._jobs: dict[str, dict[str, Job]] = {}
        self._futures: dict[tuple[str, str], Future[None]] = {}
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job")
        self._waiting = ThreadPoolExecutor(_MOST_WAITING, thread_name_prefix="waiting job")
        self._stage = Stage()

    def load(self, kinds: Iterable[JobKind]) -> None:
        """Know the jobs of earlier servers again."""
        known = {kind.noun: kind for kind in kinds}
        for job in earlier_jobs(
            self._folder, known, self._account, grace_seconds=self._grace_seconds
        ):
            self._jobs.setdefault(job.kind.noun, {})[job.kind.path(job.request)] = job

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
            self._jobs.setdefault(kind.noun, {})[path] = job
            self._begin(key, job, script)
        return job

    def get(self, kind: JobKind, request: Fields) -> Job:
        """The job of that kind that a request names, by its name or as its ARN has that.

        The SDK describes the job of a step of an execution by the last part of its ARN.
        """
        path = kind.path(request)
        with self._lock:
            jobs = self._jobs.get(kind.noun, {})
            alike = (jobs[each] for each in reversed(jobs) if each.lower() == path)
            job = jobs.get(path) or next(alike, None)
        if job is None:
            raise unknown(kind, request[kind.name_key])
        return job

    def find(self, kind: JobKind, arn: str) -> Job:
        """A job of that kind and ARN; names that differ only in case share it."""
        found = next((job for job in self._of(kind) if job.arn == arn), None)
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
        if future is not None:  # else it plays a script, or has ended since
            future.cancel()

    def delete(self, kind: JobKind, request: Fields) -> str:
        """Forget a job that has ended; its ARN, or "" where there is none of the name."""
        key = (kind.noun, kind.path(request))
        with self._lock:
            job = self._jobs.get(kind.noun, {}).get(kind.path(request))
            if job is None:  # DeleteJob is documented as idempotent
                return ""
            if not job.final:
                status = job.describe()[kind.status_key]
                raise AwsError("ResourceInUse", f"{job.arn} is {status}; stop it first")
            del self._jobs[kind.noun][kind.path(request)]
            self._futures.pop(key, None)
            job.forget()
        return job.arn

    def descriptions(self, kind: JobKind) -> list[Fields]:
        """What every job of a kind looks like at this moment."""
        return [job.describe() for job in self._of(kind)]

    def completed(self) -> list[Fields]:
        """What every job of any kind looks like that has ended well."""
        with self._lock:
            jobs = [job for kind in self._jobs.values() for job in kind.values()]
        described = ((job.kind.status_key, job.describe()) for job in jobs)
        return [told for key, told in described if told[key] == "Completed"]

    def close(self, *, grace_seconds: float) -> None:
        """Stop every job, and return when the last process has ended."""
        with self._lock:
            self._closed = True
            kinds = list(self._jobs.values())
            jobs = [job for kind in kinds for job in kind.values() if not job.final]
        pools = (self._pool, self._waiting)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for job in jobs:
            job.stop("Stopped", grace_seconds=grace_seconds)
        self._stage.close()
        for pool in pools:
            pool.shutdown(wait=True)

    def _of(self, kind: JobKind) -> list[Job]:
        """The jobs of a kind, oldest first."""
        with self._lock:
            return list(self._jobs.get(kind.noun, {}).values())

    def _begin(self, key: tuple[str, str], job: Job, script: Script | None) -> None:
        """Run the job when a worker is free, or play its script at once."""
        if script is not None:
            play = _play(script, job, partial(self._end, key, job))
            job.told = self._stage.play(play, partial(_fail, job))
            return
        pool = self._waiting if job.kind.waits else self._pool
        end = partial(self._end, key, job)
        future = self._futures[key] = pool.submit(_run, job, self._ready, end)
        future.add_done_callback(partial(_settle, job))
        future.add_done_callback(partial(self._let_go, key))

    def _end(self, key: tuple[str, str], job: Job, ending: Ending) -> None:
        """Make a job final, or begin it once more, with the next script that fits it or none."""
        if not job.restart(ending):
            job.finish(ending)
            return
        script = self._scripts.take(job.kind.noun, job.name)
        with self._lock:
            self._begin(key, job, script)

    def _let_go(self, key: tuple[str, str], ended: "Future[None]") -> None:
        """Keep a future no longer; a job that has ended may already have a namesake."""
        if self._futures.get(key) is ended:
            del self._futures[key]

    def _refuse(self, key: tuple[str, str], arn: str) -> None:
        """Raise `AwsError` where no job of that kind and name can be created."""
        if self._closed:
            raise AwsError("ServiceUnavailable", "the local AWS is being stopped", 503)
        noun, path = key
        if path in self._jobs.get(noun, {}):
            raise AwsError(
                "ResourceInUse",
                "Job name must be unique within an AWS account and region, "
                f"and a job with this name already exists ({arn})",
            )

    def _make_room(self, kind: JobKind, path: str) -> Path:
        """A folder for a new job: its name, or more where that is taken.

        By a job of another kind, whose names AWS counts apart, by a deleted one, by one that could
        not be read.
        """
        scope, _, name = path.rpartition("/")
        longer = ".".join(filter(None, (name, kind.slug, scope)))
        numbered = (f"{longer}.{number}" for number in itertools.count(2))
        folders = (self._folder / each for each in itertools.chain((name, longer), numbered))
        return next(folder for folder in folders if not folder.exists())


def unknown(kind: JobKind, name: str) -> AwsError:
    """SageMaker's answer where there is no job of that kind and name."""
    return AwsError(kind.unknown_code, kind.unknown.format(name=name))


def _play(script: Script, job: Job, end: Callable[[Ending], None]) -> Play:
    """The moments of a script, each in its time; one that is asked to stop is Stopping for a while.

    That is no longer than the grace, nor after the grace has been changed.
    """
    job.note("played from a script, not run")
    *before, last = script.moments
    ending = Ending(status=last.status, reason=last.reason, fields=last.fields)
    try:
        job.advance(job.kind.started)
        for moment in before:
            job.advance(partial(_at, job.kind, moment))
            yield Pause(seconds=moment.seconds, over=lambda: bool(job.stopped_by))
            job.go_on()
    except StoppedError:
        grace = job.grace_seconds
        seconds = min(script.stop_seconds, grace)
        yield Pause(seconds=seconds, over=lambda: job.grace_seconds != grace)
        ending = Ending(status="Stopped")
    end(ending)


def _at(kind: JobKind, moment: Moment, fields: Fields) -> Fields:
    return {kind.status_key: moment.status, **moment.fields}


def _run(job: Job, ready: Callable[[], None], end: Callable[[Ending], None]) -> None:
    try:
        job.go_on()
        ready()
        ending = job.kind.run(job)
    except StoppedError:
        ending = Ending(status="Stopped")
    except (JobError, OSError) as error:
        reason = str(error) if isinstance(error, JobError) else f"InternalServerError: {error}"
        job.note(reason)
        ending = Ending(status="Failed", reason=reason)
    end(ending)


def _settle(job: Job, future: "Future[None]") -> None:
    """Never leave a job in progress, whatever became of its worker."""
    if future.cancelled():
        job.finish(Ending(status="Stopped"))
        return
    error = future.exception()
    if error is not None:
        _fail(job, error)


def _fail(job: Job, error: BaseException) -> None:
    logger.error("job %s: the engine failed", job.name, exc_info=error)
    reason = f"InternalServerError: {type(error).__name__}: {error}"
    job.finish(Ending(status="Failed", reason=reason))
