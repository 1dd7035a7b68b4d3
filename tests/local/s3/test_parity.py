"""The same requests to moto's S3 and to ours: what callers see is the same.

Not asked: what moto gets wrong (MaxKeys together with a delimiter, Quiet of DeleteObjects).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.s3.service import S3
from airflow_sm_pipelines.local.s3.space import Space
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.sessions import neutral_session
from airflow_sm_pipelines.local.transport import WSGIApp, connect

# What differs from call to call, or is no part of what S3 promises.
VOLATILE = {
    "HTTPHeaders",
    "RequestId",
    "HostId",
    "RetryAttempts",
    "LastModified",
    "CreationDate",
    "Initiated",
    "UploadId",
    "Location",
    "Owner",
    "Initiator",
    "NextContinuationToken",
    "ContinuationToken",
    "ServerSideEncryption",
    "BucketArn",
    "BucketRegion",
    "VersionId",
    "AcceptRanges",
    # moto leaves these out, and texts that are empty.
    "ChecksumAlgorithm",
    "EncodingType",
    "Marker",
    "VersionIdMarker",
}


def client(app: WSGIApp) -> Any:
    made = neutral_session().create_client(
        "s3",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    connect(made, app)
    return made


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Any]]:
    folder: Path = tmp_path_factory.mktemp("parity")
    moto, store = Moto(), Store(folder)
    yield client(moto), client(S3(store, moto, space=Space(folder=folder)))
    store.close()


def told(value: Any) -> Any:
    """What is compared of an answer."""
    if isinstance(value, dict) and "Code" in value:
        return value["Code"]  # of an error
    if isinstance(value, dict):
        return {key: told(value[key]) for key in value if key not in VOLATILE and value[key] != ""}
    if isinstance(value, list):
        return [told(each) for each in value]
    return value.read() if hasattr(value, "read") else value


def answer(s3: Any, bucket: str, operation: str, arguments: dict[str, Any]) -> Any:
    try:
        return told(getattr(s3, operation)(Bucket=bucket, **arguments))
    except ClientError as error:
        return told(error.response)


KEYS = ("a", "a/b", "a/c/d", "b c", "e/")


def story(s3: Any, bucket: str) -> Iterator[Any]:
    s3.create_bucket(Bucket=bucket)
    for key in KEYS:
        yield answer(
            s3, bucket, "put_object", {"Key": key, "Body": key.encode(), "Metadata": {"k": "v"}}
        )
    for operation, arguments in CALLS:
        yield operation, answer(s3, bucket, operation, arguments)


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("head_bucket", {}),
    ("get_bucket_location", {}),
    ("get_bucket_versioning", {}),
    ("get_object", {"Key": "a/b"}),
    ("get_object", {"Key": "a/b", "Range": "bytes=1-"}),
    ("get_object", {"Key": "a/b", "Range": "bytes=-2"}),
    ("get_object", {"Key": "a/b", "Range": "bytes=9-"}),
    ("get_object", {"Key": "nothing"}),
    ("head_object", {"Key": "b c"}),
    ("head_object", {"Key": "nothing"}),
    ("head_object", {"Key": "a", "IfMatch": "no"}),
    ("list_objects", {}),
    ("list_objects", {"Prefix": "a", "Delimiter": "/"}),
    ("list_objects", {"Marker": "a/b"}),
    ("list_objects_v2", {}),
    ("list_objects_v2", {"Prefix": "a/"}),
    ("list_objects_v2", {"Prefix": "a/", "Delimiter": "/"}),
    ("list_objects_v2", {"Delimiter": "/"}),
    ("list_objects_v2", {"MaxKeys": 2}),
    ("list_objects_v2", {"StartAfter": "a/b"}),
    ("list_objects_v2", {"Prefix": "nothing"}),
    ("list_object_versions", {"Prefix": "a/"}),
    ("put_object_tagging", {"Key": "a", "Tagging": {"TagSet": [{"Key": "t", "Value": "1"}]}}),
    ("get_object_tagging", {"Key": "a"}),
    ("get_object_tagging", {"Key": "nothing"}),
    ("delete_object_tagging", {"Key": "a"}),
    ("put_object", {"Key": "a", "IfNoneMatch": "*"}),
    ("create_multipart_upload", {"Key": "m"}),
    ("list_parts", {"Key": "m", "UploadId": "nothing"}),
    ("delete_bucket", {}),
    ("delete_object", {"Key": "a"}),
    ("delete_object", {"Key": "nothing"}),
    ("delete_objects", {"Delete": {"Objects": [{"Key": key} for key in KEYS]}}),
    ("list_objects_v2", {}),
    ("get_bucket_policy", {}),
]


def test_callers_see_the_same_answers(both: tuple[Any, Any]) -> None:
    bucket = f"parity-{uuid4().hex}"
    expected, found = (list(story(s3, bucket)) for s3 in both)
    assert found == expected
