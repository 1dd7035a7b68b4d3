"""An algorithm's container: configuration, channels, a place to say why it failed."""

import json
import sys
from pathlib import Path
from typing import Any

ML = Path("/opt/ml")
MODEL = ML / "model"
FAILURE = ML / "output" / "failure"


class ClientError(Exception):
    """The user's input is wrong: hyperparameters, channels or data. SageMaker's word for it."""


def read_config(name: str) -> dict[str, Any]:
    """A file of /opt/ml/input/config; one that is not there is empty."""
    path = ML / "input" / "config" / name
    if not path.exists():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def channel_path(name: str) -> Path:
    """The directory of a channel's files."""
    return ML / "input" / "data" / name


def fail(reason: str) -> int:
    """Leave `reason` where SageMaker reads it, and in the log; returns the exit code."""
    FAILURE.parent.mkdir(parents=True, exist_ok=True)
    FAILURE.write_text(reason, encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.write(f"{reason}\n")
    return 1
