"""The example, on both branches."""

from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from airflow_sm_pipelines.local.seed import seed_objects

from .conftest import RunPipeline

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

EXAMPLE = Path(__file__).parents[2] / "dags" / "pipelines" / "abalone"


@pytest.fixture(autouse=True)
def _objects(aws_environment: "LocalAWS") -> None:
    seed_objects(boto3.client("s3", endpoint_url=aws_environment.endpoint_url), EXAMPLE)


def test_good_model_is_registered(run_pipeline: RunPipeline, aws_environment: "LocalAWS") -> None:
    run = run_pipeline(EXAMPLE / "definition.json", name="abalone")
    assert run.state == "success"
    assert run.tasks == {
        "Preprocess.cache": "success",
        "Preprocess": "success",
        "Train.cache": "success",
        "Train": "success",
        "Evaluate": "success",
        "CheckMse": "success",
        "Model-CreateModel": "success",
        "Package-RegisterModel": "success",
        "TooInaccurate": "skipped",
        "pipeline.end": "success",
    }
    sagemaker = boto3.client("sagemaker", endpoint_url=aws_environment.endpoint_url)
    package = sagemaker.describe_model_package(
        ModelPackageName=run.outputs["Package-RegisterModel"]["ModelPackageArn"]
    )
    container = package["InferenceSpecification"]["Containers"][0]
    trained = run.outputs["Train"]["ModelArtifacts"]["S3ModelArtifacts"]
    assert container["ModelDataUrl"] == trained
    assert package["ModelApprovalStatus"] == "PendingManualApproval"


def test_bad_model_ends_in_the_fail_step(
    run_pipeline: RunPipeline, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_pipeline(EXAMPLE / "definition.json", name="abalone", MseThreshold=0.1)
    assert run.state == "failed"
    assert run.tasks["TooInaccurate"] == "failed"
    assert run.tasks["Package-RegisterModel"] == run.tasks["Model-CreateModel"] == "skipped"
