"""How the jobs of one kind that are waited for are looked at, with few calls.

A page of a list tells of a hundred jobs, those of others included; Describe tells of one. Each look
lists the newest jobs as far down as that is cheaper than to describe those that are found there,
and describes the rest, the stragglers. How far down a job is was learnt from the looks before:
jobs of others only push it further.

The service applies LastModifiedTimeAfter, NameContains and StatusEquals after it has cut a page, so
they save nothing; CreationTimeAfter chooses what is paged.
"""

import itertools
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import AccessDeniedError, JobLostError
from airflow_sm_pipelines.watches import Watch

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

Kind = tuple[object, ...]
Row = Mapping[str, Json]


def kind(resource: aws.Resource) -> Kind:
    """What resources have in common that one list tells of."""
    return (resource.job.noun, *sorted(resource.told_apart.items()))


def identifier(resource: aws.Resource) -> str:
    """The member of a row that tells which resource it is about."""
    return resource.job.create_name or resource.job.arn


def cheapest(depths: Sequence[int], shares: Sequence[float]) -> int:
    """How many of the newest jobs to find by listing, so that a look takes the fewest calls.

    `depths` are where in the list they are, at least; `shares` in which part of the looks each
    would be described instead.
    """
    listed, fewest, rows = 0, describing(len(shares), sum(shares)), 0
    left = sum(shares)
    for count, (depth, share) in enumerate(zip(depths, shares, strict=True), 1):
        rows = max(rows + 1, depth)
        left -= share
        pages = math.ceil(rows / PAGE)
        calls = pages + describing(len(shares) - count, left)
        if pages <= MOST_PAGES and calls < fewest:
            listed, fewest = count, calls
    return listed


def describing(count: int, shares: float) -> float:
    """The calls of a look that describes so many jobs, where `shares` is the sum of theirs."""
    return count if count <= FEW else max(FEW, shares)


class Looks:
    """The looks at the waiting jobs of one kind, and what is learnt from them."""

    def __init__(
        self, *, poll_seconds: float, grace_seconds: float, clock: Callable[[], float]
    ) -> None:
        self._poll_seconds = poll_seconds
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._may_list = True

    def look(self, client: "BaseClient", watches: Sequence[Watch]) -> None:
        """Look once at the jobs.

        An error that passes is raised; any other ends the wait for the job that it is about.
        """
        now = self._clock()
        newest, rest = self._divided(watches)
        seen = self._list_if_allowed(client, newest, watches, now=now)
        due = [watch for watch in rest if len(rest) <= FEW or self._is_due(watch, now)]
        unseen = [watch for watch in newest + due if watch not in seen]
        unseen.sort(key=lambda watch: -math.inf if watch.looked is None else watch.looked)
        for watch in unseen[:MOST_DESCRIBED]:
            self._describe(client, watch, now=now)

    def _divided(self, watches: Sequence[Watch]) -> tuple[list[Watch], list[Watch]]:
        """Those to be found by listing, the newest first, and those to be described."""
        listed: list[Watch] = []
        described: list[Watch] = []
        for watch in watches:
            (listed if self._may_list and watch.is_listed else described).append(watch)
        listed.sort(key=_newest_first)
        depths = [watch.depth for watch in listed]
        count = cheapest(depths, [self._share(watch) for watch in listed])
        return listed[:count], listed[count:] + described

    def _beat(self, watch: Watch) -> float:
        """Seconds between two descriptions of a straggler: the longer it takes, the more."""
        age = (datetime.now(UTC) - watch.created).total_seconds() if watch.created else 0.0
        return max(self._poll_seconds, min(age * DELAY_SHARE, STRAGGLER_SECONDS))

    def _share(self, watch: Watch) -> float:
        return self._poll_seconds / self._beat(watch) if self._poll_seconds else 1.0

    def _is_due(self, watch: Watch, now: float) -> bool:
        # Looks are not exactly as far apart as they ought to be.
        early = self._poll_seconds / 2
        return watch.looked is None or now - watch.looked >= self._beat(watch) - early

    def _list_if_allowed(
        self, client: "BaseClient", newest: Sequence[Watch], watches: Sequence[Watch], *, now: float
    ) -> set[Watch]:
        """Those of the jobs that a list has told of."""
        if not newest:
            return set()
        try:
            return self._list(client, newest, watches, now=now)
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            if aws.passes(error) or aws.expired(error):
                raise
            self._may_list = False  # from now on, so that it is told once
            log.warning("jobs are described one by one, since they cannot be listed: %s", error)
            return set()

    def _list(
        self, client: "BaseClient", newest: Sequence[Watch], watches: Sequence[Watch], *, now: float
    ) -> set[Watch]:
        """Go down the list to the last of the newest jobs, at most as long as to describe them."""
        name = identifier(newest[0].resource)
        waiting = _by_identifier(watches)
        missing = _by_identifier(newest)
        cost = describing(len(newest), sum(map(self._share, newest)))
        seen: set[Watch] = set()
        depth, more = 0, True
        for page in pages(client, newest, most=min(math.ceil(cost), MOST_PAGES)):
            more = page.more
            for row in page.rows:
                depth += 1
                missing.pop(str(row[name]), None)
                for watch in waiting.pop(str(row[name]), ()):
                    watch.depth = depth
                    watch.see(row, now=now)
                    seen.add(watch)
            if not missing:
                break
        for watch in itertools.chain.from_iterable(missing.values()):
            watch.depth = depth + 1
            watch.is_listed = more or now - watch.since < self._grace_seconds
        return seen

    def _describe(self, client: "BaseClient", watch: Watch, *, now: float) -> None:
        watch.looked = now
        try:
            described = aws.describe(client, watch.resource)
        except JobLostError as error:
            # What was just created may be known to one of AWS's servers and not to the next.
            if now - watch.since >= self._grace_seconds:
                watch.end(error)
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            if aws.passes(error) or aws.expired(error):
                raise
            watch.end(error)
        else:
            watch.see(described, now=now)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list, and whether there is more of it."""

    rows: list[Row]
    more: bool


def pages(client: "BaseClient", newest: Sequence[Watch], *, most: int) -> Iterator[Page]:
    """The pages of the list down to the oldest of these jobs."""
    resource = newest[0].resource
    listing = resource.job.listing
    assert listing is not None, f"{resource.job.noun} is not listed"
    request = {
        **dict(listing.also),
        **resource.told_apart,
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
        "MaxResults": PAGE,
        **_created_after(newest),
    }
    for _ in range(most):
        answer = aws.call(client, f"List{resource.job.noun}s", request)
        token = answer.get("NextToken")
        yield Page(answer[listing.rows], bool(token))
        if not token:
            return
        request["NextToken"] = token


def _created_after(newest: Sequence[Watch]) -> dict[str, Any]:
    """The time before the oldest of them was created, as far as all of them are known."""
    created = [watch.created for watch in newest]
    known = [moment for moment in created if moment is not None]
    # What was created at that very time is left out.
    return {"CreationTimeAfter": min(known) - ONE_SECOND} if len(known) == len(created) else {}


def _by_identifier(watches: Iterable[Watch]) -> dict[str, list[Watch]]:
    found: dict[str, list[Watch]] = {}
    for watch in watches:
        found.setdefault(watch.resource.identifier, []).append(watch)
    return found


def _newest_first(watch: Watch) -> tuple[int, float]:
    if watch.created is not None:
        return 1, -watch.created.timestamp()
    # One that was not looked at yet is taken for new, one that a list has not shown for old.
    return (2 if watch.depth else 0), 0.0


PAGE = 100
"""Rows of a page, the most that the service gives."""
MOST_PAGES = 100
"""Pages of a look. What is further down is described."""
MOST_DESCRIBED = 100
"""Descriptions of a look, those first whose last look was the longest ago."""
FEW = 10
"""Stragglers that are described in every look; if there are more, each at a beat of its own."""
DELAY_SHARE = 0.01
"""By which part of its age the end of a straggler may be noticed later."""
STRAGGLER_SECONDS = 60.0
"""The longest beat of a straggler."""
ONE_SECOND = timedelta(seconds=1)
