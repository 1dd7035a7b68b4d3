"""The lists in which AWS tells of earlier jobs, and what was asked of one, service by service.

A service whose jobs are to be found again is a row of `CATALOGUES`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import aws, emr
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.members import member

if TYPE_CHECKING:
    from botocore.client import BaseClient

Attributes = dict[str, Json]
"""Path in Arguments -> the value there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A job that AWS tells of."""

    name: str
    """What we have named it, with the key of what it was asked for."""
    resource: aws.Resource
    arn: str
    status: str
    created: str

    @classmethod
    def of(cls, job: Job, told: Mapping[str, Any], told_apart: Mapping[str, str]) -> "Earlier":
        """The job of a row of a list, or of a description; of EMR's steps only `Id` tells which."""
        identifier = str(told.get(job.describe_name) or told["Id"])
        return cls(
            name=str(told[job.create_name or job.describe_name]),
            resource=aws.Resource(job, identifier, told_apart=dict(told_apart)),
            arn=str(told.get(job.arn, "")),
            status=str(member(dict(told), job.status or "")),
            created=str(member(dict(told), job.created)),
        )

    def is_since(self, oldest: datetime | None) -> bool:
        """Whether it was created then or later."""
        return oldest is None or datetime.fromisoformat(self.created) >= oldest


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """How a service lists its jobs, the newest first, and the words in which it describes them."""

    request: Callable[[datetime | None], dict[str, Json]]
    """What the list is asked, beside what tells the lists apart, for jobs since then."""
    asked: Callable[[Attributes], Attributes] = dict
    """Attributes in the form in which `described` has them."""
    described: Callable[[Mapping[str, Json]], dict[str, Json]] = dict
    """A description in the words of Arguments."""
    prefix: str = ""
    """The path in Arguments to what the names of jobs begin with; "" for what Create has it in."""


def catalogue(job: Job) -> Catalogue:
    """The row of a job's service."""
    return CATALOGUES[job.service]


def pages(
    client: "BaseClient", job: Job, *, told_apart: Mapping[str, str], oldest: datetime | None
) -> Iterator[tuple[list[Earlier], bool]]:
    """The jobs of a kind since `oldest`, page by page, and whether there are more."""
    request = {**told_apart, **catalogue(job).request(oldest)}
    rows = job.listing.rows if job.listing else f"{job.noun}s"
    for page in aws.pages(client, f"List{job.noun}s", request):
        listed = [Earlier.of(job, row, told_apart) for row in page[rows]]
        recent = [each for each in listed if each.is_since(oldest)]
        more = any(page.get(token) for token in aws.TOKENS) and len(recent) == len(listed)
        yield recent, more
        if not more:
            return


def _newest_first(oldest: datetime | None) -> dict[str, Json]:
    """What SageMaker's lists are asked.

    There is nothing to ask for by name or status: the service filters by them after it has cut its
    pages, so there would be as many, and it would not tell of the step's other jobs.
    """
    since: dict[str, Json] = {}
    if oldest:  # botocore sends whole seconds
        since = {"CreationTimeAfter": (oldest - timedelta(seconds=1)).isoformat()}
    return {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": PAGE, **since}


PAGE = 100

CATALOGUES: dict[str, Catalogue] = {
    "sagemaker": Catalogue(request=_newest_first),
    # ListSteps tells the newest first as long as it is asked for no states, and nothing else.
    "emr": Catalogue(
        request=lambda oldest: {},
        asked=emr.asked,
        described=emr.as_asked,
        prefix="StepConfig.Name",
    ),
}
"""By boto3's name of the service."""
