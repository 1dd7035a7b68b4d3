"""Objects of S3 by their URIs, against the local AWS."""

from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines import objects
from tests.answering import answers

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def test_an_object_is_its_body_and_what_s3_tells_of_it(s3: "S3Client") -> None:
    bucket = f"objects-{uuid4().hex}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/b.json", Body=b"{}", ContentType="application/json")
    found = objects.get(s3, f"s3://{bucket}/a/b.json")
    assert found
    assert (found["Body"], found["ContentType"]) == (b"{}", "application/json")
    told = objects.head(s3, f"s3://{bucket}/a/b.json")
    assert told
    assert told["ContentType"] == "application/json"
    for ask in (objects.get, objects.head):
        assert ask(s3, f"s3://{bucket}/a/none.json") is None


def test_what_is_in_no_bucket_is_not_there(s3: "S3Client") -> None:
    assert objects.get(s3, f"s3://none-{uuid4().hex}/a") is None


def test_what_s3_refuses_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with answers(monkeypatch, 400, Code="ExpiredToken") as answering:
        s3 = boto3.client("s3", endpoint_url=answering.url)
        with pytest.raises(ClientError, match="ExpiredToken"):
            objects.get(s3, "s3://bucket/key")


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("s3://b/a/b.json", ("b", "a/b.json")),
        ("s3://b/a/", ("b", "a/")),
        ("s3://b", ("b", "")),
        ("s3://b/a//b?c#d", ("b", "a//b?c#d")),
    ],
)
def test_a_uri_is_a_bucket_and_a_key(uri: str, parts: tuple[str, str]) -> None:
    assert objects.split(uri) == parts
