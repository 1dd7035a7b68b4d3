"""Objects of S3, by their URIs."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from airflow_sm_pipelines import aws

if TYPE_CHECKING:
    from botocore.client import BaseClient


def get(s3: "BaseClient", uri: str) -> dict[str, Any] | None:
    """What GetObject answers of an object, its `Body` as bytes; None where there is none.

    Raises AccessDeniedError, and a ClientError for what else S3 refuses.
    """
    found = _told(s3, "GetObject", uri)
    return {**found, "Body": found["Body"].read()} if found else None


def head(s3: "BaseClient", uri: str) -> dict[str, Any] | None:
    """What HeadObject answers of an object, as `get` without `Body`."""
    return _told(s3, "HeadObject", uri)


def split(uri: str) -> tuple[str, str]:
    """The bucket and the key, or the prefix of keys, in a URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def _told(s3: "BaseClient", operation: str, uri: str) -> dict[str, Any] | None:
    bucket, key = split(uri)
    try:
        return aws.call(s3, operation, {"Bucket": bucket, "Key": key})
    except ClientError as error:
        if error.response["Error"]["Code"] not in ABSENT:
            raise
    return None


ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "404"})
"""Codes of S3 for an object that is not there; HEAD has no body to say it in."""
