"""Multipart uploads: parts on disk until they become an object.

<uploads>/<id>/upload.json   bucket, key, what is told with the object
<uploads>/<id>/00001         a part; 00001.json has its ETag
"""

import binascii
import hashlib
import json
import shutil
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from airflow_sm_pipelines.local.errors import AwsError
from airflow_sm_pipelines.local.s3.copying import append
from airflow_sm_pipelines.local.s3.index import Details
from airflow_sm_pipelines.local.s3.store import Condition, Store, Stored

MOST_PARTS = 10_000
_SMALLEST_PART_BYTES = 5 * 1024 * 1024
_UPLOAD = "upload.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """An upload that is not finished."""

    id: str
    bucket: str
    key: str
    details: Details
    begun: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part that has arrived."""

    number: int
    etag: str
    size: int
    modified: datetime
    path: Path


class Uploads:
    """The unfinished uploads of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.uploads
        self._lock = threading.Lock()

    def begin(self, bucket: str, key: str, details: Details) -> Upload:
        """Start an upload."""
        self._store.bucket(bucket)
        folder = self._folder / uuid.uuid4().hex
        folder.mkdir(parents=True)
        told = {"Bucket": bucket, "Key": key, "Details": asdict(details)}
        _write(folder / _UPLOAD, told)
        return self.get(bucket, key, folder.name)

    def get(self, bucket: str, key: str, id: str) -> Upload:
        """The upload of that id; raises `AwsError`."""
        self._store.bucket(bucket)
        upload = self._read(self._folder / id) if id.isalnum() else None
        if upload is None or (upload.bucket, upload.key) != (bucket, key):
            raise AwsError(
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, or the upload "
                "may have been aborted or completed.",
                404,
            )
        return upload

    def of(self, bucket: str) -> list[Upload]:
        """The unfinished uploads to a bucket, by their key."""
        self._store.bucket(bucket)
        folders = self._folder.iterdir() if self._folder.is_dir() else ()
        found = [upload for each in folders if (upload := self._read(each)) is not None]
        mine = (each for each in found if each.bucket == bucket)
        return sorted(mine, key=lambda each: (each.key, each.begun))

    def add(self, upload: Upload, number: int, *, file: Path, etag: str) -> None:
        """Keep a file of the store's `incoming` as a part; an earlier one of the number goes."""
        part = self._folder / upload.id / f"{number:05}"
        with self._lock:
            try:
                file.replace(part)
                _write(part.with_suffix(".json"), {"ETag": etag})
            except FileNotFoundError:  # aborted meanwhile
                self.get(upload.bucket, upload.key, upload.id)
                raise

    def parts(self, upload: Upload) -> list[Part]:
        """The parts that are there, by number."""
        files = sorted(self._folder.joinpath(upload.id).glob("[0-9]" * 5))
        return [part for file in files if (part := _part(file)) is not None]

    def complete(self, upload: Upload, wanted: Mapping[int, str], condition: Condition) -> Stored:
        """Make an object of the parts of these numbers and ETags, in order."""
        parts = list(self._chosen(upload, wanted))
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
        summed = hashlib.md5(usedforsecurity=False)
        for part in parts:
            summed.update(binascii.unhexlify(part.etag))
        known = upload.details
        details = Details(
            etag=f"{summed.hexdigest()}-{len(parts)}",
            headers=known.headers,
            metadata=known.metadata,
            tags=known.tags,
        )
        with self._store.incoming() as file:
            with file.open("wb") as target:
                for part in parts:
                    with part.path.open("rb") as source:
                        append(source, target)
            stored = self._store.put(
                upload.bucket, upload.key, file=file, details=details, condition=condition
            )
        self.abort(upload)
        return stored

    def abort(self, upload: Upload) -> None:
        """Drop an upload and its parts."""
        shutil.rmtree(self._folder / upload.id, ignore_errors=True)

    def _chosen(self, upload: Upload, wanted: Mapping[int, str]) -> Iterator[Part]:
        if not wanted:
            raise AwsError("MalformedXML", "You must specify at least one part")
        if list(wanted) != sorted(wanted):
            raise AwsError(
                "InvalidPartOrder",
                "The list of parts was not in ascending order. The parts list must be specified "
                "in order by part number.",
            )
        there = {part.number: part for part in self.parts(upload)}
        for number, etag in wanted.items():
            part = there.get(number)
            if part is None or part.etag != etag.strip('"'):
                raise AwsError(
                    "InvalidPart",
                    "One or more of the specified parts could not be found. The part may not have "
                    "been uploaded, or the specified entity tag may not have matched the part's "
                    "entity tag.",
                )
            if part.size < _SMALLEST_PART_BYTES and number != max(wanted):
                raise AwsError(
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                )
            yield part

    def _read(self, folder: Path) -> Upload | None:
        """The upload of a folder, or None where it has none that can be read."""
        try:
            told = json.loads((folder / _UPLOAD).read_text(encoding="utf-8"))
            begun = datetime.fromtimestamp((folder / _UPLOAD).stat().st_mtime, UTC)
            details = Details(**told["Details"])
            bucket, key = str(told["Bucket"]), str(told["Key"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return Upload(id=folder.name, bucket=bucket, key=key, details=details, begun=begun)


def _part(file: Path) -> Part | None:
    try:
        status = file.stat()
        etag = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))["ETag"]
    except (OSError, ValueError, KeyError, TypeError):  # cut off while it was written
        return None
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    number, size = int(file.name), status.st_size
    return Part(number=number, etag=str(etag), size=size, modified=modified, path=file)


def _write(file: Path, value: object) -> None:
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(value), encoding="utf-8")
    aside.replace(file)
