"""Images and buckets of a request that are in another region than the job would be.

SageMaker pulls no image from another region, and a bucket elsewhere costs transfer or fails late.
An image tells its region itself; a bucket's is asked of S3, once for a process, and whatever goes
wrong with that is nobody's concern.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.node import Json

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

RegionOf = Callable[[str], str]
"""The region of a bucket; "" where it is not known."""


def misplaced(request: Json, *, region: str, region_of: RegionOf) -> Iterator[str]:
    """A sentence for each image and each bucket of a request that is not in `region`, once each."""
    found = dict.fromkeys(_located(request))
    for image, where in _images(found):
        if where != region:
            yield f"image {image} is in {where}, the job is in {region}"
    for bucket in _buckets(found):
        where = region_of(bucket)
        if where and where != region:
            yield f"bucket {bucket} is in {where}, the job is in {region}"


class Asking:
    """The regions of buckets as S3 tells them to a connection, each asked for once in a process."""

    def __init__(self, connection: aws.Connection) -> None:
        self._connection = connection

    def region(self, bucket: str) -> str:
        """The region of a bucket; "" where S3 does not tell, or was asked for too many."""
        with _LOCK:
            if bucket not in _KNOWN and len(_KNOWN) < MOST_BUCKETS:
                _KNOWN[bucket] = ask(self._client, bucket)
            return _KNOWN.get(bucket, "")

    @cached_property
    def _client(self) -> "BaseClient":
        return self._connection.client("s3", **HASTY)


def ask(client: "BaseClient", bucket: str) -> str:
    """What S3 says of a bucket's region, which it tells also where it refuses all else."""
    try:
        answer = client.head_bucket(Bucket=bucket)  # type: ignore[attr-defined]
    except ClientError as error:
        answer = error.response
    except BotoCoreError as error:
        log.debug("the region of bucket %s is not known: %s", bucket, error)
        return ""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-amz-bucket-region", ""))


def _located(value: Json) -> Iterator[str]:
    """The images and S3 URIs of a request, at whatever place."""
    match value:
        case dict():
            for member in value.values():
                yield from _located(member)
        case list():
            for element in value:
                yield from _located(element)
        case str() if value.startswith("s3://") or _IMAGE.match(value):
            yield value


def _images(found: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in found:
        if told := _IMAGE.match(text):
            yield text, told["region"]


def _buckets(found: Iterable[str]) -> list[str]:
    uris = (urlsplit(text) for text in found if text.startswith("s3://"))
    return list(dict.fromkeys(uri.netloc for uri in uris if uri.netloc))


MOST_BUCKETS = 20
"""How many buckets a process asks for."""
HASTY: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 2,
    "retries": {"total_max_attempts": 1},
}
_KNOWN: dict[str, str] = {}
_LOCK = threading.Lock()

# 123456789012.dkr.ecr.eu-west-1.amazonaws.com/name:tag, of China, of FIPS, of IPv6.
_IMAGE = re.compile(
    r"\d{12}\.dkr[.-]ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|on\.aws)/"
)
