"""What all tests share: a fixed language and time zone, an Airflow home of their own, a local AWS.

Airflow reads its settings while it is imported, so they are in place before any test module is.
Nothing here imports Airflow: the language's tests run without it.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_sm_pipelines.cli import home

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from airflow_sm_pipelines.local import LocalAWS

HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
FERNET_KEY = "0" * 43 + "="


def pytest_configure(config: pytest.Config) -> None:
    os.environ.update(LANG="C.UTF-8", TZ=os.environ.get("TEST_TZ", "UTC"))
    time.tzset()
    for name in [name for name in os.environ if name.startswith(("AWS_", "AIRFLOW"))]:
        del os.environ[name]
    dags = HOME / "dags"
    dags.mkdir()
    os.environ.update(home.airflow_environment(HOME, dags=dags, fernet_key=FERNET_KEY))
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    # Now, before any test makes Airflow open it: to copy over an open database damages it.
    if home.copy_database(HOME):
        home.note_migrated(HOME)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LocalAWS]":
    """A local AWS with the images that it has by default, and s3://bucket/model.tar.gz."""
    from airflow_sm_pipelines.cli import service_models
    from airflow_sm_pipelines.local import LocalAWS

    service_models.share()  # tests make clients by the dozen
    root = tmp_path_factory.mktemp("aws")
    (root / "s3" / "bucket").mkdir(parents=True)
    (root / "s3" / "bucket" / "model.tar.gz").touch()
    with LocalAWS(root, grace_seconds=1) as server:
        yield server


@pytest.fixture
def aws_environment(local_aws: "LocalAWS", monkeypatch: pytest.MonkeyPatch) -> "LocalAWS":
    """The local AWS, which boto3 and the connection aws_default lead to."""
    for name, value in local_aws.environment.items():
        monkeypatch.setenv(name, value)
    return local_aws


@pytest.fixture
def s3(aws_environment: "LocalAWS") -> "S3Client":
    """A client of the local AWS's S3."""
    import boto3

    return boto3.client("s3", endpoint_url=aws_environment.endpoint_url)
