"""Executions of a server that was killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.executions.engine import DIED
from tests.local.calls import until

from .conftest import WAIT, SmallRunner, began, begun, client_at, client_of, created, has_begun

SERVER = """if True:
    from airflow_sm_pipelines.local.__main__ import main
    from tests.local.executions.conftest import SmallRunner
    main(SmallRunner())"""


def with_argument(text: str) -> list[int]:
    """The processes that have a text among their arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if text.encode() in arguments:
            found.append(int(entry.name))
    return found


def test_what_was_in_progress_has_failed_and_its_program_has_ended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "aws"
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, "--root", str(root)], stdout=subprocess.PIPE
    ) as server:
        try:
            assert server.stdout
            sm = client_at(json.loads(server.stdout.readline())["endpoint_url"])
            pipeline = created(sm)
            arn = begun(sm, pipeline, began("First"), WAIT)
            has_begun(sm, arn, "First")
            folder = root / "executions" / arn.rpartition("/")[2]
            assert len(with_argument(str(folder))) == 1
        finally:
            os.kill(server.pid, signal.SIGKILL)
    until(lambda: with_argument(str(folder)), lambda found: not found)
    (root / "executions" / "damaged").mkdir()
    (root / "executions" / "damaged" / "execution.json").write_text("{")
    with LocalAWS(root, runner=SmallRunner()) as again:
        sm = client_of(again)
        described = sm.describe_pipeline_execution(PipelineExecutionArn=arn)
        listed = sm.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert not (folder / "work").exists()
    assert (described["PipelineExecutionStatus"], described["FailureReason"]) == ("Failed", DIED)
    assert [each["PipelineExecutionArn"] for each in listed] == [arn]
    assert "damaged/execution.json: left out: it cannot be read" in caplog.text
