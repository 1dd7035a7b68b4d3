"""Creating a step's job exactly once, however often its task is started.

Before a job is created its name is stored. Whoever comes later, a retry after the worker died or a
second start of the same try, finds the name, tries to create the job again, hears that there is one
and attaches to it. A retry after the job failed and a user's clear take the next name.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, stops
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import PENDING, STOPPED, Job
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    JobError,
    JobLostError,
    NameTakenError,
    UnseenError,
)
from airflow_sm_pipelines.features import StateStore, clear_number
from airflow_sm_pipelines.members import covers
from airflow_sm_pipelines.naming import Attempt
from airflow_sm_pipelines.requests import Request

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What Airflow tells of a task instance, by which a user's clear is told from a retry."""

    max_tries: int
    """The task instance's: a clear makes it `try_number + retries`, a retry leaves it."""
    try_number: int = 1
    retries: int = 0
    """The task's, as the DAG has it now."""
    clears: int = 0
    """How often tasks of the run were cleared, this one or others."""

    @classmethod
    def of(cls, context: Any, *, retries: int) -> "Life":
        """The life of the task instance of a context."""
        ti = context["ti"]
        clears = clear_number(context)
        return cls(max_tries=ti.max_tries, try_number=ti.try_number, retries=retries, clears=clears)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is stored of a step's job in a run, under the key `job`.

    `max_tries`, `retries` and `clears` are those of the `Life` that it was begun in. `stored_at` is
    empty where Airflow cannot store.
    """

    attempt: int
    max_tries: int
    retries: int = 0
    clears: int = 0
    stored_at: str = ""
    name: str = ""
    ended: bool = False
    """Whether the job is known to have failed, so that the next try needs another."""
    told_apart: dict[str, str] = field(default_factory=dict)
    """What Describe and Stop are asked beside the name."""
    unchanged_since: str = ""
    """The `last_change` of a resource before it was updated."""
    cleared: bool = False
    """Whether tasks of the run were cleared since it was begun, perhaps this one."""
    identifier: str = ""
    """What AWS calls the job, where that is not its name; "" until AWS has told."""

    def resource(self, job: Job) -> aws.Resource:
        """The job in AWS, as far as it is known."""
        return aws.Resource(job, self.identifier or self.name, told_apart=self.told_apart)

    def is_of(self, life: Life) -> bool:
        """Whether a try goes on with this record: it is a retry, no start after a clear.

        A clear is seen by `max_tries`, except where `retries` was edited in between so that it
        comes to the same number.
        """
        collides = life.retries != self.retries and (
            life.max_tries == life.try_number - 1 + life.retries
        )
        cleared = life.clears != self.clears and collides
        return self.max_tries == life.max_tries and not self.ended and not cleared

    @property
    def began(self) -> datetime | None:
        """When the first try of this attempt began, the same for all its tries; None if unknown."""
        return datetime.fromisoformat(self.stored_at) if self.stored_at else None


def begin(store: StateStore | None, life: Life) -> Record:
    """The record of this try: the one before where that try's job may be in progress."""
    record = Record(attempt=1, max_tries=life.max_tries, retries=life.retries, clears=life.clears)
    if store is None:
        return record
    record = replace(record, stored_at=datetime.now(UTC).isoformat())
    if not (stored := store.get(KEY)):
        return record
    before = Record(**stored)
    if before.is_of(life):
        return replace(before, cleared=life.clears != before.clears)
    if before.max_tries == life.max_tries:
        return replace(record, attempt=before.attempt + 1)
    return record


def stored_resource(store: StateStore | None, job: Job) -> aws.Resource | None:
    """The job of this step in the run, as far as it is stored."""
    stored = store.get(KEY) if store is not None else None
    if not stored:
        return None
    return Record(**stored).resource(job)


def stop_left(
    client: "BaseClient",
    job: Job,
    *,
    record: Record,
    store: StateStore | None,
    known: Callable[[Record], aws.Resource | None] | None = None,
) -> None:
    """Stop the job of the time before a user's clear, where `record` is the first one after it.

    Whoever waited for that job was to stop it then, which takes seconds, but may have been dead.
    `known` gives the job of a record where its name alone does not.
    """
    stored = store.get(KEY) if store is not None else None
    before = Record(**stored) if stored else record
    if not job.stops or not before.name or before.max_tries == record.max_tries:
        return
    try:
        resource = known(before) if known else before.resource(job)
        if resource is not None and _goes_on_for(LEFT_SECONDS, client, resource):
            log.info("%s was cleared and goes on", resource)
            stops.stop(client, resource)
    except (AccessDeniedError, JobLostError, ClientError, BotoCoreError) as error:
        log.warning("%s %s was cleared and may go on: %s", job.noun, before.name, error)


def create_or_attach(
    client: "BaseClient",
    job: Job,
    *,
    record: Record,
    request_for: Callable[[Attempt], Request],
    store: StateStore | None,
) -> aws.Resource:
    """The job of this try in AWS, created now or before.

    `request_for` makes the request of an attempt, with that attempt's name.
    """
    stored = record.name
    for number in range(record.attempt, record.attempt + MOST_NAMES):
        request = request_for(Attempt(record.max_tries, number))
        name = str(request.get(job.create_name or "ClientToken"))
        resource = aws.Resource.of(job, name, request)
        told_apart = dict(resource.told_apart)
        record = replace(record, attempt=number, name=name, told_apart=told_apart)
        note(store, record)
        try:
            created = aws.create(client, job, request)
        except NameTakenError:
            found = _described(client, resource)
            if may_be_attached(found, resource, record=record, stored=name == stored) and _is_ours(
                found, request, record=record
            ):
                log.info("%s is there already: attached to it", resource)
                return resource
            log.warning("%s is there but is not this try's: next name", resource)
        else:
            log.info("%s created", created)
            return created
    raise JobError(
        f"{job.noun}: {MOST_NAMES} names up to {name} are taken; is [sm_pipelines] deployment "
        "the same in two Airflows?"
    )


def note(store: StateStore | None, record: Record) -> None:
    """Store the record, which has to be done before the call that it tells of."""
    if store is not None:
        store.set(KEY, asdict(record))


def note_failure(store: StateStore | None) -> None:
    """Remember that the job has failed or was stopped, so that the next try creates another."""
    if store is not None and (stored := store.get(KEY)):
        store.set(KEY, {**stored, "ended": True})


def _goes_on_for(seconds: float, client: "BaseClient", resource: aws.Resource) -> bool:
    """Whether a job is in progress now and at each look until so many seconds have gone by."""
    deadline = time.monotonic() + seconds
    while resource.status(aws.describe(client, resource)) in PENDING - STOPPED:
        if time.monotonic() >= deadline:
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _described(client: "BaseClient", resource: aws.Resource) -> dict[str, Json]:
    """A resource that is there, since its name is taken; AWS may need seconds to describe it."""
    try:
        return aws.describe(client, resource)
    except JobLostError as error:
        raise UnseenError(f"{resource}: its name is taken, but AWS does not know it yet") from error


def may_be_attached(
    described: Mapping[str, Json], resource: aws.Resource, *, record: Record, stored: bool
) -> bool:
    """Whether a try can wait for a resource, which in itself is ours.

    A job whose name was not stored before is ours if this very call has made it, its first answer
    having been lost, or if the record was: an ended job is never adopted then. One that was
    stopped may have been so because its task was cleared, which is to lead to another.
    """
    status = resource.status(described)
    if stored:
        return not (record.cleared and status in STOPPED)
    # A resource that has no status is there for good.
    return resource.job.status is None or status in PENDING - STOPPED


def _is_ours(described: Mapping[str, Json], request: Request, *, record: Record) -> bool:
    """Whether a job has the arguments of this try and was created after its name was stored."""
    created = datetime.fromisoformat(str(described["CreationTime"]))
    in_time = record.began is None or created >= record.began - CLOCKS_DIFFER
    return in_time and covers(described, request)


KEY = "job"
MOST_NAMES = 100
LEFT_SECONDS = 10.0
LOOK_SECONDS = 1.0
CLOCKS_DIFFER = timedelta(minutes=5)
