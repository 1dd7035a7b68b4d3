"""Clients that look rarely need not wait for their next look."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.held import answered

from .calls import alone

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

SDK_V2 = "lib/AWS-SageMaker-Python-SDK#2.257.7"
SDK_V3 = "lib/AWS-SageMaker-Python-SDK#3.27.0"
SHORT = "import time; time.sleep(0.3)"


@dataclass
class Told:
    content: bytes


def test_a_waiter_has_the_end_of_a_short_job_at_its_first_look(
    sagemaker: "SageMakerClient", processing_request: Callable[..., dict[str, Any]], name: str
) -> None:
    sagemaker.create_processing_job(**processing_request(**alone(SHORT)))
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig={"MaxAttempts": 1})


def test_the_sdk_of_version_2_has_the_end_of_a_short_job_at_its_first_look(
    aws: LocalAWS, processing_request: Callable[..., dict[str, Any]], name: str
) -> None:
    client = _client(aws, SDK_V2)
    client.create_processing_job(**processing_request(**alone(SHORT)))
    described = client.describe_processing_job(ProcessingJobName=name)
    assert described["ProcessingJobStatus"] == "Completed"


@pytest.mark.parametrize("agent", ["", SDK_V3, f"aiobotocore/3.0 {SDK_V2}"])
def test_others_see_a_job_as_it_is(
    aws: LocalAWS, processing_request: Callable[..., dict[str, Any]], name: str, agent: str
) -> None:
    client = _client(aws, agent)
    client.create_processing_job(**processing_request(**alone("import time; time.sleep(60)")))
    described = client.describe_processing_job(ProcessingJobName=name)
    client.stop_processing_job(ProcessingJobName=name)
    assert described["ProcessingJobStatus"] == "InProgress"


def test_a_long_job_is_told_as_it_is_when_the_time_is_over() -> None:
    goes_on = Told(b'{"TrainingJobStatus": "InProgress"}')
    call = Call(service="sagemaker", operation="DescribeTrainingJob")
    environ = {"HTTP_USER_AGENT": SDK_V2}
    assert answered(call, environ, lambda: goes_on, longest_seconds=0.1) is goes_on


@pytest.mark.parametrize("operation", ["ListEndpoints", "CreateTrainingJob"])
def test_only_descriptions_of_what_ends_are_held(operation: str) -> None:
    asked: list[Told] = []

    def answer() -> Told:
        asked.append(Told(b'{"EndpointStatus": "Creating", "TrainingJobStatus": "InProgress"}'))
        return asked[-1]

    call = Call(service="sagemaker", operation=operation)
    answered(call, {"HTTP_USER_AGENT": SDK_V2}, answer)
    assert len(asked) == 1


def _client(aws: LocalAWS, name: str) -> Any:
    session = boto3.Session("key", "secret", region_name="us-east-1")
    config = Config(user_agent_extra=name)
    return session.client("sagemaker", endpoint_url=aws.endpoint_url, config=config)
