"""Tuning and AutoML jobs that a script plays, and what the steps after them read."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from .conftest import Play, RunPipeline
from .steps import ROLE

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

PIPELINES = Path(__file__).parents[1] / "pipelines"
BUCKET = "sagemaker-us-east-1-123456789012"
CREATED = 1_767_323_045  # seconds since 1970, as scripts have times
REPORTS = f"s3://{BUCKET}/auto/reports"


@pytest.fixture(autouse=True)
def _role(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role for the training jobs of a tuning job, whose definition gives none."""
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__ROLE_ARN", ROLE)


def candidate(name: str, rmse: float) -> dict[str, Any]:
    """A training job of a tuning job, as it is listed."""
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
        "CreationTime": CREATED,
        "TrainingJobStatus": "Completed",
        "TunedHyperParameters": {"eta": "0.1"},
        "FinalHyperParameterTuningJobObjectiveMetric": {
            "MetricName": "validation:rmse",
            "Value": rmse,
        },
    }


def tuning(*last: dict[str, Any]) -> dict[str, Any]:
    going = {"Status": "InProgress", "Seconds": 0.5}
    return {"Kind": "HyperParameterTuningJob", "Name": "*-Sear-*", "Moments": [going, *last]}


def test_the_best_training_jobs_of_a_tuning_job_are_read_by_rank(
    run_pipeline: RunPipeline, play: Play
) -> None:
    jobs = [candidate("third", 9.0), candidate("first", 1.5), candidate("second", 2.5)]
    fields = {"BestTrainingJob": candidate("first", 1.5), "TrainingJobSummaries": jobs}
    play(tuning({"Status": "Completed", "Fields": fields}))
    run = run_pipeline(PIPELINES / "tuning.json", name="tuning", Jobs=3)
    assert run.state == "success"
    search = run.outputs["Search"]
    assert len(search["HyperParameterTuningJobName"]) <= 32
    assert search["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 3
    ranked = [each["TrainingJobName"] for each in search["TrainingJobSummaries"]]
    assert ranked == ["first", "second", "third"]
    assert search["TrainingJobDefinition"]["RoleArn"] == ROLE
    assert url(run.outputs["Best-CreateModel"]) == (
        "s3://bucket/candidates/first/output/model.tar.gz"
    )
    assert url(run.outputs["Second-CreateModel"]) == (
        "s3://bucket/candidates/second/output/model.tar.gz"
    )


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_tuning_job_that_does_not_complete_fails_its_step(
    run_pipeline: RunPipeline, play: Play, status: str
) -> None:
    play(tuning({"Status": status, "FailureReason": "all training jobs have failed"}))
    run = run_pipeline(PIPELINES / "tuning.json", name="tuning-fails")
    assert run.state == "failed"
    assert run.tasks == {
        "Search": "failed",
        "Best-CreateModel": "upstream_failed",
        "Second-CreateModel": "upstream_failed",
        "pipeline.end": "upstream_failed",
    }
    assert run.failures["Search"].endswith(f" is {status}: all training jobs have failed")


def auto_ml() -> dict[str, Any]:
    """A script of an AutoML job whose best candidate has reports."""
    best = {
        "CandidateName": "best",
        "ObjectiveStatus": "Succeeded",
        "CandidateSteps": [],
        "CandidateStatus": "Completed",
        "CreationTime": CREATED,
        "LastModifiedTime": CREATED,
        "InferenceContainers": [
            {
                "Image": "image:1",
                "ModelDataUrl": f"s3://{BUCKET}/auto/model.tar.gz",
                "Environment": {"MODEL_NAME": "ensemble"},
            }
        ],
        "CandidateProperties": {
            "CandidateArtifactLocations": {
                "ModelInsights": f"{REPORTS}/insights",
                "Explainability": f"{REPORTS}/explained",
            }
        },
    }
    moments = [
        {"Status": "InProgress", "Seconds": 0.5},
        {"Status": "Completed", "Fields": {"BestCandidate": best}},
    ]
    return {"Kind": "AutoMLJob", "Name": "*-Expl-*", "Moments": moments}


@pytest.fixture
def _reports(aws_environment: "LocalAWS") -> None:
    s3 = boto3.client("s3", endpoint_url=aws_environment.endpoint_url)
    for key in ("insights/statistics.json", "insights/other.json", "explained/x/analysis.json"):
        s3.put_object(Bucket=BUCKET, Key=f"auto/reports/{key}", Body=b"{}")


@pytest.mark.usefixtures("_reports")
def test_the_best_candidate_of_an_auto_ml_job_and_its_reports_are_read(
    run_pipeline: RunPipeline, play: Play
) -> None:
    play(auto_ml())
    run = run_pipeline(PIPELINES / "auto_ml.json", name="auto-ml")
    assert run.state == "success"
    assert run.outputs["Explore"]["BestCandidateProperties"] == {
        "ModelInsightsJsonReportPath": f"{REPORTS}/insights/statistics.json",
        "ExplainabilityJsonReportPath": f"{REPORTS}/explained/x/analysis.json",
    }
    container = run.outputs["Best-CreateModel"]["PrimaryContainer"]
    assert container["Image"] == "image:1"
    assert container["Environment"] == {"MODEL_NAME": "ensemble"}
    metrics = run.outputs["Best-RegisterModel"]["ModelMetrics"]
    assert metrics["ModelQuality"]["Statistics"]["S3Uri"] == f"{REPORTS}/insights/statistics.json"


def url(model: dict[str, Any]) -> str:
    return str(model["PrimaryContainer"]["ModelDataUrl"])
