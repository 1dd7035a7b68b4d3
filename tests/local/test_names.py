"""The names that the package offers, loaded on first use."""

import subprocess
import sys

import pytest

from airflow_sm_pipelines import local


@pytest.mark.parametrize("name", local.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(local, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'LocalGCP'"):
        _ = local.LocalGCP


def test_importing_the_package_loads_neither_moto_nor_botocore() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"


PROGRAM = """
import sys
import airflow_sm_pipelines.local
print([name for name in ("moto", "botocore", "flask", "airflow") if name in sys.modules])
"""
