"""List operations that page as the service does.

`CreationTime` bounds choose what is paged; the other filters are applied to each page, so a page
may be empty and still have a NextToken. To add a List operation: a row of `LISTINGS`.
"""

import bisect
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from airflow_sm_pipelines.local import page_tokens, shapes
from airflow_sm_pipelines.local.errors import invalid

Fields = Mapping[str, Any]
Holds = Callable[[Fields], bool]
Filter = Callable[[Any], Holds]


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
    included: Callable[[Fields, Fields], bool] | None = None
    selectors: tuple[str, ...] = ()

    def position(self, request: Fields) -> Callable[[Fields], tuple[Any, str]]:
        """Where a row is: by the requested member, then by what no two rows share."""
        by: str = request.get("SortBy", self.by)
        member = {"Name": f"{self.noun}Name", "Status": f"{self.noun}Status"}.get(by, by)
        rank = RANKS.get(by) or (lambda row: row.get(member) or "")
        arn, name = f"{self.noun}Arn", f"{self.noun}Name"
        # Names that differ only in case share an ARN; versions of a package have no name.
        return lambda row: (_plain(rank(row)), f"{row[arn]} {row.get(name)}")

    def sort_key(self, request: Fields) -> Callable[[Fields], tuple[Any, ...]]:
        """What sorts the rows by their position, faster where all have the member."""
        if request.get("SortBy", self.by) == "CreationTime":
            return operator.itemgetter("CreationTime", f"{self.noun}Arn", f"{self.noun}Name")
        return self.position(request)

    def paged(self, rows: Iterable[Fields], request: Fields) -> list[Fields]:
        """The rows that a request is about, those that only a page's filters leave out included."""
        rank, included = RANKS.get(request.get("SortBy", self.by)), self.included
        if rank is not None:
            rows = [row for row in rows if rank(row) is not None]
        if included is not None:
            rows = [row for row in rows if included(row, request)]
        return _passing(rows, self.before, request)


def page(name: str, request: Fields, descriptions: Iterable[Fields]) -> Fields:
    """The answer of List operation `name`."""
    listing = LISTINGS[name]
    known = {*_CONTROLS, *listing.before, *listing.after, *listing.selectors}
    unknown = sorted(set(request) - known)
    if unknown:
        raise invalid(f"{name}: the local AWS has no filter {', '.join(unknown)}")
    rows = listing.paged(descriptions, request)
    descending = request.get("SortOrder", listing.order) == "Descending"
    rows.sort(key=listing.sort_key(request), reverse=descending)
    place = listing.position(request)
    start = _start(rows, request, place, descending=descending)
    size = request.get("MaxResults", listing.results)
    cut = rows[start : start + size]
    members = shapes.summary_members(name)
    shown = [_summary(row, members) for row in _passing(cut, listing.after, request)]
    more = (
        {"NextToken": page_tokens.token(request, place(cut[-1]))}
        if len(rows) > start + size
        else {}
    )
    return {listing.rows: shown, **more}


def _passing(
    rows: Iterable[Fields], filters: Mapping[str, Filter], request: Fields
) -> list[Fields]:
    """The rows that all filters of a request let through."""
    passing = list(rows)
    for name, filtered in filters.items():
        if name in request:
            passing = [*filter(filtered(request[name]), passing)]
    return passing


def _summary(row: Fields, members: frozenset[str]) -> Fields:
    return {key: value for key, value in row.items() if key in members and value is not None}


def _plain(value: Any) -> Any:
    """A value that survives a token."""
    return value.timestamp() if isinstance(value, datetime) else value


def _start(
    rows: list[Fields],
    request: Fields,
    place: Callable[[Fields], tuple[Any, str]],
    *,
    descending: bool,
) -> int:
    """The number of the first row beyond where the page before this one ended."""
    if "NextToken" not in request:
        return 0
    end = page_tokens.end(request)
    beyond = operator.lt if descending else operator.gt
    return bisect.bisect_left(rows, True, key=lambda row: bool(beyond(place(row), end)))


def _time(member: str, compare: Callable[[Any, Any], bool]) -> Filter:
    def filtered(seconds: float) -> Holds:
        moment = _moment(member, seconds)
        return lambda row: member in row and compare(row[member], moment)

    return filtered


def _moment(member: str, seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise invalid(f"{member} cannot be compared with {seconds}: {error}.") from error


def _contains(member: str) -> Filter:
    return lambda text: lambda row: str(text) in str(row.get(member) or "")


def _begins(member: str) -> Filter:
    return lambda text: lambda row: str(row.get(member) or "").startswith(str(text))


def _equals(member: str) -> Filter:
    return lambda value: lambda row: bool(row.get(member) == value)


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


def _trial_included(row: Fields, request: Fields) -> bool:
    """Trials of the experiment and of the component that are asked for."""
    return _among([row["ExperimentName"]], request.get("ExperimentName")) and _among(
        row.get("TrialComponents") or (), request.get("TrialComponentName")
    )


def _trial_component_included(row: Fields, request: Fields) -> bool:
    """Components of the trial, the experiment and the source that are asked for."""
    source = row.get("Source") or {}
    return (
        _among(row.get("Trials") or (), request.get("TrialName"))
        and _among(row.get("Experiments") or (), request.get("ExperimentName"))
        and _among([source.get("SourceArn", "")], request.get("SourceArn"))
    )


def _among(names: Iterable[str], asked: str | None) -> bool:
    """Whether nothing is asked for, or one of the names."""
    return asked is None or asked.lower() in {name.lower() for name in names}


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
_CREATED_OF_EXPERIMENTS: dict[str, Filter] = {
    "CreatedAfter": _time("CreationTime", operator.gt),
    "CreatedBefore": _time("CreationTime", operator.lt),
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
    # How many a page has is not documented for these three: the SDK reads one page alone. That the
    # newest step comes first is what its integration tests expect.
    "ListPipelineExecutionSteps": Listing(
        noun="PipelineExecutionStep",
        rows="PipelineExecutionSteps",
        order="Descending",
        results=100,
        selectors=("PipelineExecutionArn",),
    ),
    "ListPipelineExecutions": Listing(
        noun="PipelineExecution",
        rows="PipelineExecutionSummaries",
        order="Descending",
        results=100,
        before=_CREATED_OF_EXPERIMENTS,
        selectors=("PipelineName",),
    ),
    "ListPipelineParametersForExecution": Listing(
        noun="Parameter",
        rows="PipelineParameters",
        order="Ascending",
        results=100,
        selectors=("PipelineExecutionArn",),
    ),
    # Neither default is documented: those of ListExperiments are taken.
    "ListPipelines": Listing(
        noun="Pipeline",
        rows="PipelineSummaries",
        order="Descending",
        before=_CREATED_OF_EXPERIMENTS,
        after={"PipelineNamePrefix": _begins("PipelineName")},
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
    "ListExperiments": Listing(
        noun="Experiment",
        rows="ExperimentSummaries",
        order="Descending",
        before=_CREATED_OF_EXPERIMENTS,
    ),
    "ListTrials": Listing(
        noun="Trial",
        rows="TrialSummaries",
        order="Descending",
        before=_CREATED_OF_EXPERIMENTS,
        included=_trial_included,
        selectors=("ExperimentName", "TrialComponentName"),
    ),
    "ListTrialComponents": Listing(
        noun="TrialComponent",
        rows="TrialComponentSummaries",
        order="Descending",
        before=_CREATED_OF_EXPERIMENTS,
        included=_trial_component_included,
        selectors=("ExperimentName", "TrialName", "SourceArn"),
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
