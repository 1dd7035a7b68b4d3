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


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One List operation.

    `noun` is what is listed, `rows` the member of the answer that holds them. `order`, `by` and
    `results` are SageMaker's defaults of SortOrder, SortBy and MaxResults. `before` and `after` are
    its filters, applied before and after a page is cut; `included` says, by the members
    `selectors`, which rows a request is about.
    """

    noun: str
    rows: str
    order: str
    by: str = "CreationTime"
    results: int = 10
    before: Mapping[str, Filter] = field(default_factory=dict)
    after: Mapping[str, Filter] = field(default_factory=dict)
    included: Callable[[Fields, Fields], bool] = lambda row, request: True
    selectors: tuple[str, ...] = ()

    def sort_key(self, request: Fields) -> Callable[[Fields], tuple[Any, str]]:
        """What the rows are sorted by: the requested member, then what no two rows share."""
        by: str = request.get("SortBy", self.by)
        member = {"Name": f"{self.noun}Name", "Status": f"{self.noun}Status"}.get(by, by)
        rank = RANKS.get(by) or (lambda row: row.get(member) or "")
        arn, name = f"{self.noun}Arn", f"{self.noun}Name"
        # Names that differ only in case share an ARN; versions of a package have no name.
        return lambda row: (_plain(rank(row)), f"{row[arn]} {row.get(name)}")

    def lists(self, row: Fields, request: Fields) -> bool:
        """Whether a row is one of those that are paged."""
        rank = RANKS.get(request.get("SortBy", self.by))
        ranked = rank is None or rank(row) is not None
        return ranked and self.included(row, request) and _passes(row, self.before, request)


def page(name: str, request: Fields, descriptions: Iterable[Fields]) -> Fields:
    """The answer of List operation `name`."""
    listing = LISTINGS[name]
    known = {*_CONTROLS, *listing.before, *listing.after, *listing.selectors}
    unknown = sorted(set(request) - known)
    if unknown:
        raise invalid(f"{name}: the local AWS has no filter {', '.join(unknown)}")
    rows = [row for row in descriptions if listing.lists(row, request)]
    key = listing.sort_key(request)
    descending = request.get("SortOrder", listing.order) == "Descending"
    rows.sort(key=key, reverse=descending)
    position = _position(request)
    if position is not None:
        beyond = operator.lt if descending else operator.gt
        rows = [row for row in rows if beyond(key(row), position)]
    size = request.get("MaxResults", listing.results)
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


def _metric_value(row: Fields) -> float | None:
    """The final value of the objective metric of one of a tuning job's training jobs."""
    metric = row.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    value: float | None = metric.get("Value")
    return value


# What rows are sorted by other than a member of theirs; a row for which that is None is not listed.
# FinalObjectiveMetricValue: the service documents that jobs without a value are not listed. That
# Ascending puts the lowest value first, whether the objective is Minimize or Maximize, is inferred.
RANKS: dict[str, Callable[[Fields], Any]] = {"FinalObjectiveMetricValue": _metric_value}

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


def _filters(noun: str) -> dict[str, Filter]:
    """The filters that most List operations apply to each page."""
    return {
        **_MODIFIED,
        "NameContains": _contains(f"{noun}Name"),
        "StatusEquals": _equals(f"{noun}Status"),
    }


_CONTROLS = frozenset({"SortBy", "SortOrder", "MaxResults", "NextToken"})

LISTINGS = {
    "ListProcessingJobs": Listing(
        noun="ProcessingJob",
        rows="ProcessingJobSummaries",
        order="Ascending",
        before=_CREATED_STRICTLY,
        after=_filters("ProcessingJob"),
    ),
    "ListTrainingJobs": Listing(
        noun="TrainingJob",
        rows="TrainingJobSummaries",
        order="Ascending",
        before=_CREATED_STRICTLY,
        after=_filters("TrainingJob"),
    ),
    "ListTransformJobs": Listing(
        noun="TransformJob",
        rows="TransformJobSummaries",
        order="Descending",
        before=_CREATED_STRICTLY,
        after=_filters("TransformJob"),
    ),
    "ListHyperParameterTuningJobs": Listing(
        noun="HyperParameterTuningJob",
        rows="HyperParameterTuningJobSummaries",
        order="Ascending",
        by="Name",
        before=_CREATED_STRICTLY,
        after=_filters("HyperParameterTuningJob"),
    ),
    "ListTrainingJobsForHyperParameterTuningJob": Listing(
        noun="TrainingJob",
        rows="TrainingJobSummaries",
        order="Ascending",
        by="Name",
        after={"StatusEquals": _equals("TrainingJobStatus")},
        selectors=("HyperParameterTuningJobName",),
    ),
    "ListAutoMLJobs": Listing(
        noun="AutoMLJob",
        rows="AutoMLJobSummaries",
        order="Descending",
        by="Name",
        before=_CREATED_STRICTLY,
        after=_filters("AutoMLJob"),
    ),
    # Its defaults are not documented but for MaxResults: those of ListTransformJobs are taken.
    "ListJobs": Listing(
        noun="Job",
        rows="JobSummaries",
        order="Descending",
        results=50,
        before=_CREATED_STRICTLY,
        after=_filters("Job"),
        included=lambda row, request: bool(row["JobCategory"] == request["JobCategory"]),
        selectors=("JobCategory",),
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
        after=_filters("Endpoint"),
    ),
    "ListInferenceComponents": Listing(
        noun="InferenceComponent",
        rows="InferenceComponents",
        order="Descending",
        before=_CREATED,
        after={
            **_filters("InferenceComponent"),
            "EndpointNameEquals": _equals("EndpointName"),
            "VariantNameEquals": _equals("VariantName"),
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
