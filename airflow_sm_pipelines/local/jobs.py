"""The job engine: every job from its request to its final status.

What a kind of job does is a `JobKind`; `processing.py` is an example of one.
"""

import json
import logging
import shutil
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.account import Account, now
from airflow_sm_pipelines.local.errors import AwsError, JobError, StoppedError, invalid
from airflow_sm_pipelines.local.process import Process

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended: its status, FailureReason, and what else its description gains."""

    status: str
    reason: str = ""
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """What one kind of job is.

    `opened`, `stopping` and `ended` give the fields that a description gains at those moments
    (the latter two from the fields so far); `check` refuses a request that AWS would refuse for
    more than its shape; `run` does the job, in a worker thread.
    """

    noun: str
    slug: str
    unknown: str
    check: Callable[[Fields], None]
    opened: Callable[[Fields], Fields]
    stopping: Callable[[Fields], Fields]
    ended: Callable[[Fields, Ending], Fields]
    run: Callable[["Job"], Ending]

    @property
    def name_key(self) -> str:
        """The member that holds the job's name."""
        return f"{self.noun}Name"

    @property
    def status_key(self) -> str:
        """The member that holds the job's status."""
        return f"{self.noun}Status"


class Job:
    """One job: a request that never changes, and a description that does.

    A description is replaced as a whole, so whoever reads it sees one moment of the job.
    """

    def __init__(
        self, kind: JobKind, request: Fields, *, arn: str, folder: Path, grace_seconds: float
    ) -> None:
        self.kind = kind
        self.name: str = request[kind.name_key]
        self.arn = arn
        self.request = request
        self.folder = folder
        self.ml = folder / "ml"
        self.log = folder / "log.txt"
        self.stopped_by = ""
        self.grace_seconds = grace_seconds
        self._lock = threading.RLock()
        self._process: Process | None = None
        created = {f"{kind.noun}Arn": arn, kind.status_key: "InProgress", "CreationTime": now()}
        echoed = shapes.answered(f"Describe{kind.noun}", request)
        self._fields: Fields = {**echoed, **created, **kind.opened(request)}
        self.folder.mkdir(parents=True)
        self.log.touch()
        self.update(lambda _: {})

    @property
    def final(self) -> bool:
        """Whether the job has ended."""
        return self._fields[self.kind.status_key] not in {"InProgress", "Stopping"}

    def describe(self) -> Fields:
        """What Describe answers at this moment."""
        return self._fields

    def update(self, change: Callable[[Fields], Fields]) -> None:
        """Replace the description by itself with what `change` makes of it, on disk too."""
        with self._lock:
            if self.final:
                return
            fields = {**self._fields, **change(self._fields), "LastModifiedTime": now()}
            self._write(fields)
            self._fields = fields

    def stop(self, cause: str, *, grace_seconds: float | None = None) -> None:
        """End the job's process; the job becomes Stopped when it has ended."""
        with self._lock:
            if not self.stopped_by:
                self.stopped_by = cause
                self.update(self.kind.stopping)
            if grace_seconds is not None:
                self.grace_seconds = grace_seconds
            if self._process is not None:
                self._process.terminate(grace_seconds=self.grace_seconds)

    def finish(self, ending: Ending) -> None:
        """Make the job final."""
        self.update(lambda fields: self.kind.ended(fields, ending))

    def note(self, text: str) -> None:
        """Add a line of the local AWS itself to the job's log."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"[local AWS] {text}\n")

    def go_on(self) -> None:
        """Raise `StoppedError` where the job has been asked to stop."""
        if self.stopped_by:
            raise StoppedError(self.stopped_by)

    @contextmanager
    def running(self, process: Process) -> Iterator[None]:
        """While in the block, `stop` ends `process`."""
        with self._lock:
            self._process = process
            if self.stopped_by:
                process.terminate(grace_seconds=self.grace_seconds)
        try:
            yield
        finally:
            with self._lock:
                self._process = None

    def _write(self, fields: Fields) -> None:
        """Keep job.json, for people to look at."""
        record = {"Kind": self.kind.noun, "Request": self.request, "Description": fields}
        aside = self.folder / "job.json.new"
        aside.write_text(json.dumps(record, indent=2, default=str), encoding="utf-8")
        aside.replace(self.folder / "job.json")


class Jobs:
    """All jobs of the local AWS, run by a bounded number of workers."""

    def __init__(
        self, account: Account, folder: Path, *, workers: int, grace_seconds: float
    ) -> None:
        self._account = account
        self._folder = folder
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._closed = False
        self._jobs: dict[tuple[str, str], Job] = {}
        self._futures: dict[tuple[str, str], Future[None]] = {}
        self._folders: set[Path] = set()
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job")

    def create(self, kind: JobKind, request: Fields) -> Job:
        """Accept a job, to be run as soon as a worker is free."""
        name = request[kind.name_key]
        arn = self._account.arn(kind.slug, name)
        key = (kind.noun, name)  # not the ARN: names that differ only in case share it
        with self._lock:
            self._refuse(key, arn)
        kind.check(request)  # it may ask S3: nobody is to wait for that
        with self._lock:
            self._refuse(key, arn)
            job = Job(
                kind,
                request,
                arn=arn,
                folder=self._make_room(kind, name),
                grace_seconds=self._grace_seconds,
            )
            self._jobs[key] = job
            future = self._futures[key] = self._pool.submit(_run, job)
        future.add_done_callback(partial(_settle, job))
        return job

    def get(self, kind: JobKind, name: str) -> Job:
        """The job of that kind and name."""
        with self._lock:
            job = self._jobs.get((kind.noun, name))
        if job is None:
            raise invalid(kind.unknown.format(name=name))
        return job

    def find(self, kind: JobKind, arn: str) -> Job:
        """A job of that kind and ARN; names that differ only in case share it."""
        with self._lock:
            jobs = list(self._jobs.values())
        found = next((job for job in jobs if job.kind is kind and job.arn == arn), None)
        if found is None:
            raise invalid(kind.unknown.format(name=arn.rpartition("/")[2]))
        return found

    def stop(self, kind: JobKind, name: str) -> None:
        """Stop a job; one that still waits for a worker has never started."""
        job = self.get(kind, name)
        if job.final:
            status = job.describe()[kind.status_key]
            what = kind.slug.replace("-", " ")
            raise invalid(f"The request was rejected because the {what} is in status {status}.")
        job.stop("Stopped")
        self._futures[kind.noun, name].cancel()

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
        self._pool.shutdown(wait=False, cancel_futures=True)
        for job in jobs:
            job.stop("Stopped", grace_seconds=grace_seconds)
        self._pool.shutdown(wait=True)

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

    def _make_room(self, kind: JobKind, name: str) -> Path:
        """The folder of a new job; what a server before this one left there goes."""
        folder = self._folder / name
        if folder in self._folders:  # by a job of another kind: AWS counts their names apart
            folder = self._folder / f"{name}.{kind.slug}"
        if folder.exists():
            aside = self._folder / ".replaced" / uuid.uuid4().hex
            aside.parent.mkdir(exist_ok=True)
            folder.rename(aside)
            self._pool.submit(shutil.rmtree, aside)
        self._folders.add(folder)
        return folder


def _run(job: Job) -> None:
    try:
        job.go_on()
        ending = job.kind.run(job)
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
