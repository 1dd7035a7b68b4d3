"""Submitting a step's work exactly once where AWS does not refuse a second one of the same name.

A SageMaker job's name is taken once and for all; EMR takes any name twice. So the name is stored,
then looked for, and only what is not there is submitted. Should two processes have submitted the
same at once, both see both, and both go on with the one that is older; the other is stopped.

What is submitted where is a `Submission`: `emr.py`, `emr_serverless.py`.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, emr, emr_serverless, jobs, stops
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.errors import AccessDeniedError, JobError
from airflow_sm_pipelines.features import StateStore
from airflow_sm_pipelines.naming import Attempt
from airflow_sm_pipelines.requests import Request

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


class Submission(Protocol):
    """The work of one attempt of a step, under a name that no other attempt has."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def request(self) -> Request:
        """What AWS is asked for, for people to look at."""

    @property
    def told_apart(self) -> Mapping[str, str]:
        """What is known of where it is before it is there."""

    def prepared(self, client: "BaseClient", known: Mapping[str, str]) -> "Submission":
        """Itself with all that it needs in AWS there; `known` is what was known of that before."""

    def find(self, client: "BaseClient") -> Sequence[aws.Resource]:
        """What has been submitted under that name, the oldest first."""

    def submit(self, client: "BaseClient") -> aws.Resource:
        """Submit it."""


def submit_or_attach(
    client: "BaseClient",
    job: Job,
    *,
    record: jobs.Record,
    submission_for: Callable[[Attempt], Submission],
    store: StateStore | None,
    unseen_seconds: float,
) -> aws.Resource:
    """The work of this try in AWS, submitted now or before.

    `client` must not repeat a call by itself. What a call whose answer was lost may have made is
    looked for during `unseen_seconds` before it is made again.
    """
    stored = record.name
    for number in range(record.attempt, record.attempt + jobs.MOST_NAMES):
        submission = submission_for(Attempt(record.max_tries, number))
        asked_before = submission.name == stored
        if not asked_before:
            record = replace(
                record, attempt=number, name=submission.name, identifier="", told_apart={}
            )
            jobs.note(store, record)
        if record.identifier:
            found: aws.Resource | None = record.resource(job)
        else:
            submission = submission.prepared(client, record.told_apart)
            record = replace(record, told_apart=dict(submission.told_apart))
            jobs.note(store, record)
            found = _found(client, submission, seconds=unseen_seconds if asked_before else 0.0)
        if found is None:
            return _noted(store, record, _submitted(client, submission))
        described = aws.describe(client, found)
        if jobs.may_be_attached(described, found, record=record, stored=asked_before):
            log.info("%s is there already: attached to it", found)
            return _noted(store, record, found)
        log.warning("%s is there but is not this try's: next name", found)
    raise JobError(f"{jobs.MOST_NAMES} names up to {submission.name} are taken")


def known(client: "BaseClient", job: Job, record: jobs.Record) -> aws.Resource | None:
    """The work of a record, which is looked for where AWS's answer was lost."""
    if record.identifier:
        return record.resource(job)
    since = (record.began or datetime.now(UTC)) - jobs.CLOCKS_DIFFER
    found = FINDERS[job.service](
        client, name=record.name, told_apart=record.told_apart, since=since
    )
    return next(iter(found), None)


def _found(client: "BaseClient", submission: Submission, *, seconds: float) -> aws.Resource | None:
    """The oldest work of that name; AWS may need so many seconds to list it."""
    deadline = time.monotonic() + seconds
    while not (found := submission.find(client)):
        if time.monotonic() >= deadline:
            return None
        time.sleep(min(jobs.LOOK_SECONDS, seconds))
    return found[0]


def _submitted(client: "BaseClient", submission: Submission) -> aws.Resource:
    """What is submitted, or what another process has submitted at this very moment, before it."""
    own = submission.submit(client)
    found = submission.find(client)
    first, *others = found if own in found else [*found, own]
    for other in others:
        log.warning("%s was submitted twice: %s is stopped", submission.name, other)
        try:
            stops.stop(client, other)
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            log.error("%s could not be stopped and may go on: %s", other, error)
    log.info("%s submitted as %s", first, submission.name)
    return first


def _noted(store: StateStore | None, record: jobs.Record, resource: aws.Resource) -> aws.Resource:
    """A resource that is there, after what AWS calls it has been stored."""
    told_apart = dict(resource.told_apart)
    jobs.note(store, replace(record, identifier=resource.identifier, told_apart=told_apart))
    return resource


FINDERS: dict[str, Callable[..., Sequence[aws.Resource]]] = {
    "emr": emr.find,
    "emr-serverless": emr_serverless.find,
}
"""What finds the work of a name, by service."""
