"""Creating a step's job exactly once, however often its task is started.

Before a job is created its name is stored. Whoever comes later, a retry after the worker died or a
second start of the same try, finds the name, tries to create the job again, hears that there is one
and attaches to it. A retry after the job failed and a user's clear take the next name.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import PENDING, Job
from airflow_sm_pipelines.errors import JobError, NameTakenError
from airflow_sm_pipelines.features import StateStore
from airflow_sm_pipelines.members import covers
from airflow_sm_pipelines.requests import Request

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is stored of a step's job in a run, under the key `job`.

    `max_tries` is the task instance's: it grows when a user clears the task and stays when Airflow
    retries it. `stored_at` is empty where Airflow cannot store.
    """

    attempt: int
    max_tries: int
    stored_at: str = ""
    name: str = ""
    ended: bool = False
    """Whether the job is known to have failed, so that the next try needs another."""
    told_apart: dict[str, str] = field(default_factory=dict)
    """What Describe and Stop are asked beside the name."""
    unchanged_since: str = ""
    """The `last_change` of a resource before it was updated."""

    @property
    def began(self) -> datetime | None:
        """When the first try of this attempt began, the same for all its tries; None if unknown."""
        return datetime.fromisoformat(self.stored_at) if self.stored_at else None


def begin(store: StateStore | None, *, max_tries: int) -> Record:
    """The record of this try: the one before where that try's job may be in progress."""
    if store is None:
        return Record(attempt=1, max_tries=max_tries)
    now = datetime.now(UTC).isoformat()
    stored = store.get(KEY)
    if not stored:
        return Record(attempt=1, max_tries=max_tries, stored_at=now)
    record = Record(**stored)
    if record.max_tries == max_tries and not record.ended:
        return record
    return Record(attempt=record.attempt + 1, max_tries=max_tries, stored_at=now)


def stored_resource(store: StateStore | None, job: Job) -> aws.Resource | None:
    """The job of this step in the run, as far as it is stored."""
    stored = store.get(KEY) if store is not None else None
    if not stored:
        return None
    record = Record(**stored)
    return aws.Resource(job, record.name, told_apart=record.told_apart)


def create_or_attach(
    client: "BaseClient",
    job: Job,
    *,
    record: Record,
    request_for: Callable[[int], Request],
    store: StateStore | None,
) -> aws.Resource:
    """The job of this try in AWS, created now or before.

    `request_for` makes the request of an attempt, with that attempt's name.
    """
    stored = record.name
    for attempt in range(record.attempt, record.attempt + MOST_NAMES):
        request = request_for(attempt)
        name = str(request.get(job.create_name or "ClientToken"))
        resource = aws.Resource.of(job, name, request)
        told_apart = dict(resource.told_apart)
        record = replace(record, attempt=attempt, name=name, told_apart=told_apart)
        note(store, record)
        try:
            created = aws.create(client, job, request)
        except NameTakenError:
            found = aws.describe(client, resource)
            # A job whose name was not stored before is ours if this very call has made it, its
            # first answer having been lost, or if the record was: an ended job is never adopted.
            if (name == stored or _goes_on(found, job)) and _is_ours(found, request, record=record):
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


def _goes_on(described: Mapping[str, Json], job: Job) -> bool:
    """Whether there is something to wait for; a resource that has no status is there for good."""
    return job.status is None or described.get(job.status) in PENDING - {"Stopping"}


def _is_ours(described: Mapping[str, Json], request: Request, *, record: Record) -> bool:
    """Whether a job has the arguments of this try and was created after its name was stored."""
    created = datetime.fromisoformat(str(described["CreationTime"]))
    in_time = record.began is None or created >= record.began - CLOCKS_DIFFER
    return in_time and covers(described, request)


KEY = "job"
MOST_NAMES = 100
CLOCKS_DIFFER = timedelta(minutes=5)
