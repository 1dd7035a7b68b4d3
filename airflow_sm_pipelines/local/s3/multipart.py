"""The operations of multipart uploads."""

import hashlib
import re

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3.asked import Asked, source
from airflow_sm_pipelines.local.s3.body import receive
from airflow_sm_pipelines.local.s3.contents import condition
from airflow_sm_pipelines.local.s3.copying import append
from airflow_sm_pipelines.local.s3.listing import OWNER
from airflow_sm_pipelines.local.s3.space import Space
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.s3.uploads import MOST_PARTS, Part, Upload, Uploads
from airflow_sm_pipelines.local.s3.wire import answer, empty, found, iso, parsed, tag, text


class Multipart:
    """Multipart uploads, by S3's operations."""

    def __init__(self, store: Store, space: Space) -> None:
        self._store = store
        self._space = space
        self._uploads = Uploads(store)

    def begin(self, asked: Asked) -> Response:
        """CreateMultipartUpload."""
        self._space.check()
        upload = self._uploads.begin(asked.bucket, asked.key, asked.details())
        return answer(
            "InitiateMultipartUploadResult",
            text("Bucket", asked.bucket),
            text("Key", asked.key),
            text("UploadId", upload.id),
        )

    def put(self, asked: Asked) -> Response:
        """UploadPart."""
        upload, number = self._named(asked), _number(asked)
        self._space.check()
        with self._store.incoming() as file:
            received = receive(asked.environ, file)
            self._uploads.add(upload, number, file=file, etag=received.md5)
        return empty(headers={"ETag": f'"{received.md5}"', **received.checksums})

    def copy(self, asked: Asked) -> Response:
        """UploadPartCopy."""
        upload, number = self._named(asked), _number(asked)
        self._space.check()
        content, known = self._store.open(*source(asked))
        start, size = _range(asked.header("x-amz-copy-source-range"), known.size)
        with content, self._store.incoming() as file:
            with file.open("wb") as target:
                append(content, target, start=start, size=size)
            with file.open("rb") as copied:
                etag = hashlib.file_digest(copied, "md5").hexdigest()
            self._uploads.add(upload, number, file=file, etag=etag)
        modified = text("LastModified", iso(known.modified))
        return answer("CopyPartResult", modified, text("ETag", f'"{etag}"'))

    def complete(self, asked: Asked) -> Response:
        """CompleteMultipartUpload."""
        upload = self._named(asked)
        self._space.check()
        document = parsed(asked.document())
        try:
            wanted = {
                int(found(part, "PartNumber")): found(part, "ETag")
                for part in document.iterfind("{*}Part")
            }
        except ValueError as error:
            raise AwsError("MalformedXML", "PartNumber is no number") from error
        stored = self._uploads.complete(upload, wanted, condition(asked))
        return answer(
            "CompleteMultipartUploadResult",
            text("Location", asked.request.base_url),
            text("Bucket", asked.bucket),
            text("Key", asked.key),
            text("ETag", f'"{stored.details.etag}"'),
        )

    def abort(self, asked: Asked) -> Response:
        """AbortMultipartUpload."""
        self._uploads.abort(self._named(asked))
        return empty(204)

    def parts(self, asked: Asked) -> Response:
        """ListParts."""
        upload = self._named(asked)
        after = _count(asked, "part-number-marker", 0)
        size = min(_count(asked, "max-parts", 1000), 1000)
        there = [part for part in self._uploads.parts(upload) if part.number > after]
        listed = there[:size]
        last = listed[-1].number if listed else after
        return answer(
            "ListPartsResult",
            text("Bucket", asked.bucket),
            text("Key", asked.key),
            text("UploadId", upload.id),
            text("PartNumberMarker", after),
            text("NextPartNumberMarker", last),
            text("MaxParts", size),
            text("IsTruncated", len(there) > size),
            OWNER,
            *map(_part, listed),
        )

    def list(self, asked: Asked) -> Response:
        """ListMultipartUploads, in one page."""
        prefix = asked.query.get("prefix", "")
        uploads = [each for each in self._uploads.of(asked.bucket) if each.key.startswith(prefix)]
        return answer(
            "ListMultipartUploadsResult",
            text("Bucket", asked.bucket),
            text("Prefix", prefix),
            text("MaxUploads", 1000),
            text("IsTruncated", False),
            *map(_upload, uploads),
        )

    def _named(self, asked: Asked) -> Upload:
        return self._uploads.get(asked.bucket, asked.key, asked.query.get("uploadId", ""))


def _number(asked: Asked) -> int:
    number = _count(asked, "partNumber", 0)
    if not 1 <= number <= MOST_PARTS:
        message = f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive"
        raise AwsError("InvalidArgument", message)
    return number


def _count(asked: Asked, name: str, default: int) -> int:
    value = asked.query.get(name) or str(default)
    if not value.isdigit():
        raise AwsError("InvalidArgument", f"{name} must be a number")
    return int(value)


def _range(told: str, whole: int) -> tuple[int, int]:
    """Where a part of an object starts, and how long it is."""
    if not told:
        return 0, whole
    given = re.fullmatch(r"bytes=(\d+)-(\d+)", told)
    if given is None or not int(given[1]) <= int(given[2]) < whole:
        raise AwsError("InvalidArgument", f"Range specified is not valid for source object: {told}")
    return int(given[1]), int(given[2]) - int(given[1]) + 1


def _part(part: Part) -> str:
    return tag(
        "Part",
        text("PartNumber", part.number),
        text("LastModified", iso(part.modified)),
        text("ETag", f'"{part.etag}"'),
        text("Size", part.size),
    )


def _upload(upload: Upload) -> str:
    return tag(
        "Upload",
        text("Key", upload.key),
        text("UploadId", upload.id),
        OWNER,
        text("StorageClass", "STANDARD"),
        text("Initiated", iso(upload.begun)),
    )
