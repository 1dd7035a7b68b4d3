"""`airflow-sm run`: what a user sees, the exit codes, and that nothing is left running."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.cli.conftest import DEFINITION, Command, started

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

WAIT_SECONDS = 120


def wait_for(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not claim():
        assert time.monotonic() < deadline, f"{what}: not within {WAIT_SECONDS} s"
        time.sleep(0.1)


def processes_with(words: str) -> list[str]:
    """The command lines, of all processes, that have `words` in them."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if words in line and entry.name != str(os.getpid()):
            found.append(line)
    return found


def jobs(endpoint_url: str) -> list[str]:
    session = boto3.Session("key", "secret", region_name="us-east-1")
    sagemaker = session.client("sagemaker", endpoint_url=endpoint_url)
    summaries = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    return [summary["ProcessingJobStatus"] for summary in summaries]


def test_a_run_that_succeeds_tells_each_change_and_what_came_out(
    airflow_sm: Command, tmp_path: Path
) -> None:
    done = airflow_sm("run", DEFINITION, "-p", "Seconds=0.1", COLUMNS="300")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    changes = [
        line.split()[1:3] for line in lines if line[:2].isdigit() and " starting" not in line
    ]
    assert changes == [
        ["Work", "running"],
        ["Work", "success"],
        ["Model", "running"],
        ["Model", "success"],
    ]
    assert "s3://work/result" in done.stdout
    assert "arn:aws:sagemaker:us-east-1:123456789012:model/" in done.stdout
    assert done.stderr == ""
    (run,) = (tmp_path / ".sm-local" / "runs").iterdir()
    (log,) = run.glob("jobs/*Work*/log.txt")
    assert "at work" in log.read_text()
    assert "Task started" in (run / "airflow.log").read_text()


def test_a_failing_step_is_exit_1_with_its_reason_and_the_end_of_its_log(
    airflow_sm: Command,
) -> None:
    done = airflow_sm("run", DEFINITION, "-p", "Exit=3", NO_COLOR="1")
    assert done.returncode == 1, done.stdout + done.stderr
    first, *rest = done.stderr.splitlines()
    assert first.startswith("Work: ProcessingJob pipelines-")
    assert first.endswith(" is Failed: AlgorithmError: this went wrong, exit code: 3")
    assert rest == ["the last lines of its log:", "  at work", "  this went wrong", ""]
    states = [line.split()[:2] for line in done.stdout.splitlines()]
    assert ["Model", "upstream_failed"] in states


def test_ctrl_c_stops_the_job_and_the_local_aws_and_is_exit_130(tmp_path: Path) -> None:
    with started(tmp_path, "run", DEFINITION, "-p", "Seconds=611.5") as process:
        wait_for(lambda: bool(processes_with("work.py --seconds 611.5")), "the job runs")
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 130
    assert "interrupted; stopping the jobs of this run" in stderr
    assert "Work           interrupted" in stdout
    assert processes_with("work.py --seconds 611.5") == []
    assert processes_with(str(tmp_path)) == []


def test_the_death_of_the_command_line_ends_its_local_aws(tmp_path: Path) -> None:
    with started(tmp_path, "run", DEFINITION) as process:
        wait_for(lambda: bool(processes_with("--until-stdin-closes --root " + str(tmp_path))), "up")
        process.kill()
        process.communicate()
    wait_for(lambda: not processes_with(str(tmp_path)), "all has ended")


@pytest.fixture
def other_aws(tmp_path: Path) -> "Iterator[LocalAWS]":
    """A local AWS with no jobs but this test's."""
    from airflow_sm_pipelines.local import LocalAWS

    with LocalAWS(tmp_path / "aws", grace_seconds=1) as server:
        yield server


def test_ctrl_c_stops_the_jobs_behind_a_connection(tmp_path: Path, other_aws: "LocalAWS") -> None:
    seed(other_aws)
    connection = {"AIRFLOW_CONN_OTHER": other_aws.environment["AIRFLOW_CONN_AWS_DEFAULT"]}
    role = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
    options = ("-p", "Seconds=612.5", "--connection", "other", "--role-arn", role)
    with started(tmp_path, "run", DEFINITION, *options, **connection) as process:
        wait_for(lambda: "InProgress" in jobs(other_aws.endpoint_url), "the job runs")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 130
    assert "stopped pipelines-" in stderr
    wait_for(lambda: "Stopped" in jobs(other_aws.endpoint_url), "the job is stopped")


def seed(aws: "LocalAWS") -> None:
    from airflow_sm_pipelines.cli.seeding import seed

    seed(aws.environment, DEFINITION.parent)


def test_wrong_parameters_are_refused_all_at_once_before_anything_starts(
    airflow_sm: Command, tmp_path: Path
) -> None:
    given = ("Secnods=1", "Exit=much", "Mode=lazy", "Mode")
    options = [word for text in given for word in ("-p", text)]
    done = airflow_sm("run", DEFINITION, *options)
    assert done.returncode == 2
    assert done.stdout == ""
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == [
        "-p Mode",
        "parameter Secnods",
        "parameter Exit",
        "parameter Mode",
    ]
    assert "did you mean 'Seconds'?" in done.stderr
    assert not (tmp_path / ".sm-local").exists()


def test_all_problems_of_the_definition_are_exit_1(airflow_sm: Command, tmp_path: Path) -> None:
    definition = json.loads(DEFINITION.read_text())
    definition["Steps"][0]["Type"] = "Procesing"
    definition["Steps"][1]["DependsOn"] = ["Wrok"]
    file = tmp_path / "broken.json"
    file.write_text(json.dumps(definition))
    done = airflow_sm("run", file)
    assert done.returncode == 1
    assert f"{file}: $.Steps[0].Type: " in done.stderr
    assert not (tmp_path / ".sm-local").exists()


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_definition_that_cannot_be_read_is_exit_2(airflow_sm: Command, name: str) -> None:
    done = airflow_sm("run", name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: ")
    assert len(done.stderr.splitlines()) == 1
