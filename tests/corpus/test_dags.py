"""Real definitions as DAGs: each that is read is built, and to the same bytes every time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.corpus.conftest import name_of
from tests.corpus.review import reviewed
from tests.definition.cases import DEFINITIONS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def lines(hash_seed: str) -> dict[str, str]:
    """Definition -> digest of its stored DAG, from a process of its own."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "SM_PIPELINES_DEFINITIONS": str(DEFINITIONS),
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.corpus.serialized"],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(each.split("\t") for each in done.stdout.splitlines() if "\t" in each)


def test_every_definition_that_is_read_becomes_the_same_dag_in_every_process(
    files: list[Path],
) -> None:
    first, second = lines("1"), lines("2")
    assert first == second
    assert first.keys() == {name_of(file) for file in files}
    refused = {name for name, digest in first.items() if digest == "refused"}
    assert refused <= reviewed(files).keys()
