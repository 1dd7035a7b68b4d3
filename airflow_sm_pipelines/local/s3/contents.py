"""The operations on objects."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wrappers import Response
from werkzeug.wsgi import wrap_file

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3.asked import Asked, source
from airflow_sm_pipelines.local.s3.body import PIECE_BYTES, receive
from airflow_sm_pipelines.local.s3.copying import append
from airflow_sm_pipelines.local.s3.index import Details
from airflow_sm_pipelines.local.s3.listing import OWNER
from airflow_sm_pipelines.local.s3.space import Space
from airflow_sm_pipelines.local.s3.store import Store, Stored
from airflow_sm_pipelines.local.s3.wire import answer, empty, found, iso, parsed, tag, text

_MOST_DELETED = 1000
_FAILED = ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")


class Contents:
    """Objects, by S3's operations."""

    def __init__(self, store: Store, space: Space) -> None:
        self._store = store
        self._space = space

    def put(self, asked: Asked) -> Response:
        """PutObject."""
        self._store.bucket(asked.bucket)
        self._space.check()
        with self._store.incoming() as file:
            received = receive(asked.environ, file)
            details = asked.details(etag=received.md5, checksums=received.checksums)
            stored = self._store.put(
                asked.bucket, asked.key, file=file, details=details, condition=condition(asked)
            )
        return empty(headers={"ETag": f'"{stored.details.etag}"', **received.checksums})

    def copy(self, asked: Asked) -> Response:
        """CopyObject."""
        self._space.check()
        bucket, key = source(asked)
        with self._store.incoming() as file:
            content, known = self._store.open(bucket, key)
            with content:
                self._check_copy(asked, known)
                with file.open("wb") as target:
                    append(content, target)
            details = _copied(asked, known)
            stored = self._store.put(
                asked.bucket, asked.key, file=file, details=details, condition=condition(asked)
            )
        return answer(
            "CopyObjectResult",
            text("LastModified", iso(stored.modified)),
            text("ETag", f'"{stored.details.etag}"'),
        )

    def get(self, asked: Asked) -> Response:
        """GetObject and HeadObject."""
        content, stored = self._store.open(asked.bucket, asked.key)
        wanted = asked.header("if-match")
        if wanted not in ("", "*") and wanted.strip('"') != stored.details.etag:
            content.close()
            raise AwsError(*_FAILED, 412)
        response = Response(
            wrap_file(asked.environ, content, PIECE_BYTES),
            headers=self._headers(asked, stored),
            direct_passthrough=True,
        )
        response.call_on_close(content.close)
        try:
            response.make_conditional(
                asked.request, accept_ranges=True, complete_length=stored.size
            )
        except RequestedRangeNotSatisfiable as error:
            content.close()
            message = "The requested range is not satisfiable"
            raise AwsError("InvalidRange", message, 416) from error
        if response.status_code == 304:
            for name in stored.details.checksums:  # they would be of what is not sent
                response.headers.pop(name, None)
        return response

    def delete(self, asked: Asked) -> Response:
        """DeleteObject; of a key that is not there it is none the less done."""
        self._store.delete(asked.bucket, asked.key)
        return empty(204)

    def delete_all(self, asked: Asked) -> Response:
        """DeleteObjects."""
        self._store.bucket(asked.bucket)
        document = parsed(asked.document())
        keys = [found(each, "Key") for each in document.iter() if each.tag.endswith("Object")]
        if not keys or len(keys) > _MOST_DELETED:
            raise AwsError("MalformedXML", f"Name 1 to {_MOST_DELETED} objects to delete")
        for key in keys:
            self._store.delete(asked.bucket, key)
        told = [] if found(document, "Quiet") == "true" else keys
        return answer("DeleteResult", *(tag("Deleted", text("Key", key)) for key in told))

    def tags(self, asked: Asked) -> Response:
        """GetObjectTagging."""
        tags = self._store.get(asked.bucket, asked.key).details.tags
        pairs = (tag("Tag", text("Key", key), text("Value", tags[key])) for key in tags)
        return answer("Tagging", tag("TagSet", *pairs))

    def put_tags(self, asked: Asked) -> Response:
        """PutObjectTagging."""
        document = parsed(asked.document())
        tags = {found(each, "Key"): found(each, "Value") for each in document.iterfind(".//{*}Tag")}
        self._store.describe(asked.bucket, asked.key, lambda known: replace(known, tags=tags))
        return empty()

    def delete_tags(self, asked: Asked) -> Response:
        """DeleteObjectTagging."""
        self._store.describe(asked.bucket, asked.key, lambda known: replace(known, tags={}))
        return empty(204)

    def acl(self, asked: Asked) -> Response:
        """GetObjectAcl: the account may do everything. ACLs are not kept, nothing looks at them."""
        self._store.get(asked.bucket, asked.key)
        xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'
        grantee = tag("Grantee", *_inner(OWNER)).replace("<Grantee>", f"<Grantee {xsi}>")
        grant = tag("Grant", grantee, text("Permission", "FULL_CONTROL"))
        return answer("AccessControlPolicy", OWNER, tag("AccessControlList", grant))

    def put_acl(self, asked: Asked) -> Response:
        """PutObjectAcl."""
        self._store.get(asked.bucket, asked.key)
        asked.document()
        return empty()

    def _headers(self, asked: Asked, stored: Stored) -> dict[str, str]:
        details = stored.details
        replaced = {
            name.removeprefix("response-"): value
            for name, value in asked.query.items()
            if name.startswith("response-")
        }
        checked = asked.header("x-amz-checksum-mode") and not asked.header("range")
        return {
            "content-type": "binary/octet-stream",
            **details.headers,
            **{f"x-amz-meta-{name}": value for name, value in details.metadata.items()},
            **({"x-amz-tagging-count": str(len(details.tags))} if details.tags else {}),
            **(details.checksums if checked else {}),
            **replaced,
            "ETag": f'"{details.etag}"',
            "Last-Modified": format_datetime(stored.modified.replace(microsecond=0), usegmt=True),
            "Content-Length": str(stored.size),
        }

    def _check_copy(self, asked: Asked, known: Stored) -> None:
        for name in _COPY_CONDITIONS:
            value = asked.header(f"x-amz-copy-source-{name}")
            if value and not _COPY_CONDITIONS[name](known, value):
                raise AwsError(*_FAILED, 412)


def condition(asked: Asked) -> Callable[[Stored | None], None]:
    """What a request asks of the object that it replaces."""

    def check(known: Stored | None) -> None:
        if asked.header("if-none-match") == "*" and known is not None:
            raise AwsError(*_FAILED, 412)
        wanted = asked.header("if-match").strip('"')
        if wanted and known is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
        if wanted and known is not None and wanted not in ("*", known.details.etag):
            raise AwsError(*_FAILED, 412)

    return check


def _copied(asked: Asked, known: Stored) -> Details:
    """What is told with a copy: that of the object, or what the request says instead."""
    told = asked.details()
    new = asked.header("x-amz-metadata-directive") == "REPLACE"
    itself = source(asked) == (asked.bucket, asked.key)
    if itself and not (new or asked.header("x-amz-storage-class")):
        raise AwsError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes.",
        )
    tagged = asked.header("x-amz-tagging-directive") == "REPLACE"
    before = known.details
    return Details(
        etag=before.etag,
        headers=told.headers if new else before.headers,
        metadata=told.metadata if new else before.metadata,
        tags=told.tags if tagged else before.tags,
        checksums=before.checksums,
    )


def _inner(element: str) -> list[str]:
    """What is between the tags of an element."""
    return [element[element.index(">") + 1 : element.rindex("<")]]


def _moment(value: str) -> datetime:
    return parsedate_to_datetime(value).astimezone(UTC)


_COPY_CONDITIONS: dict[str, Callable[[Stored, str], bool]] = {
    "if-match": lambda known, value: value.strip('"') == known.details.etag,
    "if-none-match": lambda known, value: value.strip('"') != known.details.etag,
    "if-modified-since": lambda known, value: known.modified > _moment(value),
    "if-unmodified-since": lambda known, value: known.modified <= _moment(value),
}
