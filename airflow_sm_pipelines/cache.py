"""Looking for an earlier job that did what a step is about to do.

AWS's own list of jobs is the cache. The names of all jobs that do the same for a step have its key,
see `naming.cache_key`, so that the list tells which they are; Describe confirms what was asked of
them, as far as AWS is told.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pendulum

from airflow_sm_pipelines import aws, catalogues
from airflow_sm_pipelines.catalogues import Earlier
from airflow_sm_pipelines.contrasts import contrasts, explained
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.durations import Duration
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import PENDING, STOPPED, Job
from airflow_sm_pipelines.errors import JobLostError
from airflow_sm_pipelines.members import member
from airflow_sm_pipelines.requests import Requests, key_text
from airflow_sm_pipelines.tagging import TAG_PREFIX, tag_text

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


def _none(described: dict[str, Json]) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a step is about to ask of a job, and since when an earlier one counts."""

    step: Step
    job: Job
    pipeline: str
    requests: Requests
    oldest: datetime | None
    objection: Callable[[dict[str, Json]], str] = _none
    """Why a job that has completed cannot stand for the step's all the same; "" where it can."""

    @property
    def told_apart(self) -> Mapping[str, str]:
        """What the list is asked, and Describe beside the job's name."""
        return aws.Resource.of(self.job, "", self.requests.arguments()).told_apart

    def differing(self, described: dict[str, Json], name: str) -> list[str]:
        """What of the step's request a job was not asked for; AWS may have added to it."""
        return [*map(str, contrasts(self._words(described), self._asked(name)))]

    def explained(
        self, described: dict[str, Json], name: str, tags: Mapping[str, str]
    ) -> list[str]:
        """What differs, for people; `tags` tell of the keys of the step that AWS is not told."""
        now = self.requests.keys()
        told = {key: _then(value, tags.get(key)) for key, value in now.items()}
        keys = now if now.keys() & tags.keys() else {}
        then = {**self._words(described), **told}
        return [*map(str, explained(then, {**keys, **self._asked(name)}))]

    def has_key(self, name: str) -> bool:
        """Whether a job was asked for the same, judged by its name."""
        return self.requests.key in name.split("-")

    def may_be_of_step(self, name: str) -> bool:
        """Whether a job may be of the step, judged by its name, in which the step's is cut."""
        is_short = self.job.longest_name < SHORT_NAMES
        part = self.step.name[:3] if is_short else (self._prefix or self.step.name)
        return _ILLEGAL.sub("-", part[:16]).strip("-") in name

    @property
    def _prefix(self) -> str:
        path = catalogues.catalogue(self.job).prefix
        given = member(self.requests.arguments(), path) if path else self.requests.name_prefix
        return str(given or "")

    def _asked(self, name: str) -> dict[str, Json]:
        """What has to be the same; where Arguments contain the job's own name, `name` does."""
        return catalogues.catalogue(self.job).asked(self.requests.cache_attributes(name))

    def _words(self, described: dict[str, Json]) -> dict[str, Json]:
        return catalogues.catalogue(self.job).described(described)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the list holds of a step's earlier jobs, of each kind the newest."""

    hit: Earlier | None = None
    """A job that did the same."""
    twin: Earlier | None = None
    """A job that does the same at this moment."""
    others: tuple[Earlier, ...] = ()
    """Jobs that have completed and may be of the step, for another key; a few."""
    objection: str = ""
    """Why the last job that did the same cannot stand for the step's, in words; what came before
    is then outdated."""


def look(
    client: "BaseClient",
    wanted: Wanted,
    *,
    most_pages: int,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Go through AWS's list, newest first, to a job that did the same.

    Ends with a warning after `most_pages`, or after `MOST_SECONDS`.
    """
    found = Found()
    for each in _listed(client, wanted, most_pages=most_pages, clock=clock):
        found = _with(found, each, client=client, wanted=wanted)
        if found.hit or found.objection:
            break
    return found


def confirmed(client: "BaseClient", wanted: Wanted, earlier: Earlier) -> dict[str, Json] | None:
    """What Describe says of a job that was asked for what is wanted; None if it was not."""
    try:
        described = aws.describe(client, earlier.resource)
    except JobLostError:
        return None
    if differing := wanted.differing(described, earlier.name):
        log.warning(
            "%s has the key of this step, but not its attributes: %s", earlier.name, differing[0]
        )
        return None
    return described


def explain(client: "BaseClient", wanted: Wanted, found: Found) -> str:
    """In words, why no earlier job did: what differs from the step's last one that completed."""
    if found.objection:
        return found.objection
    for each in found.others:
        tags = origin(client, each)
        if not wanted.job.tags or _is_of_step(tags, wanted):
            described = aws.describe(client, each.resource)
            differing = wanted.explained(described, each.name, tags)
            told = "; ".join(differing[:MOST_CONTRASTS]) or "nothing that AWS tells"
            more = len(differing) - MOST_CONTRASTS
            known = "the last of the step" if wanted.job.tags else "the last named as the step's"
            return f"what differs from {each.name}, {known} that completed: {told}" + (
                f" and {more} more" if more > 0 else ""
            )
    since = f" since {wanted.oldest.isoformat(timespec='seconds')}" if wanted.oldest else ""
    place = "".join(f" on {key} {value}" for key, value in wanted.told_apart.items())
    return f"no job that is known to be of this step has completed{place}{since}"


def origin(client: "BaseClient", earlier: Earlier) -> dict[str, str]:
    """What the tags of a job tell of where it comes from: `pipeline`, `step`, `dag`, `run`.

    Empty for jobs of a kind that has no tags.
    """
    if not earlier.resource.job.tags:
        return {}
    tags = aws.call(client, "ListTags", {"ResourceArn": earlier.arn})["Tags"]
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


def _with(found: Found, each: Earlier, *, client: "BaseClient", wanted: Wanted) -> Found:
    """What is found, with one more job, older than those before."""
    succeeded, going = each.status in wanted.job.succeeded, each.status in GOING
    if wanted.has_key(each.name):
        if not succeeded and not going:
            log.info("%s was asked for the same, but is %s", each.name, each.status)
            return found
        if described := confirmed(client, wanted, each):
            return _with_same(found, each, described, wanted=wanted)
    if succeeded and len(found.others) < MOST_OTHERS and wanted.may_be_of_step(each.name):
        return replace(found, others=(*found.others, each))
    return found


def _with_same(found: Found, each: Earlier, described: dict[str, Json], *, wanted: Wanted) -> Found:
    """What is found, with a job that did or does the same."""
    if each.status in GOING:
        return replace(found, twin=found.twin or each)
    if objection := wanted.objection(described):
        return replace(found, objection=f"{each.name} did the same, but {objection}")
    return replace(found, hit=each)


def _listed(
    client: "BaseClient", wanted: Wanted, *, most_pages: int, clock: Callable[[], float]
) -> Iterator[Earlier]:
    """The jobs of the step's kind, newest first."""
    deadline = clock() + MOST_SECONDS
    pages = catalogues.pages(client, wanted.job, told_apart=wanted.told_apart, oldest=wanted.oldest)
    for number, (page, more) in enumerate(pages, 1):
        yield from page
        if more and (number >= most_pages or clock() > deadline):
            log.warning(
                "the list of jobs has more than %d pages or took more than %g seconds: the look at "
                "it ends here; see [sm_pipelines] cache_pages",
                most_pages,
                MOST_SECONDS,
            )
            return


def _is_of_step(tags: Mapping[str, str], wanted: Wanted) -> bool:
    of_step = {"pipeline": tag_text(wanted.pipeline), "step": tag_text(wanted.step.name)}
    return of_step.items() <= tags.items()


def _then(now: Json, tag: str | None) -> Json:
    """What a key of a step was, as its tag tells; None where there is no tag."""
    if tag is None:
        return None
    if now is not None and tag_text(key_text(now)) == tag:
        return now
    return tag == "true" if isinstance(now, bool) else tag


MOST_SECONDS = 60.0
MOST_OTHERS = 5
MOST_CONTRASTS = 5
SHORT_NAMES = 63
GOING = PENDING - STOPPED

_ILLEGAL = re.compile(r"[^A-Za-z0-9-]")
