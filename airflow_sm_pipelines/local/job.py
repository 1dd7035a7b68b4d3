"""One job: what its kind is, what its request was, and what its description is at this moment.

What a kind of job does is a `JobKind`; `processing.py` is an example of one.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local import kept, reasons, shapes
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import StoppedError
from airflow_sm_pipelines.local.process import Running

Fields = Mapping[str, Any]

RECORD = "job.json"


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
    (the latter two from the fields so far), `again` those with which it is tried once more instead
    of ending so, or None where it has ended; `check` refuses a request that AWS would refuse for
    more than its shape, `look` one whose input is not there; `run` does the job, in a worker
    thread. A job that has a script is not run, so it needs no input: `started` gives the fields
    that running would begin with.

    A job of a kind that `waits` for other jobs takes no worker. `scope` is the member that names
    what a name is unique in, besides the account; `deletes` says whether there is a Delete
    operation; `reads` are operations that answer from a job's description and the request.
    """

    noun: str
    slug: str
    unknown: str
    check: Callable[[Fields], None]
    opened: Callable[[Fields], Fields]
    stopping: Callable[[Fields], Fields]
    ended: Callable[[Fields, Ending], Fields]
    run: Callable[["Job"], Ending]
    again: Callable[[Fields, Ending], Fields | None] = lambda fields, ending: None
    look: Callable[[Fields], None] = lambda request: None
    started: Callable[[Fields], Fields] = lambda fields: {}
    waits: bool = False
    scope: str = ""
    deletes: bool = False
    unknown_code: str = "ValidationException"
    reads: Mapping[str, Callable[[Fields, Fields], Fields]] = field(default_factory=dict)

    @property
    def name_key(self) -> str:
        """The member that holds the job's name."""
        return f"{self.noun}Name"

    @property
    def status_key(self) -> str:
        """The member that holds the job's status."""
        return f"{self.noun}Status"

    def path(self, request: Fields) -> str:
        """What tells the job of a request from others of the kind: its name, below its scope."""
        name: str = request[self.name_key]
        return f"{request[self.scope]}/{name}" if self.scope else name


class Job:
    """One job: a request that never changes, and a description that does.

    A description is replaced as a whole, so whoever reads it sees one moment of the job. `fields`
    are those of a job that is there already, of an earlier server.
    """

    def __init__(
        self,
        kind: JobKind,
        request: Fields,
        *,
        arn: str,
        folder: Path,
        grace_seconds: float,
        fields: Fields | None = None,
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
        self.told: Callable[[], None] = lambda: None  # called when it is asked to stop
        self.watched: Callable[[], None] = lambda: None  # called when its description has changed
        self._process: Running | None = None
        self._fields: Fields = fields if fields is not None else self._begin()

    def _begin(self) -> Fields:
        """The first description of a new job, whose folder is made."""
        kind = self.kind
        created = {
            f"{kind.noun}Arn": self.arn,
            kind.status_key: "InProgress",
            "CreationTime": now(),
        }
        echoed = shapes.answered(f"Describe{kind.noun}", self.request)
        fields = {**echoed, **created, **kind.opened(self.request), "LastModifiedTime": now()}
        self.folder.mkdir(parents=True)
        self.log.touch()
        self._write(fields)
        return fields

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
        self.watched()

    def advance(self, change: Callable[[Fields], Fields]) -> None:
        """Update the description, unless the job has been asked to stop: `StoppedError`."""
        with self._lock:
            self.go_on()
            self.update(change)

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
        self.told()

    def restart(self, ending: Ending) -> bool:
        """Let it be tried once more instead of ending so, where its kind does; whether it is."""
        with self._lock:
            fields = None if self.stopped_by else self.kind.again(self._fields, ending)
            if fields is None:
                return False
            for left in self.folder.iterdir():
                if left.is_dir():  # what it saw, its environment: made anew
                    shutil.rmtree(left, ignore_errors=True)
            self.note(f"{ending.reason}; it is tried again")
            self.update(lambda _: fields)
        return True

    def finish(self, ending: Ending) -> None:
        """Make the job final."""
        self.update(lambda fields: self.kind.ended(fields, ending))

    def forget(self) -> None:
        """Let the next server not know the job; its folder stays."""
        with self._lock:
            self.folder.joinpath(RECORD).replace(self.folder / "deleted.json")

    def note(self, text: str) -> None:
        """Add a line of the local AWS itself to the job's log."""
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"{reasons.NOTE} {text}\n")

    def go_on(self) -> None:
        """Raise `StoppedError` where the job has been asked to stop."""
        if self.stopped_by:
            raise StoppedError(self.stopped_by)

    @contextmanager
    def running(self, process: Running) -> Iterator[None]:
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
        """Keep job.json, for people to look at and for the next server."""
        record = {"Kind": self.kind.noun, "Request": self.request, "Description": fields}
        kept.write(self.folder / RECORD, record)
