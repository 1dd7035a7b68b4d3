"""The SageMaker SDK v2 against `airflow-sm local`, in its own environment."""

import pytest
from botocore.exceptions import ClientError

from tests.clients.conftest import Served, blocks, environment, run_blocks


@pytest.fixture(scope="module")
def said(served: Served) -> dict[str, str]:
    """What came of each block of the page."""
    return run_blocks(served, environment("sdk") / "python", "v2")


@pytest.mark.parametrize("block", blocks("v2"))
def test_the_programs_of_the_page_go_through(said: dict[str, str], block: str) -> None:
    assert said[block] == ""


def test_run_and_fit_are_jobs_that_left_their_outputs(said: dict[str, str], served: Served) -> None:
    s3 = served.client("s3")
    bucket = "sagemaker-us-east-1-123456789012"
    rows = s3.get_object(Bucket=bucket, Key="rows/train/train.csv")["Body"].read()
    assert rows.startswith(b"0,1\n1,4\n")
    jobs = served.client("sagemaker").list_training_jobs(NameContains="sagemaker-scikit-learn")
    assert {each["TrainingJobStatus"] for each in jobs["TrainingJobSummaries"]} == {"Completed"}


def test_transform_has_written_what_the_model_predicts(
    said: dict[str, str], served: Served
) -> None:
    assert said["transform"] == ""
    bucket = "sagemaker-us-east-1-123456789012"
    predicted = served.client("s3").get_object(Bucket=bucket, Key="predicted/test.csv.out")
    assert [float(line) for line in predicted["Body"].read().split()] == [
        3 * x + 1 for x in range(30, 40)
    ]


def test_tune_has_run_two_jobs_and_knows_the_better_one(
    said: dict[str, str], served: Served
) -> None:
    assert said["tune"] == ""
    sagemaker = served.client("sagemaker")
    (summary,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    name = summary["HyperParameterTuningJobName"]
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert job["TrainingJobStatusCounters"]["Completed"] == 2
    assert "scale" in job["BestTrainingJob"]["TunedHyperParameters"]


def test_upsert_stores_the_definition(said: dict[str, str], served: Served) -> None:
    stored = served.client("sagemaker").describe_pipeline(PipelineName="Rows")
    assert '"Name": "Prepare"' in stored["PipelineDefinition"]


def test_start_is_refused_with_what_runs_the_pipeline_instead(
    said: dict[str, str], served: Served
) -> None:
    with pytest.raises(ClientError, match="airflow-sm run pipeline:NAME --connection aws_default"):
        served.client("sagemaker").start_pipeline_execution(PipelineName="Rows")
