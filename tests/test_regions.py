"""Images and buckets in another region than the job."""

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, regions
from tests.answering import answers

REGIONS = {"here": "eu-west-1", "there": "us-east-1", "secret": ""}


def misplaced(request: Any) -> list[str]:
    return list(regions.misplaced(request, region="eu-west-1", region_of=REGIONS.__getitem__))


@pytest.mark.parametrize(
    "image",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/name:1",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/name@sha256:0",
        "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/name",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/name",
        "123456789012.dkr-ecr.us-east-1.on.aws/name",
    ],
)
def test_an_image_in_another_region_is_told(image: str) -> None:
    (told,) = misplaced({"AppSpecification": {"ImageUri": image}})
    assert told.startswith(f"image {image} is in ")
    assert told.endswith(", the job is in eu-west-1")


@pytest.mark.parametrize(
    "image",
    [
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/name:1",
        "public.ecr.aws/docker/library/python:3",
        "python:3",
        "registry.example.com/123456789012.dkr.ecr.us-east-1.amazonaws.com/name",
    ],
)
def test_an_image_that_is_here_or_in_no_region_is_not(image: str) -> None:
    assert misplaced([{"Image": image}]) == []


def test_buckets_are_told_once_each_at_whatever_place() -> None:
    request = {
        "Inputs": [{"Uri": "s3://there/a"}, {"Uri": "s3://there/b"}, {"Uri": "s3://here/a"}],
        "Environment": {"A": "s3://secret/a", "B": "no s3://there"},
    }
    assert misplaced(request) == ["bucket there is in us-east-1, the job is in eu-west-1"]


def test_no_uri_of_a_bucket_is_none() -> None:
    assert misplaced({"Uri": "s3:///key"}) == []


def client(endpoint_url: str | None = None) -> Any:
    return boto3.client(
        "s3",
        region_name="eu-west-1",
        endpoint_url=endpoint_url,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture
def s3() -> Any:
    return client()


@pytest.mark.parametrize("status", [301, 403])
def test_s3_tells_the_region_also_where_it_refuses(s3: Any, status: int) -> None:
    headers = {"x-amz-bucket-region": "us-east-1"}
    with Stubber(s3) as stubber:
        stubber.add_client_error(
            "head_bucket",
            service_error_code=str(status),
            http_status_code=status,
            response_meta={"HTTPHeaders": headers},
        )
        assert regions.ask(s3, "bucket") == "us-east-1"


def test_a_bucket_that_s3_says_nothing_of_is_nowhere(s3: Any) -> None:
    with Stubber(s3) as stubber:
        stubber.add_client_error("head_bucket", service_error_code="403", http_status_code=403)
        assert regions.ask(s3, "bucket") == ""


def test_an_s3_that_is_out_of_reach_is_nobodys_concern() -> None:
    assert regions.ask(client("http://127.0.0.1:9"), "bucket") == ""


def test_a_bucket_is_asked_for_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with answers(monkeypatch, 200) as answering:
        for _ in range(2):
            asking = regions.Asking(aws.Connection("answering"))
            assert asking.region("asked-once") == ""
    assert answering.heads == ["/asked-once"]
