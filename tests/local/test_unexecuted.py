"""Transform, tuning, AutoML and other jobs: answered for by their scripts, over the wire."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .calls import IMAGE, until
from .scripted import AUTO_ML, JOB, KINDS, ROLE, SERVICE, TRANSFORM, TUNING, UNEXECUTED, Kind

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Play = Callable[..., None]

pytestmark = pytest.mark.usefixtures("model")
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)

WAIT = {"Status": "InProgress", "Seconds": 600}
DONE = {"Status": "Completed"}


@pytest.fixture
def model(sagemaker: "SageMakerClient", name: str) -> None:
    """The model that a transform job needs."""
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})


@pytest.mark.parametrize("kind", UNEXECUTED, ids=lambda kind: kind.noun)
def test_a_job_without_a_script_fails_and_says_what_to_do(
    sagemaker: "SageMakerClient", name: str, kind: Kind
) -> None:
    kind.create(sagemaker, name)
    job = kind.final(sagemaker, name)
    assert job[f"{kind.noun}Status"] == "Failed"
    assert job["FailureReason"] == (
        f"ClientError: a {kind.noun} is not executed by the local AWS; set a script for it "
        "(PUT /_local/scripts, or scripts.add of LocalAWS) or run it on AWS"
    )


@each_kind
def test_a_job_is_in_progress_and_then_what_its_script_says(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, {"Status": "InProgress", "Seconds": 1}, DONE)
    kind.create(sagemaker, name)
    assert kind.status(sagemaker, name) == "InProgress"
    assert kind.final(sagemaker, name)[f"{kind.noun}Status"] == "Completed"


@each_kind
def test_a_job_fails_for_the_reason_in_its_script(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, {"Status": "Failed", "FailureReason": "AlgorithmError: no luck"})
    kind.create(sagemaker, name)
    job = kind.final(sagemaker, name)
    assert job[f"{kind.noun}Status"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no luck"


@each_kind
def test_a_job_that_is_asked_to_stop_is_stopping_and_then_stopped(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, WAIT, DONE, StopSeconds=600)  # the grace of the server is a second
    kind.create(sagemaker, name)
    kind.call(sagemaker, "Stop", name)
    assert kind.status(sagemaker, name) == "Stopping"
    assert kind.final(sagemaker, name)[f"{kind.noun}Status"] == "Stopped"


@each_kind
def test_a_job_that_has_ended_cannot_be_stopped(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, DONE)
    kind.create(sagemaker, name)
    kind.final(sagemaker, name)
    with pytest.raises(ClientError, match="is in status Completed") as refused:
        kind.call(sagemaker, "Stop", name)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@each_kind
def test_a_name_in_use_is_refused(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, DONE)
    arn = kind.create(sagemaker, name)
    with pytest.raises(ClientError, match=arn) as refused:
        kind.create(sagemaker, name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


@each_kind
@pytest.mark.parametrize("verb", ["Describe", "Stop"])
def test_an_unknown_job_is_refused_as_the_service_does(
    sagemaker: "SageMakerClient", kind: Kind, verb: str
) -> None:
    with pytest.raises(ClientError, match="nobody") as refused:
        kind.call(sagemaker, verb, "nobody")
    assert refused.value.response["Error"]["Code"] == kind.code


@each_kind
def test_a_job_is_listed_with_its_status(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, DONE)
    arn = kind.create(sagemaker, name)
    kind.final(sagemaker, name)
    filters: dict[str, Any] = {"SortBy": "CreationTime", "SortOrder": "Descending"}
    (row,) = [row for row in kind.list(sagemaker, **filters) if row[f"{kind.noun}Name"] == name]
    assert row[f"{kind.noun}Arn"] == arn
    assert row[f"{kind.noun}Status"] == "Completed"
    assert kind.list(sagemaker, NameContains=name, StatusEquals="Stopped", **filters) == []


@each_kind
def test_a_description_and_a_row_have_what_the_service_always_answers(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, WAIT, DONE)
    kind.create(sagemaker, name)
    described = SERVICE.operation_model(f"Describe{kind.noun}").output_shape
    listed = SERVICE.operation_model(f"List{kind.noun}s").output_shape
    assert described is not None
    assert listed is not None
    assert set(described.required_members) <= set(kind.call(sagemaker, "Describe", name))
    summaries: Any
    (summaries,) = [each for each in listed.members.values() if each.type_name == "list"]
    newest = kind.list(sagemaker, SortBy="CreationTime", SortOrder="Descending")[0]
    assert set(summaries.member.required_members) <= set(newest)


@each_kind
def test_a_job_has_tags(sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play) -> None:
    play(kind.noun, DONE)
    tags = [{"Key": "a", "Value": "1"}]
    arn = kind.create(sagemaker, name, Tags=tags)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


@each_kind
def test_a_script_says_more_of_a_job(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    moment = 1_700_000_000
    end = {"TransformJob": "TransformEndTime", TUNING.noun: "HyperParameterTuningEndTime"}
    member = end.get(kind.noun, "EndTime")
    play(kind.noun, {**DONE, "Fields": {member: moment}})
    kind.create(sagemaker, name)
    assert kind.final(sagemaker, name)[member].timestamp() == moment


@pytest.mark.parametrize("kind", [TUNING, AUTO_ML], ids=lambda kind: kind.noun)
def test_a_name_of_more_than_32_characters_is_refused(raw_sagemaker: Any, kind: Kind) -> None:
    with pytest.raises(ClientError, match="length less than or equal to 32"):
        kind.create(raw_sagemaker, "a" * 33)


@pytest.mark.parametrize("kind", [TUNING, JOB], ids=lambda kind: kind.noun)
def test_a_deleted_job_is_gone_with_its_tags_and_its_name_is_free(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, DONE)
    kind.create(sagemaker, name, Tags=[{"Key": "a", "Value": "1"}])
    kind.final(sagemaker, name)
    kind.call(sagemaker, "Delete", name)
    kind.call(sagemaker, "Delete", name)
    with pytest.raises(ClientError, match=name):
        kind.call(sagemaker, "Describe", name)
    again = kind.create(sagemaker, name)
    assert sagemaker.list_tags(ResourceArn=again)["Tags"] == []


@pytest.mark.parametrize("kind", [TUNING, JOB], ids=lambda kind: kind.noun)
def test_a_job_in_progress_is_not_deleted(
    sagemaker: "SageMakerClient", name: str, kind: Kind, play: Play
) -> None:
    play(kind.noun, WAIT, DONE)
    kind.create(sagemaker, name)
    with pytest.raises(ClientError, match="is InProgress; stop it first") as refused:
        kind.call(sagemaker, "Delete", name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"


def test_a_transform_job_needs_its_model(sagemaker: "SageMakerClient", name: str) -> None:
    with pytest.raises(ClientError, match=r"Could not find model .*no-such-model"):
        TRANSFORM.create(sagemaker, name, ModelName="no-such-model")


@pytest.mark.parametrize("given", [(), ("TrainingJobDefinition", "TrainingJobDefinitions")])
def test_a_tuning_job_says_once_what_it_tunes(
    sagemaker: "SageMakerClient", name: str, given: tuple[str, ...]
) -> None:
    request = TUNING.request(name)
    definition = request.pop("TrainingJobDefinition")
    both = {
        "TrainingJobDefinition": definition,
        "TrainingJobDefinitions": [{**definition, "DefinitionName": "one"}],
    }
    definitions = {key: value for key, value in both.items() if key in given}
    with pytest.raises(ClientError, match="Exactly one of TrainingJobDefinition and"):
        sagemaker.create_hyper_parameter_tuning_job(**request, **definitions)


def test_jobs_of_two_categories_may_have_the_same_name(
    sagemaker: "SageMakerClient", name: str, play: Play
) -> None:
    play("Job", WAIT, DONE)
    other = Kind("Job", JOB.request, {"JobCategory": "DataTransformation"})
    arn = JOB.create(sagemaker, name)
    assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:job/agentrft/{name}"
    with pytest.raises(ClientError, match=name):
        other.call(sagemaker, "Describe", name)
    other.create(sagemaker, name, **other.also)
    JOB.call(sagemaker, "Stop", name)
    assert JOB.final(sagemaker, name)["JobStatus"] == "Stopped"
    assert other.status(sagemaker, name) == "InProgress"
    assert name not in [row["JobName"] for row in JOB.list(sagemaker, StatusEquals="InProgress")]


def test_a_job_shows_how_it_came_to_its_end(
    sagemaker: "SageMakerClient", name: str, play: Play
) -> None:
    play("Job", {"Status": "Failed", "FailureReason": "no luck"})
    JOB.create(sagemaker, name)
    job = JOB.final(sagemaker, name)
    passed = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert passed == ["Starting", "Executing", "Failed"]
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == "no luck"


def summary(number: int, *, value: float | None, status: str = "Completed") -> dict[str, Any]:
    metric = {"MetricName": "rmse", "Value": value}
    return {
        "TrainingJobName": f"job-{number}",
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/job-{number}",
        "CreationTime": 1_700_000_000 - number,
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"eta": "0.1"},
        **({} if value is None else {"FinalHyperParameterTuningJobObjectiveMetric": metric}),
    }


SUMMARIES = [
    summary(1, value=0.5),
    summary(2, value=None, status="Failed"),
    summary(3, value=-1.0),
    summary(4, value=0.0),
    summary(5, value=10.0),
]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"SortOrder": "Descending"}, [5, 4, 3, 2, 1]),
        ({"SortBy": "CreationTime"}, [5, 4, 3, 2, 1]),
        ({"SortBy": "Status"}, [1, 3, 4, 5, 2]),
        ({"SortBy": "FinalObjectiveMetricValue"}, [3, 4, 1, 5]),
        ({"SortBy": "FinalObjectiveMetricValue", "SortOrder": "Descending"}, [5, 1, 4, 3]),
        ({"StatusEquals": "Failed"}, [2]),
        ({"SortBy": "FinalObjectiveMetricValue", "StatusEquals": "Failed"}, []),
    ],
)
def test_the_training_jobs_of_a_tuning_job_are_listed_in_the_order_asked_for(
    sagemaker: "SageMakerClient",
    name: str,
    play: Play,
    query: dict[str, Any],
    numbers: list[int],
) -> None:
    best = summary(3, value=-1.0)
    fields = {"TrainingJobSummaries": SUMMARIES, "BestTrainingJob": best}
    play(TUNING.noun, {**DONE, "Fields": fields})
    TUNING.create(sagemaker, name)
    job = TUNING.final(sagemaker, name)
    assert job["BestTrainingJob"]["TrainingJobName"] == "job-3"
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, **query, PaginationConfig={"PageSize": 2}
    )
    found = [row["TrainingJobName"] for page in pages for row in page["TrainingJobSummaries"]]
    assert found == [f"job-{number}" for number in numbers]


def test_a_tuning_job_that_runs_has_no_training_jobs_yet(
    sagemaker: "SageMakerClient", name: str, play: Play
) -> None:
    play(TUNING.noun, WAIT, {**DONE, "Fields": {"TrainingJobSummaries": SUMMARIES}})
    TUNING.create(sagemaker, name)
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )
    assert listed["TrainingJobSummaries"] == []


def test_the_training_jobs_of_an_unknown_tuning_job_are_refused(
    sagemaker: "SageMakerClient",
) -> None:
    with pytest.raises(ClientError, match="nobody") as refused:
        sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="nobody"
        )
    assert refused.value.response["Error"]["Code"] == "ResourceNotFound"


def test_an_auto_ml_job_has_its_best_candidate_when_it_has_ended(
    sagemaker: "SageMakerClient", name: str, play: Play
) -> None:
    candidate = {
        "CandidateName": "best",
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "CreationTime": 1_700_000_000,
        "LastModifiedTime": 1_700_000_000,
    }
    play(
        AUTO_ML.noun,
        {
            "Status": "InProgress",
            "Seconds": 0.3,
            "Fields": {"AutoMLJobSecondaryStatus": "ModelTuning"},
        },
        {**DONE, "Fields": {"BestCandidate": candidate}},
    )
    AUTO_ML.create(sagemaker, name)
    until(
        lambda: sagemaker.describe_auto_ml_job(AutoMLJobName=name)["AutoMLJobSecondaryStatus"],
        lambda status: status == "ModelTuning",
    )
    job = AUTO_ML.final(sagemaker, name)
    assert job["AutoMLJobSecondaryStatus"] == "Completed"
    assert job["BestCandidate"]["CandidateName"] == "best"
