"""List operations that page as the service does.

`CreationTime` bounds choose what is paged; the other filters are applied to each page, so a page
may be empty and still have a NextToken. To add a List operation: a row of `LISTINGS`.
"""

import base64
import hashlib
import json
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.errors import invalid

Fields = Mapping[str, Any]
Filter = Callable[[Fields, Any], bool]

_DEFAULT_RESULTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One List operation.

    `noun` is what is listed, `rows` the member of the answer that holds them. `order` is
    SageMaker's default SortOrder. `before` and `after` are its filters, applied before and
    after a page is cut; `included` says, by the members `selectors`, which rows a request is about.
    """

    noun: str
    rows: str
    order: str
    before: Mapping[str, Filter] = field(default_factory=dict)
    after: Mapping[str, Filter] = field(default_factory=dict)
    included: Callable[[Fields, Fields], bool] = lambda row, request: True
    selectors: tuple[str, ...] = ()

    def sort_key(self, request: Fields) -> Callable[[Fields], tuple[Any, str]]:
        """What the rows are sorted by: the requested member, then what no two rows share."""
        by: str = request.get("SortBy", "CreationTime")
        member = {"Name": f"{self.noun}Name", "Status": f"{self.noun}Status"}.get(by, by)
        arn, name = f"{self.noun}Arn", f"{self.noun}Name"
        # Names that differ only in case share an ARN; versions of a package have no name.
        return lambda row: (_plain(row.get(member) or ""), f"{row[arn]} {row.get(name)}")


def page(name: str, request: Fields, descriptions: Iterable[Fields]) -> Fields:
    """The answer of List operation `name`."""
    listing = LISTINGS[name]
    known = {*_CONTROLS, *listing.before, *listing.after, *listing.selectors}
    unknown = sorted(set(request) - known)
    if unknown:
        raise invalid(f"{name}: the local AWS has no filter {', '.join(unknown)}")
    rows = [
        row
        for row in descriptions
        if listing.included(row, request) and _passes(row, listing.before, request)
    ]
    key = listing.sort_key(request)
    descending = request.get("SortOrder", listing.order) == "Descending"
    rows.sort(key=key, reverse=descending)
    position = _position(request)
    if position is not None:
        beyond = operator.lt if descending else operator.gt
        rows = [row for row in rows if beyond(key(row), position)]
    size = request.get("MaxResults", _DEFAULT_RESULTS)
    cut = rows[:size]
    members = shapes.summary_members(name)
    shown = [_summary(row, members) for row in cut if _passes(row, listing.after, request)]
    more = {"NextToken": _token(request, key(cut[-1]))} if len(rows) > size else {}
    return {listing.rows: shown, **more}


def _passes(row: Fields, filters: Mapping[str, Filter], request: Fields) -> bool:
    return all(holds(row, request[name]) for name, holds in filters.items() if name in request)


def _summary(row: Fields, members: frozenset[str]) -> Fields:
    return {key: value for key, value in row.items() if key in members and value is not None}


def _plain(value: Any) -> Any:
    """A value that survives a token."""
    return value.timestamp() if isinstance(value, datetime) else value


def _query(request: Fields) -> str:
    """What a token is bound to: all of the request but the token and the size of a page."""
    bound = {key: request[key] for key in request if key not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]


def _token(request: Fields, position: tuple[Any, str]) -> str:
    content = json.dumps([_query(request), *position])
    return base64.urlsafe_b64encode(content.encode()).decode()


def _position(request: Fields) -> tuple[Any, str] | None:
    """Where the page before this one ended, or None for the first page."""
    if "NextToken" not in request:
        return None
    try:
        content = base64.urlsafe_b64decode(request["NextToken"].encode())
        query, value, rest = json.loads(content)
    except (ValueError, TypeError) as error:
        raise invalid("Invalid NextToken.") from error
    if query != _query(request):
        raise invalid("Invalid NextToken: it belongs to a request with other parameters.")
    return value, rest


def _time(member: str, holds: Callable[[Any, Any], bool]) -> Filter:
    def filtered(row: Fields, moment: float) -> bool:
        return member in row and holds(row[member], datetime.fromtimestamp(moment, UTC))

    return filtered


def _contains(member: str) -> Filter:
    return lambda row, text: str(text) in str(row.get(member) or "")


def _equals(member: str) -> Filter:
    return lambda row, value: bool(row.get(member) == value)


def _package_included(row: Fields, request: Fields) -> bool:
    """Versions of the group that is asked for; without a group, packages of the type."""
    group = row.get("ModelPackageGroupName")
    asked = request.get("ModelPackageGroupName")
    if asked is not None:
        name = str(asked).rpartition("/")[2]
        return group is not None and str(group).lower() == name.lower()
    # Without a type, SageMaker lists unversioned packages only.
    kind = request.get("ModelPackageType", "Unversioned")
    return bool(kind == "Both" or (kind == "Versioned") == (group is not None))


# SageMaker documents "created after" for jobs, "greater than or equal to" for the rest.
_CREATED_STRICTLY: dict[str, Filter] = {
    "CreationTimeAfter": _time("CreationTime", operator.gt),
    "CreationTimeBefore": _time("CreationTime", operator.lt),
}
_CREATED: dict[str, Filter] = {
    "CreationTimeAfter": _time("CreationTime", operator.ge),
    "CreationTimeBefore": _time("CreationTime", operator.lt),
}
_MODIFIED: dict[str, Filter] = {
    "LastModifiedTimeAfter": _time("LastModifiedTime", operator.gt),
    "LastModifiedTimeBefore": _time("LastModifiedTime", operator.lt),
}

_CONTROLS = frozenset({"SortBy", "SortOrder", "MaxResults", "NextToken"})

LISTINGS = {
    "ListProcessingJobs": Listing(
        noun="ProcessingJob",
        rows="ProcessingJobSummaries",
        order="Ascending",
        before=_CREATED_STRICTLY,
        after={
            **_MODIFIED,
            "NameContains": _contains("ProcessingJobName"),
            "StatusEquals": _equals("ProcessingJobStatus"),
        },
    ),
    "ListTrainingJobs": Listing(
        noun="TrainingJob",
        rows="TrainingJobSummaries",
        order="Ascending",
        before=_CREATED_STRICTLY,
        after={
            **_MODIFIED,
            "NameContains": _contains("TrainingJobName"),
            "StatusEquals": _equals("TrainingJobStatus"),
        },
    ),
    "ListModels": Listing(
        noun="Model",
        rows="Models",
        order="Descending",
        before=_CREATED,
        after={"NameContains": _contains("ModelName")},
    ),
    "ListEndpointConfigs": Listing(
        noun="EndpointConfig",
        rows="EndpointConfigs",
        order="Descending",
        before=_CREATED,
        after={"NameContains": _contains("EndpointConfigName")},
    ),
    "ListEndpoints": Listing(
        noun="Endpoint",
        rows="Endpoints",
        order="Descending",
        before=_CREATED,
        after={
            **_MODIFIED,
            "NameContains": _contains("EndpointName"),
            "StatusEquals": _equals("EndpointStatus"),
        },
    ),
    "ListModelPackageGroups": Listing(
        noun="ModelPackageGroup",
        rows="ModelPackageGroupSummaryList",
        order="Ascending",
        before=_CREATED,
        after={"NameContains": _contains("ModelPackageGroupName")},
    ),
    "ListModelPackages": Listing(
        noun="ModelPackage",
        rows="ModelPackageSummaryList",
        order="Ascending",
        before=_CREATED,
        after={
            "NameContains": _contains("ModelPackageName"),
            "ModelApprovalStatus": _equals("ModelApprovalStatus"),
        },
        included=_package_included,
        selectors=("ModelPackageGroupName", "ModelPackageType"),
    ),
}
