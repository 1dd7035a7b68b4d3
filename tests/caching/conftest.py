"""Jobs of every kind of SageMaker's that is cached, played by scripts, and clusters for steps.

What imports Airflow is imported inside: this is loaded before Airflow's home is set.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
GOING = {"InProgress"}
FOREVER = 3600
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


@pytest.fixture(scope="session")
def _configuration(local_aws: "LocalAWS") -> None:
    """The analysis configuration of Clarify's checks, into which the step's model is written."""
    from tests.caching.steps import CONFIGURATION

    session = boto3.Session("local", "local", region_name="us-east-1")
    client = session.client("s3", endpoint_url=local_aws.endpoint_url)
    bucket, _, key = CONFIGURATION["S3Input"]["S3Uri"].removeprefix("s3://").partition("/")
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key=key, Body=b"{}")


@pytest.fixture(scope="session")
def clusters(local_aws: "LocalAWS") -> dict[str, str]:
    """The ids of two clusters that stay, by the id that stands for them in a definition."""
    session = boto3.Session("local", "local", region_name="us-east-1")
    client = session.client("emr", endpoint_url=local_aws.endpoint_url)
    instances = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    return {
        name: client.run_job_flow(Name=name, Instances=instances, StepConcurrencyLevel=9)[
            "JobFlowId"
        ]
        for name in ("j-1", "j-2")
    }


@pytest.fixture
def becomes(
    aws_environment: "LocalAWS", _models: None, _configuration: None, gate: Path
) -> Iterator[Any]:
    """What sets the status that jobs have as soon as they are created, without their inputs.

    For steps of clusters that is so for those which `gated` makes, with one that goes on too.
    """

    def become(status: str) -> None:
        before = [{"Status": status, "Seconds": FOREVER}] if status in GOING else []
        last = {"Status": "Completed" if before else status}
        for kind in KINDS:
            aws_environment.scripts.add({"Kind": kind, "Moments": [*before, last]})
        for name, exists in {"fail": status == "Failed", "go": status not in GOING}.items():
            (gate / name).touch() if exists else (gate / name).unlink(missing_ok=True)

    yield become
    aws_environment.scripts.replace()
    (gate / "go").touch()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A folder whose files `go` and `fail` tell the steps of clusters what to do."""
    return tmp_path


@pytest.fixture
def gated(step_with: Any, gate: Path) -> Any:
    """The plain step of a type, which does what `becomes` has said last."""
    from tests.caching.steps import command

    script = f"until [ -e {gate}/go ]; do sleep 0.02; done; [ ! -e {gate}/fail ]"

    def made(type_: str, **keys: Any) -> dict[str, Any]:
        step = {**step_with(type_, "", None), **keys}
        if type_ == "EMR":
            step["Arguments"]["StepConfig"] = command("bash", "-c", script)
        return step

    return made


@pytest.fixture
def _instant(becomes: Any) -> None:
    """Jobs that complete as soon as they are created."""
    becomes("Completed")


@pytest.fixture
def step_with(clusters: dict[str, str]) -> Any:
    """A step whose member at a path is one of two examples; None leaves it as it is."""

    from tests.caching.steps import changed

    def made(type_: str, path: str, which: int | None) -> dict[str, Any]:
        text = json.dumps(changed(type_, path, which))
        for name, cluster in clusters.items():
            text = text.replace(f'"{name}"', f'"{cluster}"')
        return dict(json.loads(text))

    return made
