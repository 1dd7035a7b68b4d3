"""What the command line does where the extra `local` is not installed."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "dags" / "pipelines" / "abalone" / "definition.json"
WITHOUT = """
import sys
for name in ("moto", "flask", "flask_cors", "uv", "werkzeug"):
    sys.modules[name] = None
from airflow_sm_pipelines.cli import main
main()
"""


def without_extra(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_check_needs_no_extra(tmp_path: Path) -> None:
    assert without_extra("check", str(EXAMPLE), folder=tmp_path).returncode == 0


@pytest.mark.parametrize("command", [["local"], ["run", str(EXAMPLE)], ["up", "--dags", "."]])
def test_what_to_install_is_told(command: list[str], tmp_path: Path) -> None:
    done = without_extra(*command, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "the local AWS needs moto, flask, flask_cors, uv; "
        "pip install 'airflow-sm-pipelines[local]', or name an AWS with --connection"
    )
