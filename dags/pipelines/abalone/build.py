"""Writes what a pipeline of the SageMaker Python SDK emits to `definition.json`.

Copy it beside a `pipeline.py` of your own that ends in `build(get_pipeline)`. Beside the definition
goes `local.toml`: which file of the folder has to be which S3 object before the definition runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import boto3
from sagemaker.s3 import S3Uploader
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession

HERE = Path(__file__).resolve().parent
REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "sagemaker-us-east-1-123456789012"


def build(get_pipeline: Callable[[PipelineSession, str, str], Pipeline]) -> None:
    """Upload the scripts and `data/*.csv`, then write `definition.json` and `local.toml`."""
    arguments = parse_arguments()
    boto_session = boto3.Session(region_name=arguments.region)
    uploads = record_uploads(boto_session)
    session = PipelineSession(
        boto_session=boto_session,
        default_bucket=arguments.bucket,
        # Given here, so that no SDK defaults of this machine find their way into the definition.
        sagemaker_config={
            "SchemaVersion": "1.0",
            "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
        },
    )
    # The SDK hashes a script's path together with its content to make the S3 key: with paths
    # relative to this folder the key is the same on every machine.
    with contextlib.chdir(HERE):
        pipeline = get_pipeline(session, arguments.role, arguments.bucket)
        definition = json.loads(pipeline.definition())
        data_uri = f"s3://{arguments.bucket}/{pipeline.name}/data"
        for file in sorted(Path("data").glob("*.csv")):
            S3Uploader.upload(str(file), data_uri, sagemaker_session=session)
        files = {uri: local_path(boto_session, uri) for uri in sorted(uploads)}
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "definition.json").write_text(json.dumps(definition, indent=2) + "\n")
    (arguments.output / "local.toml").write_text(local_toml(files))
    print(f"Wrote definition.json and local.toml to {arguments.output}")


def parse_arguments() -> argparse.Namespace:
    """The command line; its defaults are placeholders that exist in the local AWS."""
    parser = argparse.ArgumentParser(description="Build the pipeline's definition.")
    parser.add_argument("--role", default=ROLE, help="role ARN of the jobs (%(default)s)")
    parser.add_argument("--bucket", default=BUCKET, help="bucket of code and data (%(default)s)")
    parser.add_argument("--region", default=REGION, help="AWS region (%(default)s)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to")
    arguments = parser.parse_args()
    if arguments.bucket == BUCKET and "AWS_ENDPOINT_URL" not in os.environ:
        parser.error(f"{BUCKET} is a placeholder: set AWS_ENDPOINT_URL to a local AWS, or --bucket")
    return arguments


def record_uploads(boto_session: boto3.Session) -> set[str]:
    """The S3 URIs that `boto_session` writes to from now on, filled as it does."""
    uris: set[str] = set()

    def record(params: dict[str, str], **_: object) -> None:
        uris.add(f"s3://{params['Bucket']}/{params['Key']}")

    for operation in ("PutObject", "CreateMultipartUpload"):
        boto_session.events.register(f"provide-client-params.s3.{operation}", record)
    return uris


def local_path(boto_session: boto3.Session, uri: str) -> str:
    """The file below this folder that was uploaded to `uri`: same name, same content."""
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    content = boto_session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    for file in sorted(Path().rglob(Path(key).name)):
        if file.read_bytes() == content:
            return file.as_posix()
    raise SystemExit(f"{uri}: uploaded, but no file below {HERE} has its name and content")


def local_toml(files: dict[str, str]) -> str:
    """`local.toml`: which file to put where before the definition runs on the local AWS."""
    header = "# Written by build.py: the objects that definition.json reads, and their files."
    lines = [f'"{uri}" = "{path}"' for uri, path in files.items()]
    return "\n".join([header, "[objects]", *lines, ""])
