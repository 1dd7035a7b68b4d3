from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

from ..calls import alone, final_processing_job

Run = Callable[..., dict[str, Any]]

BUCKET = "sagemaker-us-east-1-123456789012"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory, images: Images) -> Iterator[LocalAWS]:
    """A local AWS whose disk has no space that it may take."""
    root = tmp_path_factory.mktemp("full")
    with LocalAWS(root, images=images, least_free_bytes=1 << 60) as aws:
        yield aws


def client(aws: LocalAWS, service: str) -> Any:
    made: Any = boto3.Session("key", "secret", region_name="us-east-1").client
    return made(service, endpoint_url=aws.endpoint_url)


@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload"])
def test_a_disk_that_is_nearly_full_takes_no_object(full: LocalAWS, operation: str) -> None:
    s3 = client(full, "s3")
    with pytest.raises(ClientError) as error:
        getattr(s3, operation)(Bucket=BUCKET, Key="a")
    response = error.value.response
    assert response["Error"]["Code"] == "InsufficientStorage"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 507
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_disk_that_is_nearly_full_runs_no_job(
    full: LocalAWS, processing_request: Run, name: str
) -> None:
    sagemaker = client(full, "sagemaker")
    sagemaker.create_processing_job(**processing_request(**alone()))
    job = final_processing_job(sagemaker, name)
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: ")
    assert job["FailureReason"].endswith(
        " MiB left and the local AWS leaves 1099511627776 MiB free; "
        "delete jobs or objects, or lower --least-free-mib"
    )
