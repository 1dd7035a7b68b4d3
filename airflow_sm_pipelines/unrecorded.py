"""Finding the job of a step in a run where Airflow cannot remember its name: before 3.3.

A retry computes the name of its job anew, and comes to another where the request has changed, as by
Execution.CurrentDateTime. The tags of a job tell its step in full, its name 20 characters of it.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import PENDING, Job
from airflow_sm_pipelines.errors import AccessDeniedError
from airflow_sm_pipelines.requests import Request
from airflow_sm_pipelines.tagging import TAG_PREFIX, tag_text

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a job was started for: a step in an epoch of a run, which began at `since`."""

    execution_id: str
    step: str
    epoch: int
    since: datetime


def in_progress(
    client: "BaseClient", job: Job, *, origin: Origin, request: Request
) -> aws.Resource | None:
    """The job of that origin that goes on; None where there is none, or AWS would not tell.

    `request` is one that would create it: what List asks for beside the name is taken from it.
    """
    if job.listing is None or job.create_name is None or job.updates:
        return None
    try:
        for summary in _summaries(client, job, origin=origin, request=request):
            if _is_of(client, summary, job=job, origin=origin):
                resource = aws.Resource.of(job, str(summary[job.create_name]), request)
                log.info("%s of this run goes on: attached to it", resource)
                return resource
    except (AccessDeniedError, ClientError, BotoCoreError) as error:
        log.warning("whether a job of this step goes on cannot be told: %s", error)
    return None


def _summaries(
    client: "BaseClient", job: Job, *, origin: Origin, request: Request
) -> Iterator[dict[str, Any]]:
    """The jobs of the run in progress, the newest first, as far as the first pages have them."""
    listing = job.listing
    assert listing is not None, f"{job.noun} is not listed"
    name = f"List{job.noun}s"
    asked: dict[str, Json] = {
        **dict(listing.also),
        **{key: request[key] for key in job.told_apart if key in request},
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": 100,
        "NameContains": origin.execution_id,
    }
    # botocore takes a time; JSON has none.
    since: Any = origin.since - CLOCKS_DIFFER
    for _ in range(MOST_PAGES):
        page = aws.call(client, name, {**asked, "CreationTimeAfter": since})
        yield from (
            row for row in page[listing.rows] if row.get(job.status) in PENDING - {"Stopping"}
        )
        if not page.get("NextToken"):
            return
        asked["NextToken"] = page["NextToken"]
    log.warning("%s: %d pages, and more; the job may be on a later one", name, MOST_PAGES)


def _is_of(client: "BaseClient", summary: dict[str, Any], *, job: Job, origin: Origin) -> bool:
    if not re.search(rf"-{origin.epoch}-\d+$", str(summary[job.create_name or ""])):
        return False
    tags = aws.call(client, "ListTags", {"ResourceArn": summary[job.arn]})["Tags"]
    return {"Key": f"{TAG_PREFIX}:step", "Value": tag_text(origin.step)} in tags


MOST_PAGES = 20
CLOCKS_DIFFER = timedelta(minutes=5)
