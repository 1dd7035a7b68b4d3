"""The command line as users have it: a process in a folder of the test's own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

DEFINITION = Path(__file__).parent / "definitions" / "work" / "definition.json"
AIRFLOW_SM = [sys.executable, "-c", "from airflow_sm_pipelines.cli import main; main()"]

Process = subprocess.Popen[str]
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def airflow_sm(tmp_path: Path) -> Command:
    """Runs `airflow-sm` in a folder of the test's own and gives what it printed."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*AIRFLOW_SM, *map(str, arguments)],
            cwd=tmp_path,
            env=environment(variables),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@contextmanager
def started(folder: Path, *arguments: object, **variables: str) -> Iterator[Process]:
    """A running `airflow-sm`, which is killed where the test has not ended it."""
    with subprocess.Popen(
        [*AIRFLOW_SM, *map(str, arguments)],
        cwd=folder,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: Process, last: str) -> list[str]:
    """The lines that a process prints, up to the line `last`; fails where it ends before that."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or lines[-1] != last:
        line = process.stdout.readline()
        assert line, f"ended without {last!r}: {lines} {process.stderr and process.stderr.read()}"
        lines.append(line.rstrip("\n"))
    return lines


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's variables without what leads Airflow to the home of the tests."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return {**own, **variables}
