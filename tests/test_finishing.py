"""What is computed beside what Describe says."""

from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, finishing
from airflow_sm_pipelines.definition.resources import AUTO_ML, TRAINING, TUNING
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.local import LocalAWS

LIST = "list_training_jobs_for_hyper_parameter_tuning_job"
BUCKET = "sagemaker-us-east-1-123456789012"


@pytest.fixture
def clients(aws_environment: LocalAWS) -> finishing.Clients:
    made: dict[str, Any] = {}
    connection = aws.Connection("aws_default")
    return lambda service: made.setdefault(service, connection.client(service))


def summary(number: int) -> dict[str, Any]:
    return {
        "TrainingJobName": f"job-{number}",
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/job-{number}",
        "CreationTime": 0,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {},
    }


def tuned(type_: str | None) -> dict[str, Any]:
    objective = {"HyperParameterTuningJobObjective": {"Type": type_, "MetricName": "m"}}
    return {
        "HyperParameterTuningJobName": "t",
        "HyperParameterTuningJobConfig": objective if type_ else {},
    }


def ranked(
    clients: finishing.Clients,
    described: dict[str, Any],
    *pages: Any,
    order: str,
    more: bool = False,
) -> Any:
    """The properties of a tuning job, of which AWS lists these pages in that order, or more."""
    asked: dict[str, Any] = {
        "HyperParameterTuningJobName": "t",
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": order,
        "MaxResults": 50,
    }
    with Stubber(clients("sagemaker")) as stubber:
        for number, page in enumerate(pages):
            token = {"NextToken": str(number)} if number else {}
            goes_on = more or page is not pages[-1]
            following = {"NextToken": str(number + 1)} if goes_on else {}
            stubber.add_response(LIST, {"TrainingJobSummaries": page, **following}, asked | token)
        made = finishing.properties(clients, TUNING, described)
        stubber.assert_no_pending_responses()
    return made


@pytest.mark.parametrize(
    ("described", "order"),
    [
        (tuned("Minimize"), "Ascending"),
        (tuned("Maximize"), "Descending"),
        (tuned(None), "Descending"),
        (
            {
                **tuned(None),
                "TrainingJobDefinitions": [
                    {"TuningObjective": {"Type": "Minimize", "MetricName": "m"}}
                ],
            },
            "Ascending",
        ),
    ],
)
def test_training_jobs_are_asked_for_best_first(
    clients: finishing.Clients, described: dict[str, Any], order: str
) -> None:
    made = ranked(clients, described, [summary(1), summary(2)], order=order)
    assert [each["TrainingJobName"] for each in made["TrainingJobSummaries"]] == ["job-1", "job-2"]
    assert made["HyperParameterTuningJobName"] == "t"


def test_pages_are_followed_and_may_be_empty(clients: finishing.Clients) -> None:
    made = ranked(clients, tuned("Minimize"), [], [summary(1)], order="Ascending")
    assert [each["TrainingJobName"] for each in made["TrainingJobSummaries"]] == ["job-1"]


def test_no_more_than_50_training_jobs_are_handed_on(clients: finishing.Clients) -> None:
    pages = [[summary(i) for i in range(30)], [summary(i) for i in range(30, 60)]]
    made = ranked(clients, tuned("Minimize"), *pages, order="Ascending", more=True)
    assert len(made["TrainingJobSummaries"]) == 50
    assert made["TrainingJobSummaries"][-1]["TrainingJobName"] == "job-49"


# Reports of an AutoML job


def s3(clients: finishing.Clients) -> Any:
    return clients("s3")


def explored(**locations: str) -> dict[str, Any]:
    properties = {"CandidateArtifactLocations": locations}
    return {"BestCandidate": {"CandidateProperties": properties}}


def report(clients: finishing.Clients, *keys: str, folder: str, uri: str = "") -> Any:
    """The property about a folder that holds these objects."""
    for key in keys:
        s3(clients).put_object(Bucket=BUCKET, Key=f"{folder}/{key}", Body=b"{}")
    described = explored(ModelInsights=uri or f"s3://{BUCKET}/{folder}/")
    made = finishing.properties(clients, AUTO_ML, described)
    paths: Any = made["BestCandidateProperties"]
    return paths.get("ModelInsightsJsonReportPath")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        (["statistics.json", "other.json"], "statistics.json"),
        (["deep/statistics.json"], "deep/statistics.json"),
        (["report.json", "report.pdf"], "report.json"),
        (["a.json", "b.json"], None),
        (["report.pdf"], None),
        ([], None),
    ],
)
def test_a_report_is_the_file_of_its_name_or_the_only_one(
    clients: finishing.Clients,
    keys: list[str],
    found: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder = f"finishing/{uuid4().hex}"
    expected = found and f"s3://{BUCKET}/{folder}/{found}"
    assert report(clients, *keys, folder=folder) == expected
    assert ("no report in" in caplog.text) is (found is None)


def test_a_folder_is_not_taken_for_one_whose_name_it_begins(clients: finishing.Clients) -> None:
    s3(clients).put_object(Bucket=BUCKET, Key="insights-2/statistics.json", Body=b"{}")
    assert report(clients, folder="insights") is None


def test_a_bucket_that_cannot_be_read_leaves_the_report_out(
    clients: finishing.Clients, caplog: pytest.LogCaptureFixture
) -> None:
    assert report(clients, folder="x", uri="s3://nobodys-bucket/x") is None
    assert "the report in s3://nobodys-bucket/x cannot be looked for" in caplog.text


def test_a_candidate_without_reports_has_none(clients: finishing.Clients) -> None:
    assert finishing.properties(clients, AUTO_ML, {}) == {"BestCandidateProperties": {}}


# The table


def test_other_kinds_hand_on_what_describe_says(clients: finishing.Clients) -> None:
    assert finishing.properties(clients, TRAINING, {"TrainingJobName": "a"}) == {
        "TrainingJobName": "a"
    }


def test_every_row_is_of_a_kind_of_resource() -> None:
    assert set(finishing.COMPUTED) <= {row.job.noun for row in STEP_TYPES.values() if row.job}


def test_every_report_is_at_a_location_that_describe_tells() -> None:
    model: Any = get_session().get_service_model("sagemaker")
    locations = model.shape_for("CandidateArtifactLocations").members
    assert {location for _, location, _ in finishing.REPORTS} <= set(locations)


def test_a_tuning_job_whose_training_jobs_cannot_be_listed_is_an_error(
    clients: finishing.Clients,
) -> None:
    with Stubber(clients("sagemaker")) as stubber:
        stubber.add_client_error(LIST, "ValidationException", "no")
        with pytest.raises(ClientError):
            finishing.properties(clients, TUNING, tuned("Minimize"))
