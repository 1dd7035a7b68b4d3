"""Triggers in Airflow's own trigger runner, which is a process with one event loop."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

pytest.importorskip("airflow.executors.workloads.trigger", reason="the runner is that of 3.3")

RUNNER = Path(__file__).parents[2] / "benchmarks" / "triggerer" / "run.py"


class Sagemaker(BaseHTTPRequestHandler):
    """Answers DescribeTrainingJob: the credentials `old` have expired, with others it is done."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Authorization"].split("Credential=")[1].split("/")[0]
        self.asked.append(key)
        if key == "old":
            self._say(400, {"__type": "ExpiredTokenException", "message": "it has expired"})
        else:
            self._say(200, {"TrainingJobStatus": "Completed", "CreationTime": 1_767_225_600})

    def _say(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Sagemaker) as server,
        ThreadPoolExecutor(max_workers=1) as pool,
    ):
        pool.submit(server.serve_forever, poll_interval=0.05)
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def connection(url: str, key: str) -> dict[str, Any]:
    extra = {"endpoint_url": url, "region_name": "us-east-1"}
    return {
        "conn_type": "aws",
        "host": None,
        "login": key,
        "password": "secret",
        "schema": None,
        "port": None,
        "extra": json.dumps(extra),
    }


def test_expired_credentials_are_looked_up_again_through_the_triggerer(
    url: str, tmp_path: Path
) -> None:
    kwargs = {
        "step_type": "Training",
        "identifier": "job",
        "aws_conn_id": "rotated",
        "poll_seconds": 0.1,
    }
    trigger = {"classpath": "airflow_sm_pipelines.triggers.JobTrigger", "kwargs": kwargs}
    workload = {
        "triggers": [trigger],
        "connections": {"rotated": [connection(url, "old"), connection(url, "new")]},
        "seconds": 60,
    }
    done = subprocess.run(
        [sys.executable, RUNNER],
        input=json.dumps(workload),
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["failed"] == {}, done.stderr
    assert list(outcome["fired"].values()) == [{"identifier": "job", "status": "Completed"}]
    assert {"old", "new"} == set(Sagemaker.asked)
    assert "ExpiredTokenException" in done.stderr
    assert "TrainingJob job: Completed" in done.stderr
