"""`airflow-sm check`: all problems of all files, one a line, without Airflow."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import AIRFLOW_SM, DEFINITION, Command, environment

STEP = {"Name": "A", "Type": "Trainign", "Arguments": {}}


def write(folder: Path, name: str, definition: object) -> Path:
    file = folder / name
    file.write_text(json.dumps(definition), encoding="utf-8")
    return file


def wrong(folder: Path, name: str = "wrong.json", version: str = "2020-12-01") -> Path:
    return write(folder, name, {"Version": version, "Steps": [STEP]})


def test_a_right_definition_is_exit_0(airflow_sm: Command) -> None:
    done = airflow_sm("check", DEFINITION)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "1 checked, no problems"
    assert done.stdout.startswith(f"{DEFINITION}: ")
    assert " features: " in done.stdout


def test_problems_of_all_files_are_told_one_a_line(airflow_sm: Command, tmp_path: Path) -> None:
    first, second = wrong(tmp_path, "first.json"), wrong(tmp_path, "second.json", "1999")
    done = airflow_sm("check", first, second, DEFINITION, "--no-report")
    *lines, total = done.stdout.splitlines()
    assert done.returncode == 1
    assert any(
        line.startswith(f"{first}: $.Steps[0].Type: ") and "did you mean 'Training'?" in line
        for line in lines
    )
    assert any(line.startswith(f"{second}: $.Version: ") for line in lines)
    assert all(line.startswith((f"{first}: $", f"{second}: $")) for line in lines)
    assert total == "3 checked, 3 problems"


def test_what_aws_refuses_is_told(airflow_sm: Command, tmp_path: Path) -> None:
    step = {"Name": "A", "Type": "Training", "Arguments": {"ResourceConfg": {}}}
    file = write(tmp_path, "definition.json", {"Version": "2020-12-01", "Steps": [step]})
    done = airflow_sm("check", file)
    assert done.returncode == 1
    assert f"{file}: $.Steps[0].Arguments.ResourceConfg: " in done.stdout


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
    done = airflow_sm("check", "--no-report", name, DEFINITION)
    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        f"{name}: {told}",
        "2 checked, no problems, 1 not readable",
    ]


def test_the_worst_of_all_files_is_the_exit_code(airflow_sm: Command, tmp_path: Path) -> None:
    file = wrong(tmp_path)
    assert airflow_sm("check", file, "absent.json", DEFINITION).returncode == 2
    assert airflow_sm("check", DEFINITION, file).returncode == 1


def test_standard_input_is_checked(tmp_path: Path) -> None:
    done = subprocess.run(
        [*AIRFLOW_SM, "check", "-", "--no-report"],
        input=wrong(tmp_path).read_bytes(),
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith(b"-: $.Steps[0].Type: ")


def test_the_whole_report_is_an_option(airflow_sm: Command) -> None:
    whole = airflow_sm("check", DEFINITION, "--report").stdout
    assert "  same " in whole
    assert "docs/semantics.md#processing" in whole
    assert "  same " not in airflow_sm("check", DEFINITION).stdout


@pytest.mark.parametrize(("option", "has"), [((), True), (("--no-report",), False)])
def test_json_is_one_document(
    airflow_sm: Command, tmp_path: Path, option: tuple[str, ...], has: bool
) -> None:
    done = airflow_sm("check", "--format", "json", wrong(tmp_path), DEFINITION, *option)
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert document["summary"]["problems"] == 1
    assert [("report" in file) for file in document["files"]] == [has, has]


def test_sarif_has_addresses_below_the_working_directory(
    airflow_sm: Command, tmp_path: Path
) -> None:
    wrong(tmp_path)
    done = airflow_sm("check", "--format", "sarif", "wrong.json")
    (run,) = json.loads(done.stdout)["runs"]
    (result,) = run["results"]
    assert done.returncode == 1
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "wrong.json"


def terminal_output(folder: Path, **variables: str) -> str:
    """What the command writes where its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*AIRFLOW_SM, "check", "wrong.json"],
        cwd=folder,
        env=environment({"TERM": "xterm-256color", **variables}),
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b""
        while chunk := _read(ours):
            written += chunk
        process.wait()
    os.close(ours)
    return written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # Linux answers so when the other end is closed
        return b""


def test_colours_are_for_terminals_that_want_them(airflow_sm: Command, tmp_path: Path) -> None:
    wrong(tmp_path)
    assert "\x1b[" in terminal_output(tmp_path)
    assert "\x1b[3" not in terminal_output(tmp_path, NO_COLOR="1")
    assert "\x1b" not in airflow_sm("check", "wrong.json").stdout


def test_a_line_stays_one_line_in_a_pipe(airflow_sm: Command, tmp_path: Path) -> None:
    step = {"Name": "A", "Type": "x" * 3_000, "Arguments": {}}
    file = write(tmp_path, "long.json", {"Version": "2020-12-01", "Steps": [step]})
    assert len(airflow_sm("check", file).stdout.splitlines()) == 2


def test_the_command_line_starts_and_checks_without_what_costs_time() -> None:
    code = (
        "import sys; from airflow_sm_pipelines.cli import app; "
        "names = {'airflow', 'boto3', 'botocore', 'moto'}; print(names & set(sys.modules)); "
        f"app(['check', {str(DEFINITION)!r}], standalone_mode=False); "
        "print(names & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    started, *_, checked = done.stdout.splitlines()
    assert (started, checked) == ("set()", "{'botocore'}")
