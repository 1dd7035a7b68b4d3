"""S3 as the job engine uses it: prefixes become folders, folders become objects.

It copies files to and from the folder of S3: no request, no part of a file in memory.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from airflow_sm_pipelines.local.errors import AwsError, JobError
from airflow_sm_pipelines.local.s3.copying import copy
from airflow_sm_pipelines.local.s3.store import Store
from airflow_sm_pipelines.local.s3.walk import Found


class Objects:
    """Moves files between the local S3 and the folder of a job."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def folders(self) -> dict[str, Path]:
        """The buckets, and the folder of each, in which files are objects."""
        return {each.name: self._store.folder(each.name) for each in self._store.buckets()}

    def exist(self, uri: str) -> bool:
        """Whether the key of any object starts with this URI; a bucket must not be there."""
        bucket, prefix = split(uri)
        return self._store.has_bucket(bucket) and any(self._store.walk(bucket, prefix=prefix))

    def has(self, uri: str) -> bool:
        """Whether there is an object with exactly this URI; a bucket must not be there."""
        bucket, key = split(uri)
        return self._store.has_bucket(bucket) and self._store.find(bucket, key) is not None

    def download(self, uri: str, folder: Path) -> int:
        """Copy every object whose key starts with `uri` into `folder`; the number of files.

        The prefix is stripped; a URI that is itself the key of an object gives a file of that name.
        """
        bucket, prefix = split(uri)
        count = 0
        for found in self._found(bucket, prefix):
            target = below(folder, relative(found.key, prefix), found.key)
            if found.key.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            copy(Path(found.path), target)
            count += 1
        return count

    def find(self, uri: str) -> Iterator[tuple[str, str]]:
        """The objects whose key starts with `uri`: the URI of each, and its path in a folder.

        As `download` has them; what ends in a slash stands for a folder.
        """
        bucket, prefix = split(uri)
        for found in self._found(bucket, prefix):
            name = relative(found.key, prefix)
            if name or not found.key.endswith("/"):
                yield f"s3://{bucket}/{found.key}", name

    def open(self, uri: str) -> IO[bytes]:
        """The content of an object, read as it is needed."""
        bucket, key = split(uri)
        try:
            content, _ = self._store.open(bucket, key)
        except AwsError as error:
            raise JobError(
                f"ClientError: cannot read {uri}: {_told(error, 'GetObject')}"
            ) from error
        return content

    def check_bucket(self, uri: str) -> None:
        """Raise `JobError` where the bucket of what is to be uploaded is not there."""
        bucket, _ = split(uri)
        if not self._store.has_bucket(bucket):
            raise JobError(
                f"ClientError: Artifact upload failed:Unable to upload file to {uri} "
                "(NoSuchBucket: The specified bucket does not exist)"
            )

    def upload(self, file: Path, uri: str) -> None:
        """Put one file to an S3 URI."""
        bucket, key = split(uri)
        try:
            with self._store.incoming() as copied:
                copy(file, copied)
                self._store.put(bucket, key, file=copied, details=None)
        except AwsError as error:
            raise JobError(
                f"ClientError: cannot upload to {uri}: {_told(error, 'PutObject')}"
            ) from error

    def upload_folder(self, folder: Path, uri: str) -> None:
        """Put every file below `folder` below an S3 prefix; links are not followed."""
        for file in files(folder):
            self.upload(file, join(uri, file.relative_to(folder).as_posix()))

    def _found(self, bucket: str, prefix: str) -> list[Found]:
        try:
            return list(self._store.walk(bucket, prefix=prefix))
        except AwsError as error:
            raise JobError(
                f"ClientError: cannot list s3://{bucket}/{prefix}: {_told(error, 'ListObjectsV2')}"
            ) from error


def _told(error: AwsError, operation: str) -> str:
    """An error as a client of S3 would have told it."""
    return (
        f"An error occurred ({error.code}) when calling the {operation} operation: {error.message}"
    )


def split(uri: str) -> tuple[str, str]:
    """The bucket and the key of an S3 URI, or of an object's address at AWS."""
    match = next(filter(None, (form.fullmatch(uri) for form in _FORMS)), None)
    if match is None:
        raise JobError(f"ClientError: {uri!r} is no S3 URI; it would be s3://bucket/key")
    return match[1], match[2] or ""


def join(uri: str, name: str) -> str:
    """The URI of `name` below a prefix that may end in a slash."""
    return f"{uri.rstrip('/')}/{name}"


def files(folder: Path) -> list[Path]:
    """Every regular file below `folder`, in the order of their names."""
    return sorted(
        each for each in folder.rglob("*") if each.is_file() and not _linked(each, folder)
    )


def relative(key: str, prefix: str) -> str:
    """Where the object `key` of the prefix `prefix` lands in the input's folder.

    SageMaker matches prefixes as text, so `train` finds `training/a.csv` too: what follows the
    last slash of such a prefix is kept.
    """
    if key == prefix and not key.endswith("/"):
        return PurePosixPath(key).name
    folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    return key.removeprefix(folder) if key.startswith(folder) else key[prefix.rfind("/") + 1 :]


def below(folder: Path, name: str, key: str) -> Path:
    """`name` inside `folder`; a key such as `../x` may not lead out of it."""
    target = folder / name.lstrip("/")
    if ".." in target.relative_to(folder).parts:
        raise JobError(f"ClientError: the S3 key {key!r} leads out of its input's folder")
    return target


def _linked(path: Path, folder: Path) -> bool:
    """Whether `path`, or a folder on the way to it, is a symbolic link."""
    return any(each.is_symlink() for each in (path, *path.parents) if folder in each.parents)


_BUCKET = "([A-Za-z0-9._-]{1,255}?)"
_AT_AWS = r"s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com(?:\.cn)?"

# SageMaker takes addresses in place of URIs; examples of AWS's write the model's so.
_FORMS = tuple(
    re.compile(form, re.DOTALL)
    for form in (
        rf"s3://{_BUCKET}(?:/(.*))?",
        rf"https://{_AT_AWS}/{_BUCKET}(?:/(.*))?",
        rf"https://{_BUCKET}\.{_AT_AWS}(?:/(.*))?",
    )
)
