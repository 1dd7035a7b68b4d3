"""Tuning jobs as a caller sees them: real training jobs, and what the search says of them."""

import re
from typing import TYPE_CHECKING

from tests.local.calls import until

from .conftest import PARABOLA, Request, Tune, categorical, described, final, limits, trials

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

GRID = {"Strategy": "Grid", "ParameterRanges": categorical("5", "2", "9")}
SLEEP = "import time; print('ready', flush=True); time.sleep(600)"
FAIL = "raise ValueError('no luck')"


def test_every_combination_is_trained_and_the_best_one_is_found(
    sagemaker: "SageMakerClient", s3: "S3Client", tuned: Tune, name: str, bucket: str
) -> None:
    job = tuned(**GRID, ResourceLimits=limits(None))
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    best = job["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"x": "2"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"] == {
        "Type": "Minimize",
        "MetricName": "loss",
        "Value": 1.0,
    }
    assert re.fullmatch(rf"{name}-\d\d\d-[0-9a-f]{{8}}", best["TrainingJobName"])
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 3,
        "InProgress": 0,
        "RetryableError": 0,
        "NonRetryableError": 0,
        "Stopped": 0,
    }
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    key = f"models/{best['TrainingJobName']}/output/model.tar.gz"
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    ranked = trials(sagemaker, name, SortBy="FinalObjectiveMetricValue")
    assert [each["TunedHyperParameters"]["x"] for each in ranked] == ["2", "5", "9"]


def test_a_training_job_has_the_values_the_metric_and_the_tags_of_its_search(
    sagemaker: "SageMakerClient", tuned: Tune, tuning_request: Request, bucket: str
) -> None:
    tags = [{"Key": "team", "Value": "a"}]
    statics = {**tuning_request()["TrainingJobDefinition"], "StaticHyperParameters": {"y": "1"}}
    job = tuned(
        **{**GRID, "ParameterRanges": categorical("2")},
        ResourceLimits=limits(1),
        job={"Tags": tags, "TrainingJobDefinition": statics},
    )
    found = sagemaker.describe_training_job(
        TrainingJobName=job["BestTrainingJob"]["TrainingJobName"]
    )
    assert found["HyperParameters"] == {"x": "2", "y": "1", "_tuning_objective_metric": "loss"}
    assert found["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    told = job["TrainingJobDefinition"]["StaticHyperParameters"]
    assert told == {"y": "1", "_tuning_objective_metric": "loss"}
    assert sagemaker.list_tags(ResourceArn=found["TrainingJobArn"])["Tags"] == tags
    (row,) = trials(sagemaker, job["HyperParameterTuningJobName"])
    assert row["ObjectiveStatus"] == "Succeeded"
    assert row["TrainingEndTime"] == found["TrainingEndTime"]


def test_resources_are_described_in_both_forms(
    sagemaker: "SageMakerClient", tuning_request: Request, name: str
) -> None:
    definition = {**tuning_request()["TrainingJobDefinition"]}
    resources = definition.pop("ResourceConfig")
    definition["HyperParameterTuningResourceConfig"] = resources
    request = {**tuning_request(SLEEP), "TrainingJobDefinition": definition}
    sagemaker.create_hyper_parameter_tuning_job(**request)
    told = described(sagemaker, name)["TrainingJobDefinition"]
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert told["ResourceConfig"] == told["HyperParameterTuningResourceConfig"] == resources


def test_no_more_jobs_run_at_once_than_the_limit_says(
    sagemaker: "SageMakerClient", tuned: Tune, name: str
) -> None:
    tuned(**GRID, ResourceLimits=limits(3, parallel=1))
    ran = sorted(trials(sagemaker, name), key=lambda each: each["CreationTime"])
    ends = [each["TrainingEndTime"] for each in ran]
    assert all(ends[n] <= ran[n + 1]["CreationTime"] for n in range(2))


def test_a_search_is_seen_while_it_runs_and_its_jobs_stop_with_it(
    sagemaker: "SageMakerClient", tuning_request: Request, name: str
) -> None:
    sagemaker.create_hyper_parameter_tuning_job(**tuning_request(SLEEP))
    running = until(
        lambda: described(sagemaker, name),
        lambda job: job["TrainingJobStatusCounters"]["InProgress"] == 2,
    )
    assert running["HyperParameterTuningJobStatus"] == "InProgress"
    assert running["ObjectiveStatusCounters"]["Pending"] == 2
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    job = final(sagemaker, name)
    assert job["HyperParameterTuningJobStatus"] == "Stopped"
    assert job["TrainingJobStatusCounters"]["Stopped"] == 2
    assert {each["TrainingJobStatus"] for each in trials(sagemaker, name)} == {"Stopped"}


def test_a_search_none_of_whose_jobs_succeeds_is_given_up_after_five(tuned: Tune) -> None:
    job = tuned(FAIL, ResourceLimits=limits(50, parallel=1))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        "No training job succeeded after 5 attempts. Please take a look at the training job "
        "failures to get more details."
    )
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 5
    assert job["ObjectiveStatusCounters"]["Failed"] == 5


def test_a_search_without_values_of_its_objective_fails_and_says_so(tuned: Tune) -> None:
    job = tuned("print('nothing')", ResourceLimits=limits(1))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No objective metrics found after running 1 training")


def test_some_failures_do_not_fail_the_search(tuned: Tune) -> None:
    job = tuned(PARABOLA + "\nif x > 4: raise SystemExit(1)", **GRID)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 1
    assert job["TrainingJobStatusCounters"]["NonRetryableError"] == 2
