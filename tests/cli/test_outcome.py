"""What a step left behind, in words."""

import pytest

from airflow_sm_pipelines.cli import outcome
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import JobFailedError

JOBS = [row.job for row in STEP_TYPES.values() if row.job]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.noun)
def test_every_kind_of_job_tells_its_name_or_its_arn(job) -> None:  # type: ignore[no-untyped-def]
    response = {job.create_name: "the-name", job.arn: "the-arn"}
    assert outcome.job_name(response) == "the-name" or outcome.produced(response) == ("the-arn",)


def test_every_kind_of_job_tells_its_own_name_though_it_tells_that_of_another() -> None:
    responses = [
        {"TransformJobName": "own", "ModelName": "other"},
        {"EndpointName": "own", "EndpointConfigName": "other"},
        {"InferenceComponentName": "own", "EndpointName": "other"},
    ]
    assert {outcome.job_name(response) for response in responses} == {"own"}
    assert {job.create_name for job in JOBS if job.create_name} <= set(outcome.NAME_KEYS)


@pytest.mark.parametrize(
    ("response", "lines"),
    [
        (
            {"ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://b/k"}}, {}]}},
            ("s3://b/k",),
        ),
        (
            {
                "ModelArtifacts": {"S3ModelArtifacts": "s3://b/model.tar.gz"},
                "FinalMetricDataList": [{"MetricName": "val:rmse", "Value": 2.1181700229644775}],
            },
            ("s3://b/model.tar.gz", "val:rmse = 2.11817"),
        ),
        ({"TransformOutput": {"S3OutputPath": "s3://b/out"}}, ("s3://b/out",)),
        (
            {
                "BestTrainingJob": {
                    "TrainingJobName": "job-3",
                    "FinalHyperParameterTuningJobObjectiveMetric": {
                        "MetricName": "validation:rmse",
                        "Value": 1.5,
                    },
                }
            },
            ("the best is job-3", "validation:rmse = 1.5"),
        ),
        (
            {
                "BestCandidate": {
                    "CandidateName": "c",
                    "FinalAutoMLJobObjectiveMetric": {"MetricName": "F1", "Value": 0.75},
                }
            },
            ("the best is c", "F1 = 0.75"),
        ),
        ({"BestTrainingJob": {"TrainingJobName": "job-3"}}, ("the best is job-3",)),
        ({"BestCandidate": {"CandidateName": "c"}}, ("the best is c",)),
        ({"EndpointName": "e", "EndpointArn": "arn:e"}, ("arn:e",)),
        ({"Outcome": False}, ("the condition is false",)),
        ({"Unknown": 1}, ()),
    ],
)
def test_a_response_tells_what_was_produced(
    response: dict[str, object], lines: tuple[str, ...]
) -> None:
    assert outcome.produced(response) == lines


def test_a_job_s_failure_is_found_below_what_airflow_was_told() -> None:
    failure = JobFailedError(
        step="Train",
        noun="TrainingJob",
        job_name="job-1",
        status="Failed",
        reason="no data",
        log_tail=("a", "b"),
    )
    error = RuntimeError("told to Airflow")
    error.__cause__ = failure
    assert outcome.failure_lines("Train", error) == [
        "Train: TrainingJob job-1 is Failed: no data",
        "the last lines of its log:",
        "  a",
        "  b",
    ]


def test_another_failure_is_told_as_it_is() -> None:
    assert outcome.failure_lines("Stop", RuntimeError("MSE > 6")) == ["Stop: MSE > 6"]
