from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.s3.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "s3")
    made.create_bucket("bucket")
    yield made
    made.close()


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> Path:
    """The folder of the bucket."""
    return tmp_path / "s3" / "bucket"
