"""The SageMaker SDK v3 against `airflow-sm local`, in its own environment."""

import pickle

import pytest

from airflow_sm_pipelines.local.environments import default_cache
from tests.cli.conftest import AIRFLOW_SM
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


def test_what_was_stored_is_run_on_the_same_server(said: dict[str, str], served: Served) -> None:
    cache = f"XDG_CACHE_HOME={default_cache().parent}"  # with Airflow's empty database
    command = [*AIRFLOW_SM, "run", "pipeline:Functions", "--connection", "aws_default"]
    done = served.run(["/usr/bin/env", cache, *command])
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = served.client("sagemaker").list_training_jobs(NameContains="-Add-")
    statuses = [job["TrainingJobStatus"] for job in jobs["TrainingJobSummaries"]]
    assert statuses == ["Completed"] * 2  # that of the page's execution is the other one
    s3 = served.client("s3")
    bucket = "sagemaker-us-east-1-123456789012"
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    results = [key for key in keys if key.endswith("/results/payload.pkl")]
    contents = [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in results]
    assert [pickle.loads(content) for content in contents] == [42, 42]
