"""What is there before the first request: a role, a bucket, objects of `local.toml` files."""

import re
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.objects import split

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client

FILE_NAME = "local.toml"
_TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": "sagemaker.amazonaws.com"}}]}'
)


def seed_role(account: Account, iam: "IAMClient") -> None:
    """Make the execution role where it is not there."""
    role = account.role_arn.rpartition("/")[2]
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=_TRUST)


def seed_objects(client: "S3Client", folder: Path) -> list[str]:
    """Upload what the `local.toml` files below `folder` name; the URIs, in order.

    Such a file has one table, `[objects]`: an S3 URI = a path relative to the file. Buckets are
    made where they are missing. All problems are raised at once, before anything is uploaded.
    """
    rows = [row for file in sorted(folder.rglob(FILE_NAME)) for row in _rows(file)]
    problems = [problem for row in rows if (problem := _problem(*row))]
    if problems:
        raise LocalError("\n".join(problems))
    for file, uri, path in rows:
        bucket, key = split(uri)
        _make_bucket(client, bucket)
        client.upload_file(str(file.parent / path), bucket, key)
    return [uri for _, uri, _ in rows]


def _rows(file: Path) -> list[tuple[Path, str, str]]:
    """The rows of a file's `[objects]` table, each with the file itself."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LocalError(f"{file}: not TOML: {error}") from error
    objects = document.pop("objects", {})
    if document or not isinstance(objects, dict):
        unknown = ", ".join(document) or "objects"
        raise LocalError(f"{file}: {unknown}: not known; it holds one table, [objects]")
    return [(file, uri, path) for uri, path in objects.items()]


def _problem(file: Path, uri: str, path: object) -> str:
    """What is wrong with a row, or ""."""
    where = f"{file}: objects.{uri!r}"
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.*[^/]", uri):
        return f"{where}: no S3 URI of an object; it would be s3://bucket/key"
    if not isinstance(path, str):
        return f"{where}: {path!r} is no path; it would be a string"
    if not (file.parent / path).is_file():
        return f"{where}: there is no file {file.parent / path}; paths are relative to {file.name}"
    return ""


def _make_bucket(client: "S3Client", bucket: str) -> None:
    region = client.meta.region_name
    where = {} if region == "us-east-1" else {"LocationConstraint": region}
    with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        if where:
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)  # type: ignore[arg-type]
        else:  # us-east-1 is refused as a LocationConstraint
            client.create_bucket(Bucket=bucket)
