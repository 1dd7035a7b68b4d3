"""A server whose executions are run by a small program, and pipelines for it."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images
from tests.local.calls import until

ROLE = "arn:aws:iam::123456789012:role/OfThePipeline"
ACCOUNT = "arn:aws:sagemaker:us-east-1:123456789012"


@dataclass(frozen=True)
class SmallRunner:
    """Runs executions by `program.py`."""

    command: Sequence[str] = (sys.executable, str(Path(__file__).with_name("program.py")))

    def execution_id(self, pipeline: str, started: datetime) -> str:
        return hashlib.sha256(f"{pipeline} {started}".encode()).hexdigest()[:12]


def definition(*steps: dict[str, Any], **parameters: dict[str, Any]) -> str:
    """A definition whose steps are what the program says that they do."""
    declared = {"Do": {"Type": "String", "DefaultValue": "[]"}, **parameters}
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Parameters": [{"Name": name, **each} for name, each in declared.items()],
            "Steps": [*steps, processing("First"), processing("Second"), FAIL, CALLBACK],
        }
    )


def processing(name: str) -> dict[str, Any]:
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    arguments = {
        "AppSpecification": {"ImageUri": "python:3"},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    return {
        "Name": name,
        "Type": "Processing",
        "Arguments": arguments,
        "DisplayName": f"The {name}",
    }


FAIL = {"Name": "Fail", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
CALLBACK = {
    "Name": "Ask",
    "Type": "Callback",
    "Arguments": {},
    "SqsQueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q",
    "OutputParameters": [{"OutputName": "labels", "OutputType": "String"}],
}

SUCCEEDED = {"Status": "Succeeded"}
WAIT = {"wait": True}


def began(step: str) -> dict[str, Any]:
    return {"Step": step, "Status": "Executing"}


def ended(step: str, status: str = "Succeeded", **known: Any) -> dict[str, Any]:
    return {"Step": step, "Status": status, **known}


def client_of(server: LocalAWS, service: Any = "sagemaker") -> Any:
    return client_at(server.endpoint_url, service)


def client_at(url: str, service: Any = "sagemaker") -> Any:
    session = boto3.Session("key", "secret", region_name="us-east-1")
    return session.client(service, endpoint_url=url)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, images: Images) -> Iterator[LocalAWS]:
    root = tmp_path_factory.mktemp("executions")
    with LocalAWS(root, images=images, runner=SmallRunner()) as server:
        yield server


@pytest.fixture(scope="session")
def sm(server: LocalAWS) -> Any:
    return client_of(server)


@pytest.fixture
def pipeline(sm: Any) -> str:
    """The name of a pipeline of the test's own."""
    return created(sm)


def created(sm: Any, text: str = "", **more: Any) -> str:
    """The name of a new pipeline."""
    name = f"Pipe-{uuid4().hex[:8]}"
    sm.create_pipeline(
        PipelineName=name,
        PipelineDefinition=text or definition(),
        RoleArn=ROLE,
        ClientRequestToken=uuid4().hex,
        **more,
    )
    return name


@pytest.fixture
def start(sm: Any, pipeline: str) -> Callable[..., str]:
    """Start the pipeline of the test with what its program is to do; the ARN of the execution."""

    def started(*do: dict[str, Any], **request: Any) -> str:
        return begun(sm, pipeline, *do, **request)

    return started


def begun(sm: Any, pipeline: str, *do: dict[str, Any], **request: Any) -> str:
    parameters = [{"Name": "Do", "Value": json.dumps(do)}]
    answer = sm.start_pipeline_execution(
        PipelineName=pipeline, PipelineParameters=parameters, **request
    )
    arn: str = answer["PipelineExecutionArn"]
    return arn


def final(sm: Any, arn: str) -> dict[str, Any]:
    """What Describe says of an execution once it has ended."""
    described: dict[str, Any] = until(
        lambda: dict(sm.describe_pipeline_execution(PipelineExecutionArn=arn)),
        lambda each: each["PipelineExecutionStatus"] not in ("Executing", "Stopping"),
    )
    return described


def listed(sm: Any, arn: str, **request: Any) -> list[dict[str, Any]]:
    answer = sm.list_pipeline_execution_steps(PipelineExecutionArn=arn, **request)
    return list(answer["PipelineExecutionSteps"])


def has_begun(sm: Any, arn: str, step: str) -> dict[str, Any]:
    """A step as it is listed, once it has begun."""
    steps: list[dict[str, Any]] = until(
        lambda: [each for each in listed(sm, arn) if each["StepName"] == step], bool
    )
    return steps[0]
