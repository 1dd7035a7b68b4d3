"""ListObjects, ListObjectsV2, ListObjectVersions: pages of a bucket's keys."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.account import ACCOUNT_ID
from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3.index import Details
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.s3.walk import LAST, Found
from airflow_sm_pipelines.local.s3.wire import answer, encoder, iso, tag, text

_LARGEST_PAGE = 1000

OWNER = tag("Owner", text("ID", ACCOUNT_ID), text("DisplayName", "local"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What all three operations ask for."""

    bucket: str
    prefix: str
    delimiter: str
    after: str
    size: int
    encoding: str | None

    def told(self) -> list[str]:
        """What every answer repeats of the question."""
        encode = encoder(self.encoding)
        return [
            text("Name", self.bucket),
            text("Prefix", encode(self.prefix)),
            text("MaxKeys", self.size),
            *([text("Delimiter", encode(self.delimiter))] if self.delimiter else ()),
            *([text("EncodingType", self.encoding)] if self.encoding else ()),
        ]


def list_objects(store: Store, bucket: str, query: Mapping[str, str]) -> Response:
    """ListObjects."""
    asked = _asked(bucket, query, after=query.get("marker", ""))
    rows, more = _page(store, asked)
    encode = encoder(asked.encoding)
    marker = [text("NextMarker", encode(_name(rows[-1])))] if more and asked.delimiter else []
    return answer(
        "ListBucketResult",
        *asked.told(),
        text("Marker", encode(asked.after)),
        text("IsTruncated", more),
        *marker,
        *_rows(store, asked, rows, owner=True),
    )


def list_objects_v2(store: Store, bucket: str, query: Mapping[str, str]) -> Response:
    """ListObjectsV2."""
    token = query.get("continuation-token")
    after = query.get("start-after", "") if token is None else _position(token)
    asked = _asked(bucket, query, after=after)
    rows, more = _page(store, asked)
    encode = encoder(asked.encoding)
    start = [text("StartAfter", encode(query["start-after"]))] if "start-after" in query else []
    return answer(
        "ListBucketResult",
        *asked.told(),
        text("KeyCount", len(rows)),
        text("IsTruncated", more),
        *([text("ContinuationToken", token)] if token is not None else ()),
        *([text("NextContinuationToken", _token(rows[-1]))] if more else ()),
        *start,
        *_rows(store, asked, rows, owner=query.get("fetch-owner") == "true"),
    )


def list_versions(store: Store, bucket: str, query: Mapping[str, str]) -> Response:
    """ListObjectVersions: every object has one version, "null", as where versioning is off."""
    asked = _asked(bucket, query, after=query.get("key-marker", ""))
    rows, more = _page(store, asked)
    encode = encoder(asked.encoding)
    following = [text("NextKeyMarker", encode(_name(rows[-1])))] if more else []
    return answer(
        "ListVersionsResult",
        *asked.told(),
        text("KeyMarker", encode(asked.after)),
        text("IsTruncated", more),
        *following,
        *_rows(store, asked, rows, owner=True, versions=True),
    )


def listed(store: Store, bucket: str, query: Mapping[str, str]) -> tuple[list[Found | str], bool]:
    """What a page lists, keys and what they share, and whether there is more."""
    return _page(store, _asked(bucket, query, after=""))


def _asked(bucket: str, query: Mapping[str, str], *, after: str) -> _Asked:
    size = query.get("max-keys", str(_LARGEST_PAGE))
    if not size.isdigit():
        raise AwsError("InvalidArgument", "Provided max-keys not an integer or within range")
    return _Asked(
        bucket=bucket,
        prefix=query.get("prefix", ""),
        delimiter=query.get("delimiter", ""),
        after=after,
        size=min(int(size), _LARGEST_PAGE),
        encoding=query.get("encoding-type"),
    )


def _page(store: Store, asked: _Asked) -> tuple[list[Found | str], bool]:
    """What one answer lists, and whether there is more."""
    listed = list(islice(_entries(store, asked), asked.size + 1))
    if asked.size == 0:
        return [], False
    return listed[: asked.size], len(listed) > asked.size


def _entries(store: Store, asked: _Asked) -> Iterator[Found | str]:
    """Keys in order; those that share their text up to a delimiter are that text, once."""
    after = asked.after
    if asked.delimiter and after and _shared(after, asked) == after:
        after += LAST  # it has been told
    while True:
        for found in store.walk(asked.bucket, prefix=asked.prefix, after=after):
            shared = _shared(found.key, asked)
            if shared:
                yield shared
                after = shared + LAST
                break
            yield found
        else:
            return


def _shared(key: str, asked: _Asked) -> str:
    """A key up to the first delimiter behind the prefix, or ""."""
    if not asked.delimiter:
        return ""
    end = key.find(asked.delimiter, len(asked.prefix))
    return "" if end < 0 else key[: end + len(asked.delimiter)]


def _rows(
    store: Store, asked: _Asked, listed: list[Found | str], *, owner: bool, versions: bool = False
) -> Iterator[str]:
    encode = encoder(asked.encoding)
    for each in listed:
        if isinstance(each, Found):
            yield _row(store, asked.bucket, each, encode, owner=owner, version=versions)
    for each in listed:
        if isinstance(each, str):
            yield tag("CommonPrefixes", text("Prefix", encode(each)))


def _row(
    store: Store,
    bucket: str,
    found: Found,
    encode: Callable[[str], str],
    *,
    owner: bool,
    version: bool,
) -> str:
    details = store.details(bucket, found)
    modified = datetime.fromtimestamp(found.time / 1e9, UTC)
    return tag(
        "Version" if version else "Contents",
        text("Key", encode(found.key)),
        *((text("VersionId", "null"), text("IsLatest", True)) if version else ()),
        text("LastModified", iso(modified)),
        text("ETag", f'"{details.etag}"'),
        *(text("ChecksumAlgorithm", name) for name in _algorithms(details)),
        text("Size", found.size),
        *([OWNER] if owner else ()),
        text("StorageClass", details.headers.get("x-amz-storage-class", "STANDARD")),
    )


def _algorithms(details: Details) -> list[str]:
    """The checksums that are known of an object, as S3 names them."""
    return [name.removeprefix("x-amz-checksum-").upper() for name in details.checksums]


def _name(entry: Found | str) -> str:
    return entry if isinstance(entry, str) else entry.key


def _token(entry: Found | str) -> str:
    """Where the next page goes on, opaque as S3's tokens are."""
    position = entry + LAST if isinstance(entry, str) else entry.key
    return base64.urlsafe_b64encode(position.encode()).decode()


def _position(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from error
