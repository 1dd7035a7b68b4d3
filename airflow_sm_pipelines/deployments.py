"""Creating an endpoint or the like, or updating it where it exists: its name is its own.

AWS is asked at most once for the same change. Before it is, the time of the last change before it
is stored: a retry that finds the resource changed since attaches to what it finds, one that finds
it unchanged asks again. What is as it was asked for already is left alone.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import aws, jobs
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import PENDING, Job
from airflow_sm_pipelines.errors import JobError, JobLostError, NameTakenError
from airflow_sm_pipelines.features import StateStore
from airflow_sm_pipelines.jobs import Record
from airflow_sm_pipelines.members import contains, covers, member
from airflow_sm_pipelines.requests import Request

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


def create_or_update(
    client: "BaseClient",
    job: Job,
    *,
    record: Record,
    request: Request,
    store: StateStore | None,
    settle: Callable[[aws.Resource], Any],
) -> aws.Resource:
    """The resource that `request` names, which becomes what it asks for.

    `settle` waits until a change that is in progress has ended: AWS takes no update before.
    """
    resource = aws.Resource.of(job, str(request[job.create_name or ""]), request)
    found = _find(client, resource)
    if found is None:
        jobs.note(store, replace(record, name=resource.identifier, unchanged_since=""))
        try:
            return aws.create(client, job, request)
        except NameTakenError:
            # The first answer of this very call was lost, or another run was quicker: how it ends
            # tells whether it has become what this one asked for.
            return resource
    if record.name and aws.last_change(found) != record.unchanged_since:
        log.info("%s was asked for by a try before this one: attached to it", resource)
        return replace(resource, unchanged_since=record.unchanged_since)
    return _update(client, resource, record=record, request=request, store=store, settle=settle)


def asked(job: Job, request: Mapping[str, Json]) -> dict[str, Json]:
    """What Describe has to answer when the resource is as it was asked for: path -> value."""
    wanted = {described: member(dict(request), path) for path, described in job.deployed}
    return {path: value for path, value in wanted.items() if value is not None}


def difference(described: Mapping[str, Json], wanted: Mapping[str, Json]) -> str:
    """In words, how a resource is not what was `asked` for; "" where it is."""
    for path, value in wanted.items():
        there = member(dict(described), path)
        if there is not None and not covers(there, value):
            return f"{path} is {there!r} and not {value!r}"
    return ""


def _find(client: "BaseClient", resource: aws.Resource) -> dict[str, Json] | None:
    try:
        return aws.describe(client, resource)
    except JobLostError:
        return None


def _update(
    client: "BaseClient",
    resource: aws.Resource,
    *,
    record: Record,
    request: Request,
    store: StateStore | None,
    settle: Callable[[aws.Resource], Any],
) -> aws.Resource:
    """Update the resource when it is at rest, unless it already is what is asked for."""
    job = resource.job
    while (found := aws.describe(client, resource)).get(job.status or "") in PENDING:
        log.info("%s is %s: its update waits for that", resource, found[job.status or ""])
        settle(resource)
    _check_fixed(client, resource, found, request)
    if found.get(job.status or "") in job.succeeded and _is_as_asked(found, request):
        log.info("%s is what is asked for already: not updated", resource)
        return resource
    before = aws.last_change(found)
    jobs.note(store, replace(record, name=resource.identifier, unchanged_since=before))
    aws.update(client, job, request)
    log.info("%s is being updated", resource)
    return replace(resource, unchanged_since=before)


def _check_fixed(
    client: "BaseClient", resource: aws.Resource, found: Mapping[str, Json], request: Request
) -> None:
    """Refuse what an update cannot change: it would be dropped in silence."""
    taken = aws.updatable(client, resource.job)
    for key in request.keys() & found.keys() - taken:
        if not covers(found[key], request[key]):
            raise JobError(
                f"{resource} exists with the {key} {found[key]!r}, which no update changes to "
                f"{request[key]!r}; delete it or give another name"
            )


def _is_as_asked(found: Mapping[str, Json], request: Request) -> bool:
    """Whether Describe tells all that is asked for, tags and the way of deploying aside."""
    return all(contains(found[key], request[key]) for key in request if key in found)
