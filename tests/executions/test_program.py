"""The program of an execution, and the servers that can start one.

Whole executions are in `tests/clients/`, started by the SDK.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.cli.background import LocalProcess
from airflow_sm_pipelines.executions.runner import AirflowRunner
from airflow_sm_pipelines.testing.host import Host

COMMAND = [*AirflowRunner().command]


def order(folder: Path, definition: str = '{"Version": "2020-12-01", "Steps": []}') -> None:
    pipeline = {"PipelineName": "Abalone", "PipelineDefinition": definition}
    (folder / "pipeline.json").write_text(json.dumps(pipeline))
    started = "2026-02-03T04:05:06.789000+00:00"
    again = {"Kept": {}, "Skipped": [], "Times": 0}
    text = json.dumps({"StartTime": started, "Parameters": {}, **again})
    (folder / "order.json").write_text(text)


@contextmanager
def program(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [*COMMAND, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_ends_at_once_when_its_server_has_ended(tmp_path: Path) -> None:
    order(tmp_path)
    with program(tmp_path) as process:
        out, _ = process.communicate()  # its standard input closes
        assert (process.returncode, out) == (1, b"")


def test_it_ends_when_it_is_stopped_before_there_is_a_run(tmp_path: Path) -> None:
    order(tmp_path)
    with program(tmp_path) as process:
        assert process.stdin
        while not (tmp_path / "work").exists():  # from now on it imports Airflow
            process.poll()
        process.terminate()
        assert process.wait() == 143
        assert process.stdout
        assert process.stdout.read() == b""


def test_it_tells_what_keeps_a_definition_from_being_run(tmp_path: Path) -> None:
    order(tmp_path, '{"Version": "1", "Steps": []}')
    with program(tmp_path) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert process.wait() == 0
    assert told["Status"] == "Failed"
    assert "$.Version" in told["Reason"]


def asked(url: str) -> str:
    """What a server answers to a start of a pipeline that it does not have."""
    client: Any = boto3.Session("key", "secret", region_name="us-east-1").client
    with pytest.raises(ClientError) as refused:
        client("sagemaker", endpoint_url=url).start_pipeline_execution(PipelineName="nothing")
    return str(refused.value.response["Error"]["Code"])


def test_the_server_of_up_and_run_can_start_one(tmp_path: Path) -> None:
    local = LocalProcess(root=tmp_path / "aws", log=tmp_path / "log.txt")
    local.start()
    try:
        assert asked(local.wait_until_ready().endpoint_url) == "ResourceNotFound"
    finally:
        local.stop()


def test_the_server_of_tests_can_start_one(tmp_path: Path) -> None:
    host = Host()
    try:
        assert asked(host.answer({"Root": str(tmp_path)})["EndpointUrl"]) == "ResourceNotFound"
    finally:
        host.answer({})
