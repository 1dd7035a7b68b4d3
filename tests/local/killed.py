"""A local AWS in a process of its own, which a test ends by `kill -9`, and what it is given."""

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import boto3

from tests.spark import mapped

from .conftest import IMAGE_MAP

SESSION: Any = boto3.Session("key", "secret", region_name="us-east-1")


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)


class Server:
    """A local AWS in a process of its own, which ends by kill -9."""

    def __init__(self, root: Path) -> None:
        config = root.parent / "airflow-sm-pipelines"
        if not config.exists():
            images = mapped(config)
            images.write_text(images.read_text() + IMAGE_MAP)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "airflow_sm_pipelines.local", "--root", str(root)],
            env={**os.environ, "XDG_CONFIG_HOME": str(root.parent)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout
        self._url = json.loads(self._process.stdout.readline())["endpoint_url"]

    def client(self, service: str) -> Any:
        return SESSION.client(service, endpoint_url=self._url)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        with self._process:
            pass


def code(answer: str) -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", f"def handler(event, context):\n    return {answer!r}\n")
    return {"ZipFile": packed.getvalue()}
