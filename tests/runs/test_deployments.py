"""Endpoints and inference components: created, updated where they exist, rolled back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest

from .conftest import Play, RunPipeline

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

PIPELINES = Path(__file__).parents[1] / "pipelines"


@pytest.fixture
def name() -> str:
    return f"endpoint-{uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def in_service(aws_environment: "LocalAWS", play: Play) -> None:
    """Endpoints come into service by a script: the models of these pipelines are empty files."""
    s3 = boto3.client("s3", endpoint_url=aws_environment.endpoint_url)
    s3.put_object(Bucket="bucket", Key="models/model.tar.gz", Body=b"")
    for operation, status in (("Create", "Creating"), ("Update", "Updating")):
        moments = [{"Status": status, "Seconds": 0.2}, {"Status": "InService"}]
        play({"Kind": "Endpoint", "On": operation, "Moments": moments})


def endpoint(aws: "LocalAWS", name: str) -> dict[str, Any]:
    client = boto3.client("sagemaker", endpoint_url=aws.endpoint_url)
    return dict(client.describe_endpoint(EndpointName=name))


def test_an_endpoint_is_created_and_updated_by_the_next_run(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", name: str
) -> None:
    first = run_pipeline(PIPELINES / "endpoint.json", name="endpoint", EndpointName=name)
    created = endpoint(aws_environment, name)
    second = run_pipeline(PIPELINES / "endpoint.json", name="endpoint", EndpointName=name)
    assert (first.state, second.state) == ("success", "success")
    configs = [run.outputs["Configure"]["EndpointConfigName"] for run in (first, second)]
    assert [run.outputs["Deploy"]["EndpointConfigName"] for run in (first, second)] == configs
    assert configs[0] != configs[1]
    assert all(config.startswith("churn-") for config in configs)
    updated = endpoint(aws_environment, name)
    assert updated["EndpointConfigName"] == configs[1]
    assert updated["CreationTime"] == created["CreationTime"]


def test_an_update_that_is_rolled_back_fails_its_step(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS", play: Play, name: str
) -> None:
    run_pipeline(PIPELINES / "endpoint.json", name="endpoint", EndpointName=name)
    before = endpoint(aws_environment, name)["EndpointConfigName"]
    rolled_back = [
        {"Status": "Updating", "Seconds": 0.5},
        {"Status": "RollingBack", "Seconds": 0.5},
        {"Status": "InService", "FailureReason": "the new variant did not pass the ping"},
    ]
    play({"Kind": "Endpoint", "Name": name, "On": "Update", "Moments": rolled_back})
    run = run_pipeline(PIPELINES / "endpoint.json", name="endpoint", EndpointName=name)
    assert run.state == "failed"
    assert (run.tasks["Configure"], run.tasks["Deploy"]) == ("success", "failed")
    failure = run.failures["Deploy"]
    assert f"EndpointConfigName is {before!r} and not 'churn-" in failure
    assert failure.endswith("; the new variant did not pass the ping")
    assert endpoint(aws_environment, name)["EndpointConfigName"] == before


def test_an_endpoint_that_cannot_be_created_fails_its_step(
    run_pipeline: RunPipeline, play: Play, name: str
) -> None:
    failed = [
        {"Status": "Creating", "Seconds": 0.3},
        {"Status": "Failed", "FailureReason": "no such image"},
    ]
    play({"Kind": "Endpoint", "Name": name, "Moments": failed})
    run = run_pipeline(PIPELINES / "endpoint.json", name="endpoint", EndpointName=name)
    assert run.tasks["Deploy"] == "failed"
    assert run.failures["Deploy"].endswith(f"Endpoint {name} is Failed: no such image")


def test_an_inference_component_is_placed_and_updated_by_the_next_run(
    run_pipeline: RunPipeline, name: str
) -> None:
    text = (PIPELINES / "inference_component.json").read_text()
    definition = json.loads(text.replace('"shared"', f'"{name}"').replace('"churn"', f'"c-{name}"'))
    first = run_pipeline(definition, name="component")
    second = run_pipeline(definition, name="component")
    assert (first.state, second.state) == ("success", "success")
    placed, again = (run.outputs["Place"] for run in (first, second))
    assert placed["InferenceComponentStatus"] == again["InferenceComponentStatus"] == "InService"
    assert placed["Specification"]["ModelName"] == first.outputs["Pack-CreateModel"]["ModelName"]
    assert again["Specification"]["ModelName"] == second.outputs["Pack-CreateModel"]["ModelName"]
    assert again["CreationTime"] == placed["CreationTime"]
