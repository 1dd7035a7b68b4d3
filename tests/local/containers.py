"""A training container without the engine: a directory as /opt/ml, the image's `train` in it."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.images import Images, Runtime
from airflow_sm_pipelines.local.sandbox import choose

DEADLINE_SECONDS = 60

RESOURCES: dict[str, object] = {
    "current_host": "algo-1",
    "current_instance_type": "ml.m5.large",
    "current_group_name": "homogeneousCluster",
    "hosts": ["algo-1"],
    "instance_groups": [
        {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.m5.large",
            "hosts": ["algo-1"],
        }
    ],
    "network_interface_name": "eth0",
}


@dataclass(frozen=True)
class Ended:
    """How a container ended, and what is in its /opt/ml."""

    code: int
    log: str
    ml: Path

    @property
    def failure(self) -> str:
        return (self.ml / "output" / "failure").read_text()

    @property
    def model(self) -> Path:
        return self.ml / "model" / "xgboost-model"

    def printed(self, word: str) -> object:
        """The JSON that the program printed after `word`."""
        line = next(line for line in self.log.splitlines() if line.startswith(f"{word} "))
        return json.loads(line.removeprefix(f"{word} "))


def our_images(folder: Path) -> Images:
    """Our own rules alone, with the environments that the user's cache may have already."""
    config = folder / "images.toml"
    config.touch()
    return Images(config=config)


def fill(
    ml: Path,
    hyperparameters: Mapping[str, str],
    files: Mapping[str, str],
    *,
    channels: Mapping[str, object] | None = None,
    resources: Mapping[str, object] = RESOURCES,
) -> None:
    """Write what the service puts below /opt/ml; `files` are by their paths there."""
    for name, content in files.items():
        path = ml / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    config = ml / "input" / "config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
    (config / "resourceconfig.json").write_text(json.dumps(dict(resources)))
    if channels is not None:
        (config / "inputdataconfig.json").write_text(json.dumps(dict(channels)))


def start(
    runtime: Runtime, ml: Path, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """The image's `train`, in a process group of its own."""
    assert runtime.train is not None
    return subprocess.Popen(
        choose().command(runtime.train, ml),
        env={
            **runtime.environment,
            "HOME": os.environ.get("HOME", "/"),
            "TRAINING_JOB_NAME": "my-job",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def end(process: "subprocess.Popen[str]", ml: Path) -> Ended:
    """Wait for the end of `process`."""
    log, _ = process.communicate(timeout=DEADLINE_SECONDS)
    return Ended(process.returncode, log, ml)
