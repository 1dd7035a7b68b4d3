"""S3 as the job engine uses it: prefixes become folders, folders become objects."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from airflow_sm_pipelines.local.errors import JobError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Objects:
    """Moves files between the local S3 and the folder of a job."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def exist(self, uri: str) -> bool:
        """Whether the key of any object starts with this URI; a bucket must not be there."""
        bucket, prefix = split(uri)
        try:
            page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        except self._client.exceptions.NoSuchBucket:
            return False
        return "Contents" in page

    def download(self, uri: str, folder: Path) -> int:
        """Copy every object whose key starts with `uri` into `folder`; the number of files.

        The prefix is stripped; a URI that is itself the key of an object gives a file of that name.
        """
        bucket, prefix = split(uri)
        count = 0
        for key in self._keys(bucket, prefix):
            target = _below(folder, relative(key, prefix), key)
            if key.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                shutil.copyfileobj(self._client.get_object(Bucket=bucket, Key=key)["Body"], file)
            count += 1
        return count

    def upload(self, file: Path, uri: str) -> None:
        """Put one file to an S3 URI."""
        bucket, key = split(uri)
        try:
            with file.open("rb") as body:
                self._client.put_object(Bucket=bucket, Key=key, Body=body)
        except ClientError as error:
            raise JobError(f"ClientError: cannot upload to {uri}: {error}") from error

    def upload_folder(self, folder: Path, uri: str) -> None:
        """Put every file below `folder` below an S3 prefix; links are not followed."""
        for file in files(folder):
            self.upload(file, join(uri, file.relative_to(folder).as_posix()))

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        more: dict[str, Any] = {}
        while True:
            try:
                page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix, **more)
            except ClientError as error:
                where = f"s3://{bucket}/{prefix}"
                raise JobError(f"ClientError: cannot list {where}: {error}") from error
            yield from (each["Key"] for each in page.get("Contents", ()))
            if not page["IsTruncated"]:
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}


def split(uri: str) -> tuple[str, str]:
    """The bucket and the key of an S3 URI."""
    match = re.fullmatch(r"s3://([A-Za-z0-9._-]{1,255})(?:/(.*))?", uri, re.DOTALL)
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


def _below(folder: Path, name: str, key: str) -> Path:
    """`name` inside `folder`; a key such as `../x` may not lead out of it."""
    target = folder / name.lstrip("/")
    if ".." in target.relative_to(folder).parts:
        raise JobError(f"ClientError: the S3 key {key!r} leads out of its input's folder")
    return target


def _linked(path: Path, folder: Path) -> bool:
    """Whether `path`, or a folder on the way to it, is a symbolic link."""
    return any(each.is_symlink() for each in (path, *path.parents) if folder in each.parents)
