"""One local AWS for all tests, and short ways to run a job on it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

from .calls import (
    IMAGE,
    TEST_SECONDS,
    channel,
    final_processing_job,
    final_training_job,
    processing_input,
    resources,
)

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

# Every image is the interpreter of the tests; `train` runs the script of the channel `code`,
# `serve` what the name of the image says: the toolkit, or a program in the model.
IMAGE_MAP = f"""
[[image]]
match = "script-mode"
name = "script mode"
python = "{sys.executable}"
train = "script-mode"
serve = "script-mode"

[[image]]
match = "own-port"
name = "port of ours"
python = "{sys.executable}"
serve = ["{{python}}", "/opt/ml/model/server.py", "{{port}}"]

[[image]]
match = "own-network"
name = "port 8080"
python = "{sys.executable}"
serve = ["{{python}}", "/opt/ml/model/server.py", "8080"]

[[image]]
match = "."
name = "default"
python = "{sys.executable}"
train = ["{{python}}", "/opt/ml/input/data/code/script.py"]
"""


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("images")
    (folder / "images.toml").write_text(IMAGE_MAP)
    return Images(folder / "cache", config=folder / "images.toml")


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory, images: Images) -> Iterator[LocalAWS]:
    root = tmp_path_factory.mktemp("local-aws")
    with LocalAWS(root, images=images, workers=2, grace_seconds=1) as server:
        yield server


@pytest.fixture(scope="session")
def client(aws: LocalAWS) -> Callable[[str], Any]:
    session = boto3.Session("key", "secret", region_name="us-east-1")
    clients: dict[str, Any] = {}

    def made(service: str) -> Any:
        if service not in clients:
            made_client: Any = session.client
            clients[service] = made_client(service, endpoint_url=aws.endpoint_url)
        return clients[service]

    return made


@pytest.fixture(scope="session")
def sagemaker(client: Callable[[str], Any]) -> "SageMakerClient":
    made: SageMakerClient = client("sagemaker")
    return made


@pytest.fixture(scope="session")
def s3(client: Callable[[str], Any]) -> "S3Client":
    made: S3Client = client("s3")
    return made


@pytest.fixture(scope="session")
def logs(client: Callable[[str], Any]) -> "CloudWatchLogsClient":
    made: CloudWatchLogsClient = client("logs")
    return made


@pytest.fixture
def bucket(s3: "S3Client") -> str:
    name = f"test-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def job_folder(aws: LocalAWS, name: str) -> Path:
    return aws.root / "jobs" / name


@pytest.fixture
def play(aws: LocalAWS, name: str) -> Iterator[Callable[..., None]]:
    """Set a script for the resources of the test: a kind, its moments, other keys of the script."""

    def add(kind: str, *moments: dict[str, Any], **keys: Any) -> None:
        aws.scripts.add({"Kind": kind, "Name": f"{name}*", "Moments": [*moments], **keys})

    yield add
    aws.scripts.replace()


@pytest.fixture
def processing_request(name: str, bucket: str, s3: "S3Client") -> Callable[..., dict[str, Any]]:
    """A CreateProcessingJob request that runs a Python script; keywords replace members."""

    def made(script: str = "", **changes: Any) -> dict[str, Any]:
        s3.put_object(Bucket=bucket, Key="code/script.py", Body=script.encode())
        return {
            "ProcessingJobName": name,
            "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
            "ProcessingResources": {"ClusterConfig": resources()},
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/code/script.py"],
            },
            "ProcessingInputs": [processing_input("code", f"s3://{bucket}/code/script.py")],
            **changes,
        }

    return made


@pytest.fixture
def training_request(name: str, bucket: str, s3: "S3Client") -> Callable[..., dict[str, Any]]:
    """A CreateTrainingJob request that runs a Python script; keywords replace members."""

    def made(script: str = "", **changes: Any) -> dict[str, Any]:
        s3.put_object(Bucket=bucket, Key="code/script.py", Body=script.encode())
        return {
            "TrainingJobName": name,
            "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "InputDataConfig": [channel("code", f"s3://{bucket}/code/")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
            "ResourceConfig": resources(),
            "StoppingCondition": {"MaxRuntimeInSeconds": TEST_SECONDS},
            **changes,
        }

    return made


@pytest.fixture
def processed(
    sagemaker: "SageMakerClient", processing_request: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Run a processing job to its end; its description."""

    def run(script: str = "", **changes: Any) -> dict[str, Any]:
        request = processing_request(script, **changes)
        sagemaker.create_processing_job(**request)
        return final_processing_job(sagemaker, request["ProcessingJobName"])

    return run


@pytest.fixture
def trained(
    sagemaker: "SageMakerClient", training_request: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Run a training job to its end; its description."""

    def run(script: str = "", **changes: Any) -> dict[str, Any]:
        request = training_request(script, **changes)
        sagemaker.create_training_job(**request)
        return final_training_job(sagemaker, request["TrainingJobName"])

    return run


@pytest.fixture(scope="session")
def raw_client(aws: LocalAWS) -> Callable[[str], Any]:
    """Clients that send what they are given, as callers in another language would."""
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    config = Config(parameter_validation=False)
    return lambda service: session.client(service, endpoint_url=aws.endpoint_url, config=config)


@pytest.fixture(scope="session")
def raw_sagemaker(raw_client: Callable[[str], Any]) -> Any:
    return raw_client("sagemaker")
