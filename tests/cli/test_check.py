"""`airflow-sm check`: all problems of all files, one a line, without Airflow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import DEFINITION, Command


def write(folder: Path, name: str, definition: object) -> Path:
    file = folder / name
    file.write_text(json.dumps(definition), encoding="utf-8")
    return file


def test_a_right_definition_is_exit_0(airflow_sm: Command) -> None:
    done = airflow_sm("check", DEFINITION)
    assert (done.returncode, done.stdout) == (0, "1 checked, no problems\n")


def test_problems_of_all_files_are_told_one_a_line(airflow_sm: Command, tmp_path: Path) -> None:
    step = {"Name": "A", "Type": "Trainign", "Arguments": {}}
    first = write(tmp_path, "first.json", {"Version": "2020-12-01", "Steps": [step]})
    second = write(tmp_path, "second.json", {"Version": "1999", "Steps": [step]})
    done = airflow_sm("check", first, second, DEFINITION)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert any(
        line.startswith(f"{first}: $.Steps[0].Type: ") and "did you mean 'Training'?" in line
        for line in lines
    )
    assert any(line.startswith(f"{second}: $.Version: ") for line in lines)
    assert all(line.startswith((f"{first}: $", f"{second}: $")) for line in lines)


def test_a_file_that_is_not_json_is_a_problem(airflow_sm: Command, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text("{", encoding="utf-8")
    done = airflow_sm("check", file)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{file}: $: ")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("absent.json", "No such file or directory; name the definition's JSON file"),
        (".", "is a folder; name the definition's JSON file"),
    ],
)
def test_a_file_that_cannot_be_read_is_exit_2(airflow_sm: Command, name: str, told: str) -> None:
    done = airflow_sm("check", name, DEFINITION)
    assert (done.returncode, done.stdout) == (2, f"{name}: {told}\n")


def test_the_command_line_starts_and_checks_without_what_costs_time() -> None:
    code = (
        "import sys; from airflow_sm_pipelines.cli import app; "
        f"app(['check', {str(DEFINITION)!r}], standalone_mode=False); "
        "print({'airflow', 'boto3', 'botocore', 'moto'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
