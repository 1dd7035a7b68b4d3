"""Commands that run for a service other than SageMaker: no /opt/ml, but as bounded as a job.

A command has an explicit environment, a process group of its own, and ends with the server.
"""

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.images import ImageError, Images, Runtime
from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.sandbox import apart

_LAUNCHER = Path(__file__).parents[1] / "launch.py"

# All that a command sees of the shell that started the local AWS.
_PASSED_ON = ("HOME", "LANG", "TZ", "JAVA_HOME", "SPARK_HOME")


class Commands:
    """What commands run in; `environment` is what every one gets, `images` has the Pythons."""

    def __init__(self, images: Images, environment: Mapping[str, str]) -> None:
        self.images = images
        self._environment = environment

    def mapped(self, image_uri: str) -> Runtime | None:
        """The runtime that the user's own rules give an image, or None where they give none.

        One that does not run is a `JobError`. Containers stand for images only.
        """
        rule = self.images.own(image_uri)
        return None if rule is None or rule.container else self.runtime(image_uri)

    def runtime(self, image_uri: str) -> Runtime:
        """The runtime of an image, made if need be; a `JobError` says why there is none."""
        try:
            return self.images.runtime(image_uri)
        except ImageError as error:
            raise JobError(str(error)) from error

    def environment(self, **more: str) -> dict[str, str]:
        """The whole environment of a command: nothing else reaches it."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return {**passed_on, "PYTHONUNBUFFERED": "1", "PATH": _PATH, **self._environment, **more}


class Command:
    """One command from its start to its end, which `terminate` hastens from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._grace_seconds: float | None = None

    def run(
        self, argv: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> int:
        """Run it to its end in a folder; its exit code. What it prints is added to `log`."""
        launcher = [
            sys.executable,
            "-I",
            "-S",
            str(_LAUNCHER),
            "nothing",
            str(folder),
            *apart(),
            "--",
        ]
        with self._lock:
            if self._grace_seconds is not None:
                return _TERMINATED
            process = self._process = Process(
                [*launcher, *argv], environment=environment, folder=folder, log=log
            )
        code = process.wait()
        with self._lock:
            self._process = None
        return code

    def terminate(self, *, grace_seconds: float) -> None:
        """Ask it to end, and end it by force after the grace; one that has not begun never does."""
        with self._lock:
            self._grace_seconds = grace_seconds
            if self._process is not None:
                self._process.terminate(grace_seconds=grace_seconds)


_TERMINATED = 128 + 15
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
