"""Parts of requests, and ways to wait for what becomes of them."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_sm_pipelines.local.job import Ending, JobKind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

T = TypeVar("T")

IMAGE = "example/image:1"
TEST_SECONDS = 60


def resources() -> dict[str, Any]:
    return {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}


def processing_input(input_name: str, uri: str, **changes: str) -> dict[str, Any]:
    return {
        "InputName": input_name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/{input_name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            **changes,
        },
    }


def alone(script: str = "") -> dict[str, Any]:
    """What makes a processing job run a script without any input, on whichever server."""
    application = {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", script]}
    return {"AppSpecification": application, "ProcessingInputs": []}


def processing_output(output_name: str, uri: str, mode: str = "EndOfJob") -> dict[str, Any]:
    return {
        "OutputName": output_name,
        "S3Output": {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/{output_name}",
            "S3UploadMode": mode,
        },
    }


def channel(channel_name: str, uri: str, **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": channel_name, "DataSource": {"S3DataSource": source}, **changes}


def final_processing_job(sagemaker: "SageMakerClient", name: str) -> dict[str, Any]:
    return until(
        lambda: dict(sagemaker.describe_processing_job(ProcessingJobName=name)),
        lambda job: job["ProcessingJobStatus"] not in ("InProgress", "Stopping"),
    )


def final_training_job(sagemaker: "SageMakerClient", name: str) -> dict[str, Any]:
    return until(
        lambda: dict(sagemaker.describe_training_job(TrainingJobName=name)),
        lambda job: job["TrainingJobStatus"] not in ("InProgress", "Stopping"),
    )


def until(look: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """What `look` sees as soon as `holds`; fails when that takes too long."""
    deadline = time.monotonic() + TEST_SECONDS
    while not holds(seen := look()):
        assert time.monotonic() < deadline, f"still {seen!r}"
        time.sleep(0.01)
    return seen


def keys(s3: "S3Client", bucket: str, prefix: str = "") -> list[str]:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", ())]


def text(s3: "S3Client", bucket: str, key: str) -> str:
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


# A kind of job that does nothing.
IDLE = JobKind(
    noun="ProcessingJob",
    slug="processing-job",
    unknown="Could not find requested job with name: {name}",
    check=lambda request: None,
    opened=lambda request: {},
    stopping=lambda fields: {},
    ended=lambda fields, ending: {"ProcessingJobStatus": ending.status},
    run=lambda job: Ending(status="Completed"),
)
