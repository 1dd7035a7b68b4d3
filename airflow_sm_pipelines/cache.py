"""Looking for an earlier job that did what a step is about to do.

SageMaker's own list of jobs is the cache. The names of all jobs that do the same for a step have
its key, see `naming.cache_key`, so that the list tells which they are; Describe confirms what was
asked of them.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pendulum

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.contrasts import contrasts, explained
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.durations import Duration
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import PENDING, Job
from airflow_sm_pipelines.errors import JobLostError
from airflow_sm_pipelines.requests import Requests
from airflow_sm_pipelines.tagging import TAG_PREFIX, tag_text

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

Summary = Mapping[str, Any]
"""An entry of SageMaker's list of jobs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a step is about to ask of a job, and since when an earlier one counts."""

    step: Step
    job: Job
    pipeline: str
    requests: Requests
    oldest: datetime | None

    def name(self, summary: Summary) -> str:
        """The name of a job of the list."""
        return str(summary[self.job.describe_name])

    def is_good(self, summary: Summary) -> bool:
        """Whether a job of the list has not expired."""
        created = datetime.fromisoformat(str(summary["CreationTime"]))
        return self.oldest is None or created >= self.oldest

    def asked(self, name: str) -> dict[str, Json]:
        """What has to be the same; where Arguments contain the job's own name, `name` does."""
        return self.requests.cache_attributes(name)

    def has_key(self, name: str) -> bool:
        """Whether a job was asked for the same, judged by its name."""
        return self.requests.key in name.split("-")

    def may_be_of_step(self, name: str) -> bool:
        """Whether a job may be of the step, judged by its name, in which the step's is cut."""
        is_short = self.job.longest_name < SHORT_NAMES
        part = self.step.name[:3] if is_short else (self.requests.name_prefix or self.step.name)
        return _ILLEGAL.sub("-", part[:16]).strip("-") in name


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the list holds of a step's earlier jobs, of each kind the newest."""

    hit: Summary | None = None
    """A job that did the same."""
    twin: Summary | None = None
    """A job that does the same at this moment."""
    others: tuple[Summary, ...] = ()
    """Jobs that have completed and may be of the step, for another key; a few."""


def look(
    client: "BaseClient",
    wanted: Wanted,
    *,
    most_pages: int,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Go through SageMaker's list, newest first, to a job that did the same.

    Ends with a warning after `most_pages` of 100 jobs, or after `MOST_SECONDS`.
    """
    twin: Summary | None = None
    others: list[Summary] = []
    for summary in _summaries(client, wanted, most_pages=most_pages, clock=clock):
        name, status = wanted.name(summary), str(summary[wanted.job.status or ""])
        succeeded, same = status in wanted.job.succeeded, wanted.has_key(name)
        if same and succeeded and confirmed(client, wanted, name):
            return Found(hit=summary, twin=twin)
        if same and status in GOING and not twin and confirmed(client, wanted, name):
            twin = summary
        elif same and status not in GOING:
            log.info("%s was asked for the same, but is %s", name, status)
        elif succeeded and len(others) < MOST_OTHERS and wanted.may_be_of_step(name):
            others.append(summary)
    return Found(twin=twin, others=tuple(others))


def confirmed(client: "BaseClient", wanted: Wanted, name: str) -> bool:
    """Whether Describe says that a job was asked for what is wanted; AWS may have added to it."""
    try:
        described = aws.describe(client, aws.Resource(wanted.job, name))
    except JobLostError:
        return False
    differing = contrasts(described, wanted.asked(name))
    if differing:
        log.warning("%s has the key of this step, but not its attributes: %s", name, differing[0])
    return not differing


def explain(client: "BaseClient", wanted: Wanted, others: tuple[Summary, ...]) -> str:
    """In words, why no earlier job did: what differs from the step's last one that completed."""
    for summary in others:
        name = wanted.name(summary)
        if _is_of_step(origin(client, wanted.job, summary), wanted):
            described = aws.describe(client, aws.Resource(wanted.job, name))
            differing = explained(described, wanted.asked(name))
            told = "; ".join(map(str, differing[:MOST_CONTRASTS])) or "nothing that AWS tells"
            more = len(differing) - MOST_CONTRASTS
            return f"what differs from {name}, the last of the step that completed: {told}" + (
                f" and {more} more" if more > 0 else ""
            )
    since = f" since {wanted.oldest.isoformat(timespec='seconds')}" if wanted.oldest else ""
    return f"no job that is known to be of this step has completed{since}"


def origin(client: "BaseClient", job: Job, summary: Summary) -> dict[str, str]:
    """What the tags of a job tell of where it comes from: `pipeline`, `step`, `dag`, `run`."""
    tags = aws.call(client, "ListTags", {"ResourceArn": summary[job.arn]})["Tags"]
    prefix = f"{TAG_PREFIX}:"
    return {
        tag["Key"].removeprefix(prefix): tag["Value"]
        for tag in tags
        if tag["Key"].startswith(prefix)
    }


def oldest(after: Duration | None, *, now: datetime) -> datetime | None:
    """Since when a job has to have been created to be good at `now`; None where any is.

    Months and years are those of the calendar, in UTC.
    """
    if after is None:
        return None
    try:
        return pendulum.instance(now.astimezone(UTC)).subtract(
            years=after.years,
            months=after.months,
            weeks=after.weeks,
            days=after.days,
            hours=after.hours,
            minutes=after.minutes,
            seconds=after.seconds,
        )
    except (OverflowError, ValueError):
        return None  # before the year 1


def _summaries(
    client: "BaseClient", wanted: Wanted, *, most_pages: int, clock: Callable[[], float]
) -> Iterator[Summary]:
    """The jobs of the step's kind, newest first.

    There is nothing to ask for by name or status: the service filters by them after it has cut its
    pages, so there would be as many, and it would not tell of the step's other jobs.
    """
    job, deadline = wanted.job, clock() + MOST_SECONDS
    request: dict[str, Json] = {
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": PAGE,
    }
    if wanted.oldest:  # botocore sends whole seconds
        request["CreationTimeAfter"] = (wanted.oldest - timedelta(seconds=1)).isoformat()
    for _ in range(most_pages):
        page = aws.call(client, f"List{job.noun}s", request)
        yield from filter(wanted.is_good, page[f"{job.noun}Summaries"])
        if not page.get("NextToken"):
            return
        if clock() > deadline:
            break
        request["NextToken"] = page["NextToken"]
    log.warning(
        "the list of jobs has more than %d pages or took more than %g seconds: the look at it "
        "ends here; see [sm_pipelines] cache_pages",
        most_pages,
        MOST_SECONDS,
    )


def _is_of_step(tags: Mapping[str, str], wanted: Wanted) -> bool:
    of_step = {"pipeline": tag_text(wanted.pipeline), "step": tag_text(wanted.step.name)}
    return of_step.items() <= tags.items()


PAGE = 100
MOST_SECONDS = 60.0
MOST_OTHERS = 5
MOST_CONTRASTS = 5
SHORT_NAMES = 63
GOING = PENDING - {"Stopping"}

_ILLEGAL = re.compile(r"[^A-Za-z0-9-]")
