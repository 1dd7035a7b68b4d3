"""The pipelines of `pipelines/`, built with the real SDK against the local AWS of the tests."""

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.runs.conftest import (  # noqa: F401 (fixtures of these tests too)
    airflow_database,
    pipelines,
    run_pipeline,
)

from .churn import customers

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SDK_PYTHON = ROOT / ".venvs" / "sdk" / "bin" / "python"
BUCKET = "sagemaker-us-east-1-123456789012"
NAMES = ("abalone_batch", "churn_tuning", "approval", "bias")


@pytest.fixture(scope="session")
def definitions(local_aws: "LocalAWS", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the definitions; what they need is in S3."""
    if not SDK_PYTHON.exists():
        reason = ".venvs/sdk is missing: `make sdk` makes it"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("definitions")
    scratch = tmp_path_factory.mktemp("scratch")
    environment = {**local_aws.environment, "HOME": str(scratch), "TMPDIR": str(scratch)}
    built = subprocess.run(
        [SDK_PYTHON, HERE / "pipelines" / "build.py", folder, *NAMES],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def s3(aws_environment: "LocalAWS") -> Any:
    """A client of S3, where the data of the examples is."""
    client = boto3.client("s3")
    abalone = ROOT / "dags" / "pipelines" / "abalone" / "data" / "abalone.csv"
    client.put_object(Bucket=BUCKET, Key="examples/abalone.csv", Body=abalone.read_bytes())
    client.put_object(Bucket=BUCKET, Key="examples/churn.csv", Body=customers().encode())
    return client
