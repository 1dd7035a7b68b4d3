"""Writes the definition of each pipeline of this folder, with the SageMaker Python SDK v2.

    python build.py OUTPUT [NAME ...]

Uploads what the pipelines need to the S3 that AWS_ENDPOINT_URL leads to.
"""

import contextlib
import importlib
import sys
from pathlib import Path

import boto3
from sagemaker.workflow.pipeline_context import PipelineSession

HERE = Path(__file__).resolve().parent
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
BUCKET = "sagemaker-us-east-1-123456789012"


def main(output: Path, *names: str) -> None:
    """Build the pipelines of these names."""
    session = PipelineSession(
        boto_session=boto3.Session(region_name="us-east-1"),
        default_bucket=BUCKET,
        sagemaker_config={
            "SchemaVersion": "1.0",
            "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
        },
    )
    with contextlib.chdir(HERE):
        for name in names:
            pipeline = importlib.import_module(name).pipeline(session, ROLE, BUCKET)
            (output / f"{name}.json").write_text(pipeline.definition())


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
