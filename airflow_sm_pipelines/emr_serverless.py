"""A job run of EMR Serverless, in the application that Arguments name or configure.

A second StartJobRun with the same clientToken is the same job run; how long AWS remembers a token
is not documented, so the run is looked for by its name first. An application that Arguments
configure is created once for all attempts of the step in its run, by a token as well.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from airflow_sm_pipelines import aws, tagging
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import JOB_RUN
from airflow_sm_pipelines.errors import JobError, NotReadyError
from airflow_sm_pipelines.members import member

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunSubmission:
    """The job run of one attempt."""

    name: str
    arguments: Mapping[str, Any]
    """Those of the definition's step, resolved."""
    origin: Mapping[str, str]
    """Where it comes from, for the tags."""
    role: str
    since: datetime
    """When it can have been submitted at the earliest."""
    application: str
    """The name of the application that the step creates, where it does."""
    told_apart: Mapping[str, str]
    """The application's id, as soon as there is one."""

    @property
    def request(self) -> dict[str, Json]:
        """What StartJobRun is asked."""
        request: dict[str, Json] = {
            "executionRoleArn": self.role,
            **self.arguments["JobConfig"],
            **self.told_apart,
            "name": self.name,
            "clientToken": self.name[-LONGEST_TOKEN:],
        }
        return {**request, **self._tags(request.get("tags"))}

    def prepared(self, client: "BaseClient", known: Mapping[str, str]) -> "JobRunSubmission":
        """With its application, which is created where Arguments configure one."""
        told_apart = self.told_apart or known or {APPLICATION: self._application(client)}
        return replace(self, told_apart=told_apart)

    def find(self, client: "BaseClient") -> Sequence[aws.Resource]:
        """The job runs of that name."""
        return find(client, name=self.name, told_apart=self.told_apart, since=self.since)

    def submit(self, client: "BaseClient") -> aws.Resource:
        """Start the job run."""
        started = aws.call(client, "StartJobRun", self.request)
        return _job_run(str(started[APPLICATION]), str(started["jobRunId"]))

    def _application(self, client: "BaseClient") -> str:
        """The id of a new application, or of the one that was created by the same token."""
        config = dict(self.arguments["ApplicationConfig"])
        request = {
            "name": self.application,
            **config,
            "clientToken": self.application,
            **self._tags(config.get("tags")),
        }
        identifier = str(aws.call(client, "CreateApplication", request)[APPLICATION])
        _await_application(
            client,
            identifier,
            starts=member(config, "autoStartConfiguration.enabled") is not False,
        )
        return identifier

    def _tags(self, own: Any) -> dict[str, Json]:
        """Its own tags and where it comes from; tags are a map here."""
        tags = {**tagging.origin_map(self.origin), **(own if isinstance(own, dict) else {})}
        return {"tags": tags} if tags else {}


def find(
    client: "BaseClient", *, name: str, told_apart: Mapping[str, str], since: datetime
) -> list[aws.Resource]:
    """The job runs of a name, the oldest first; none where the application is not there yet."""
    if not (identifier := told_apart.get(APPLICATION)):
        return []
    rows = [row for row in _job_runs(client, identifier, since) if row.get("name") == name]
    rows.sort(key=lambda row: str(row["createdAt"]))
    return [_job_run(identifier, str(row["id"])) for row in rows]


def stop(client: "BaseClient", resource: aws.Resource) -> bool:
    """Cancel a job run; False where it has ended."""
    try:
        aws.call(client, "CancelJobRun", resource.request)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ENDED:
            raise
        log.info("%s was not stopped, it has ended: %s", resource, error)
        return False
    log.info("%s is being stopped", resource)
    return True


def _await_application(client: "BaseClient", identifier: str, *, starts: bool) -> None:
    """Return when an application takes job runs; a `NotReadyError` while it does not yet.

    One that is not started by its first job run is started.
    """
    state = _state(client, identifier)
    if state in STOPPED and starts:
        return
    if state in STOPPED:
        aws.call(client, "StartApplication", {APPLICATION: identifier})
        state = _state(client, identifier)
    if state != "STARTED":
        raise NotReadyError(f"application {identifier} is {state}")


def _state(client: "BaseClient", identifier: str) -> str:
    told = aws.call(client, "GetApplication", {APPLICATION: identifier})
    return str(told["application"]["state"])


def _job_run(identifier: str, job_run: str) -> aws.Resource:
    return aws.Resource(JOB_RUN, job_run, told_apart={APPLICATION: identifier})


def _job_runs(client: "BaseClient", identifier: str, since: datetime) -> Iterator[dict[str, Any]]:
    # botocore takes a time; JSON has none.
    request = {APPLICATION: identifier, "createdAtAfter": since}
    for number, page in enumerate(aws.pages(client, "ListJobRuns", request)):
        if number == MOST_PAGES:  # taken for absent, with its token forgotten, it would run twice
            raise JobError(f"ListJobRuns: more than {number} pages; what is there cannot be told")
        yield from page["jobRuns"]


APPLICATION = "applicationId"
LONGEST_TOKEN = 64
MOST_PAGES = 40
STOPPED = frozenset({"CREATED", "STOPPED"})
ENDED = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})
"""How CancelJobRun answers for a job run that has ended; which of them is not documented."""
