"""`airflow-sm local`: the local AWS in the foreground."""

import json
import shlex
import signal
import socket
from pathlib import Path

import boto3

from tests.cli.conftest import DEFINITION, Command, read_until, started
from tests.cli.test_run import processes_with


def test_it_prints_variables_that_lead_to_it_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    options = ("--port", 0, "--root", "aws", "--seed", DEFINITION.parent)
    with started(tmp_path, "local", *options) as process:
        lines = read_until(process, "# Ctrl-C stops it and its jobs")
        exports = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
        variables = dict(text.split("=", 1) for text in exports)
        s3 = boto3.client(
            "s3",
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )
        assert s3.list_objects_v2(Bucket="work")["Contents"][0]["Key"] == "code/work.py"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert "AIRFLOW_CONN_AWS_DEFAULT" in variables
    assert any(line.startswith("# isolation of jobs: ") for line in lines)
    assert (process.returncode, stderr) == (0, "stopping the local AWS and its jobs\n")
    assert processes_with(str(tmp_path)) == []


def test_a_command_gets_the_variables_and_gives_its_exit_code(airflow_sm: Command) -> None:
    script = 'test -n "$AWS_ENDPOINT_URL" && exit 7'
    done = airflow_sm("local", "--port", "0", "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")


def test_a_command_finds_the_role_where_the_sdk_looks_for_it(airflow_sm: Command) -> None:
    look = ("cat", "/opt/ml/metadata/resource-metadata.json")
    done = airflow_sm("local", "--port", "0", "--", *look)
    role = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
    assert json.loads(done.stdout) == {"ExecutionRoleArn": role}


def test_whoever_opens_it_to_a_network_is_warned(airflow_sm: Command) -> None:
    done = airflow_sm("local", "--host", "0.0.0.0", "--port", "0", "--", "true")
    assert done.returncode == 0
    assert done.stderr.startswith("0.0.0.0: the local AWS runs code for whoever reaches it")


def test_a_port_that_is_taken_is_told_in_one_line(airflow_sm: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = airflow_sm("local", "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"port {port}: Address already in use")
    assert len(done.stderr.splitlines()) == 1


def test_doctor_tells_what_this_machine_can_do_and_how_to_get_more(
    airflow_sm: Command, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = airflow_sm("local", "doctor", "--port", port, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = " ".join(done.stdout.split())
    for title in (
        "Isolation of local jobs",
        "Containers",
        "Image environments",
        "Programs",
        "Disk",
    ):
        assert title in told
    assert "namespace works" in told
    assert "scikit-learn not made made when a job first needs it" in told
    assert "airflow-sm local prepare" in told
    assert f"{port} taken Address already in use" in told
    assert not (tmp_path / ".sm-local").exists()


def test_doctor_says_how_to_get_an_engine(airflow_sm: Command, tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\n")
    (tmp_path / "docker").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    told = " ".join(airflow_sm("local", "doctor", PATH=path, COLUMNS="300").stdout.split())
    assert f"docker works {tmp_path}/docker answers" in told
    assert "podman no there is no program podman on PATH; install it" in told


def test_prepare_makes_what_is_missing_and_leaves_what_is_there(
    airflow_sm: Command, tmp_path: Path
) -> None:
    (tmp_path / "config" / "airflow-sm-pipelines").mkdir(parents=True)
    file = tmp_path / "config" / "airflow-sm-pipelines" / "images.toml"
    file.write_text('[[image]]\nmatch = "mine"\nname = "mine"\nlock = "mine.txt"\n')
    (file.parent / "mine.txt").write_text("no-such-package-anywhere==1.0\n")
    variables = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "UV_OFFLINE": "1"}
    done = airflow_sm("local", "prepare", "mine", **variables)
    assert done.returncode == 1
    assert "mine: being made" in done.stdout
    assert "mine.txt: uv could not make the environment" in done.stderr
    (file.parent / "mine.txt").write_text("")
    done = airflow_sm(
        "local", "prepare", "mine", XDG_CACHE_HOME=str(tmp_path / "cache"), **variables
    )
    assert f"mine: {tmp_path}/cache/airflow-sm-pipelines/envs/mine-" in done.stdout
    done = airflow_sm(
        "local", "prepare", "mine", XDG_CACHE_HOME=str(tmp_path / "cache"), **variables
    )
    assert "mine: is ready" in done.stdout


def test_prepare_knows_the_images_by_the_names_of_their_rules(airflow_sm: Command) -> None:
    done = airflow_sm("local", "prepare", "xgbost")
    assert done.returncode == 2
    assert "xgbost: no image; did you mean 'xgboost'?; one of: scikit-learn-1.0," in done.stderr
