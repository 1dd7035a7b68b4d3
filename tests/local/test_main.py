"""The local AWS as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from .calls import IMAGE, TEST_SECONDS, resources, until
from .conftest import IMAGE_MAP

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    processes = []
    config = tmp_path / "config" / "airflow-sm-pipelines" / "images.toml"
    config.parent.mkdir(parents=True)
    config.write_text(IMAGE_MAP)

    def started(*arguments: str, **environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "airflow_sm_pipelines.local", *arguments],
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def announced(process: "subprocess.Popen[str]") -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_it_prints_where_it_is_as_one_line_of_json_when_it_answers(
    start: Start, tmp_path: Path
) -> None:
    process = start("--root", str(tmp_path / "root"))
    line = announced(process)
    assert set(line) == {"endpoint_url", "isolation", "root", "environment"}
    assert line["root"] == str(tmp_path / "root")
    assert line["environment"]["AWS_ENDPOINT_URL"] == line["endpoint_url"]
    with urllib.request.urlopen(line["endpoint_url"]) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    "variable",
    ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"],
)
def test_the_users_own_aws_configuration_does_not_matter(
    start: Start, tmp_path: Path, variable: str
) -> None:
    # As the name of a profile it is not there, as a file it is broken.
    broken = tmp_path / "broken"
    broken.write_text("[default\n")
    line = announced(start("--root", str(tmp_path / "root"), **{variable: str(broken)}))
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    # moto's EMR lists regions when it is imported.
    emr = session.client("emr", endpoint_url=line["endpoint_url"])
    assert emr.list_clusters()["Clusters"] == []
    # moto looks for the name of an error among the services.
    sqs = session.client("sqs", endpoint_url=line["endpoint_url"])
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="nobody")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_jobs(start: Start, tmp_path: Path, number: int) -> None:
    process = start("--root", str(tmp_path / "root"))
    run_sleeping_job(announced(process)["endpoint_url"])
    until(lambda: job(tmp_path), lambda record: "ProcessingStartTime" in record)
    process.send_signal(number)
    assert process.wait(TEST_SECONDS) == 0
    assert job(tmp_path)["ProcessingJobStatus"] == "Stopped"


def test_it_ends_with_its_standard_input_when_asked_to(start: Start, tmp_path: Path) -> None:
    process = start("--root", str(tmp_path / "root"), "--until-stdin-closes")
    announced(process)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(TEST_SECONDS) == 0


def test_what_keeps_it_from_starting_is_one_line(start: Start, tmp_path: Path) -> None:
    announced(start("--root", str(tmp_path / "root")))
    second = start("--root", str(tmp_path / "root"))
    assert second.wait(TEST_SECONDS) == 2
    assert second.stderr is not None
    assert second.stderr.read() == (
        f"{tmp_path / 'root'}: another local AWS uses it; give this one its own\n"
    )


def run_sleeping_job(endpoint_url: str) -> None:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    session.client("sagemaker", endpoint_url=endpoint_url).create_processing_job(
        ProcessingJobName="sleeps",
        RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        ProcessingResources={"ClusterConfig": resources()},
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["sleep", "600"]},
    )


def job(tmp_path: Path) -> Any:
    record = json.loads((tmp_path / "root/jobs/sleeps/job.json").read_text())
    return record["Description"]
