"""List operations page as the service does."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import listing, shapes
from airflow_sm_pipelines.local.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

START = datetime(2026, 1, 1, tzinfo=UTC)


def job(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": f"job-{number:02}",
        "ProcessingJobArn": f"arn:{number:02}",
        "CreationTime": START + timedelta(minutes=number),
        "LastModifiedTime": START + timedelta(minutes=number + 100),
        "ProcessingJobStatus": "Completed" if number % 2 else "Failed",
        "RoleArn": "not part of a summary",
        **changes,
    }


JOBS = [job(number) for number in range(25)]


def names(answer: Any) -> list[str]:
    return [row["ProcessingJobName"] for row in answer["ProcessingJobSummaries"]]


def page(**request: Any) -> Any:
    return listing.page("ListProcessingJobs", request, JOBS)


def pages(**request: Any) -> list[list[str]]:
    answer = page(**request)
    found = [names(answer)]
    while "NextToken" in answer:
        answer = page(**request, NextToken=answer["NextToken"])
        found.append(names(answer))
    return found


def test_a_page_has_ten_rows_unless_asked_otherwise() -> None:
    assert [len(each) for each in pages()] == [10, 10, 5]
    assert [len(each) for each in pages(MaxResults=20)] == [20, 5]


def test_pages_together_have_every_row_once_and_in_order() -> None:
    everything = [name for each in pages(MaxResults=7, SortBy="Name") for name in each]
    assert everything == [each["ProcessingJobName"] for each in JOBS]


def test_the_newest_come_first_when_asked_for() -> None:
    assert names(page(SortOrder="Descending", MaxResults=2)) == ["job-24", "job-23"]
    assert pages(SortOrder="Descending", MaxResults=20)[1] == [
        f"job-{number:02}" for number in (4, 3, 2, 1, 0)
    ]


def test_rows_of_equal_rank_are_not_lost_between_pages() -> None:
    found = pages(SortBy="Status", MaxResults=4)
    assert sorted(name for each in found for name in each) == names(page(MaxResults=100))


@pytest.mark.parametrize(
    "filters",
    [
        {"StatusEquals": "Stopped"},
        {"NameContains": "job-2"},
        {"LastModifiedTimeAfter": (START + timedelta(minutes=119)).timestamp()},
    ],
)
def test_a_filter_that_follows_paging_leaves_empty_pages_with_a_token(
    filters: dict[str, Any],
) -> None:
    answer = page(MaxResults=10, **filters)
    assert names(answer) == []
    assert "NextToken" in answer


def test_creation_time_chooses_what_is_paged() -> None:
    after = (START + timedelta(minutes=20)).timestamp()
    assert pages(CreationTimeAfter=after) == [["job-21", "job-22", "job-23", "job-24"]]
    before = (START + timedelta(minutes=2)).timestamp()
    assert pages(CreationTimeBefore=before) == [["job-00", "job-01"]]


def test_a_token_of_another_query_is_refused() -> None:
    token = page()["NextToken"]
    with pytest.raises(AwsError, match="it belongs to a request with other parameters"):
        page(NextToken=token, StatusEquals="Failed")


@pytest.mark.parametrize("token", ["", "nonsense", "bm9uc2Vuc2U=", "WzEsMl0=", "e30=", "MQ=="])
def test_a_token_that_is_none_is_refused(token: str) -> None:
    with pytest.raises(AwsError, match="Invalid NextToken"):
        page(NextToken=token)


def test_a_job_that_is_created_between_two_pages_moves_no_other() -> None:
    token = page(SortOrder="Descending", MaxResults=2)["NextToken"]
    request = {"SortOrder": "Descending", "MaxResults": 2, "NextToken": token}
    second = listing.page("ListProcessingJobs", request, [*JOBS, job(25)])
    assert names(second) == ["job-22", "job-21"]


def test_rows_that_share_an_arn_are_all_listed() -> None:
    twins = [job(0, ProcessingJobName=name) for name in ("Case", "case", "cASE")]
    request: dict[str, Any] = {"MaxResults": 1}
    found: list[str] = []
    while len(found) < len(twins):
        answer = listing.page("ListProcessingJobs", request, twins)
        found += names(answer)
        request["NextToken"] = answer.get("NextToken")
    assert sorted(found) == ["Case", "cASE", "case"]


def test_a_row_has_what_a_summary_has_and_no_more() -> None:
    row = page(MaxResults=1)["ProcessingJobSummaries"][0]
    assert "RoleArn" not in row
    assert row["ProcessingJobStatus"] == "Failed"


def test_a_filter_that_is_not_there_is_refused_and_not_ignored() -> None:
    with pytest.raises(AwsError, match="the local AWS has no filter WarmPoolStatusEquals"):
        listing.page("ListTrainingJobs", {"WarmPoolStatusEquals": "InUse"}, [])


@pytest.mark.parametrize("name", listing.LISTINGS)
def test_a_row_of_the_table_names_members_that_the_operation_has(name: str) -> None:
    each = listing.LISTINGS[name]
    model = shapes.service().operation_model(name)
    assert model.input_shape is not None
    assert model.output_shape is not None
    assert each.rows in model.output_shape.members
    controls = {"NextToken"} if name in IN_NO_ORDER else {"SortOrder", "NextToken"}
    known = {*each.before, *each.after, *each.selectors, *controls}
    assert known <= set(model.input_shape.members)
    assert "SortBy" in model.input_shape.members or name in SORTED_BY_TIME_ALONE


# Of these the service documents neither a sort key nor which order is the default.
IN_NO_ORDER = {"ListPipelineParametersForExecution"}
SORTED_BY_TIME_ALONE = {"ListPipelineExecutionSteps", *IN_NO_ORDER}
ORDER_NOT_DOCUMENTED = {*SORTED_BY_TIME_ALONE, "ListPipelines", "ListPipelineExecutions"}


def test_an_order_is_the_default_that_the_service_documents() -> None:
    for name in listing.LISTINGS.keys() - ORDER_NOT_DOCUMENTED:
        each = listing.LISTINGS[name]
        shape = shapes.service().operation_model(name).input_shape
        assert shape is not None
        documented = shape.members["SortOrder"].documentation
        assert f"<code>{each.order}</code>" in documented


def test_a_sort_key_is_the_default_that_the_service_documents() -> None:
    for name in listing.LISTINGS.keys() - SORTED_BY_TIME_ALONE:
        each = listing.LISTINGS[name]
        shape = shapes.service().operation_model(name).input_shape
        assert shape is not None
        # ListPipelines documents a value that it does not take.
        documented = shape.members["SortBy"].documentation.replace("CreatedTime", "CreationTime")
        assert f"<code>{each.by}</code>" in documented or "default" not in documented


def test_a_number_of_results_is_the_default_that_the_service_documents() -> None:
    for name, each in listing.LISTINGS.items():
        shape = shapes.service().operation_model(name).input_shape
        assert shape is not None
        documented = re.sub("<.*?>", "", shape.members["MaxResults"].documentation)
        assert f"{each.results}." in documented or "default" not in documented


def test_jobs_are_listed_by_the_service_too(
    sagemaker: "SageMakerClient", processed: Callable[..., dict[str, Any]]
) -> None:
    ran = processed()
    listed = sagemaker.list_processing_jobs(
        CreationTimeAfter=ran["CreationTime"] - timedelta(milliseconds=1), MaxResults=100
    )["ProcessingJobSummaries"]
    row = next(each for each in listed if each["ProcessingJobArn"] == ran["ProcessingJobArn"])
    assert row["CreationTime"] == ran["CreationTime"]
    assert row["ProcessingJobStatus"] == "Completed"


def test_more_than_a_hundred_results_are_refused(raw_sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="value less than or equal to 100"):
        raw_sagemaker.list_models(MaxResults=101)


def test_jobs_of_no_category_are_not_listed(raw_sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="'jobCategory' failed to satisfy constraint"):
        raw_sagemaker.list_jobs()


@pytest.mark.parametrize(("name", "itself"), [("ListTrainingJobs", 0), ("ListModels", 1)])
def test_what_was_created_at_that_very_time_is_after_it_for_some(name: str, itself: int) -> None:
    noun = name.removeprefix("List").removesuffix("s")
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    row = {f"{noun}Name": "a", f"{noun}Arn": "arn", "CreationTime": moment}
    request = {"CreationTimeAfter": moment.timestamp()}
    (rows,) = listing.page(name, request, [row]).values()
    assert len(rows) == itself


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(AwsError, match="CreationTime cannot be compared with 1e"):
        listing.page("ListModels", {"CreationTimeAfter": 1e300}, [])


def test_boto_follows_the_pages(sagemaker: "SageMakerClient") -> None:
    prefix = f"page-{uuid4().hex[:8]}"
    for number in range(5):
        sagemaker.create_model_package_group(ModelPackageGroupName=f"{prefix}-{number}")
    found = sagemaker.get_paginator("list_model_package_groups").paginate(
        NameContains=prefix, PaginationConfig={"PageSize": 2}
    )
    groups = [
        row["ModelPackageGroupName"]
        for each in found
        for row in each["ModelPackageGroupSummaryList"]
    ]
    assert groups == [f"{prefix}-{number}" for number in range(5)]
