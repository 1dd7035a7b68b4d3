"""The SageMaker SDK v3 against `airflow-sm local`, in its own environment."""

import pickle

import pytest

from tests.clients.conftest import Served, blocks, environment, run_blocks


@pytest.fixture(scope="module")
def said(served: Served) -> dict[str, str]:
    """What came of each block of the page."""
    return run_blocks(served, environment("sdk-v3") / "python", "v3")


@pytest.mark.parametrize("block", blocks("v3"))
def test_the_programs_of_the_page_go_through(said: dict[str, str], block: str) -> None:
    assert said[block] == ""


def test_run_and_train_are_jobs_that_left_their_outputs(
    said: dict[str, str], served: Served
) -> None:
    s3 = served.client("s3")
    bucket = "sagemaker-us-east-1-123456789012"
    assert s3.head_object(Bucket=bucket, Key="v3/train/train.csv")["ContentLength"] > 0
    jobs = served.client("sagemaker").list_training_jobs(NameContains="line-")
    (job,) = jobs["TrainingJobSummaries"]
    assert job["TrainingJobStatus"] == "Completed"
    described = served.client("sagemaker").describe_training_job(
        TrainingJobName=job["TrainingJobName"]
    )
    assert described["ModelArtifacts"]["S3ModelArtifacts"].endswith("/output/model.tar.gz")


def test_the_execution_of_the_page_has_run_its_function(
    said: dict[str, str], served: Served
) -> None:
    assert said["step"] == ""
    jobs = served.client("sagemaker").list_training_jobs(NameContains="-Add-")
    (job,) = jobs["TrainingJobSummaries"]
    assert job["TrainingJobStatus"] == "Completed"
    s3 = served.client("s3")
    bucket = "sagemaker-us-east-1-123456789012"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    (result,) = (key for key in keys if key.endswith("/results/payload.pkl"))
    assert pickle.loads(s3.get_object(Bucket=bucket, Key=result)["Body"].read()) == 42
