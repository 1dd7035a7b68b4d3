"""Jobs of every kind that is cached, played by scripts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

KINDS = (
    "ProcessingJob",
    "TrainingJob",
    "HyperParameterTuningJob",
    "AutoMLJob",
    "TransformJob",
)
MODELS = ("model", "text1", "text2")
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


@pytest.fixture(scope="session")
def _models(local_aws: "LocalAWS") -> None:
    """The models that transform jobs name."""
    session = boto3.Session("local", "local", region_name="us-east-1")
    client = session.client("sagemaker", endpoint_url=local_aws.endpoint_url)
    for name in MODELS:
        client.create_model(
            ModelName=name, PrimaryContainer={"Image": "python:3"}, ExecutionRoleArn=ROLE
        )


@pytest.fixture
def _instant(aws_environment: "LocalAWS", _models: None) -> Iterator[None]:
    """Jobs that complete as soon as they are created, without their inputs."""
    for kind in KINDS:
        aws_environment.scripts.add({"Kind": kind, "Moments": [{"Status": "Completed"}]})
    yield
    aws_environment.scripts.replace()
