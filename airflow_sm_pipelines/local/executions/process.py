"""The program of one execution while it runs."""

import json
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

Event = Mapping[str, Any]

# What leads to an AWS or an Airflow of the user's own, and how he wants his own warnings.
_NOT_PASSED_ON = ("AIRFLOW", "AWS_", "PYTHONWARNINGS")


class Program:
    """A program that tells its events on standard output, in a process group of its own.

    It ends with this process, however this one ends: its standard input closes then.
    """

    def __init__(
        self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        own = {name: os.environ[name] for name in os.environ if not name.startswith(_NOT_PASSED_ON)}
        self._log = log
        self._killer: threading.Timer | None = None
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                list(command),
                env={**own, **environment, "PYTHONUNBUFFERED": "1"},
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )

    def events(self) -> Iterator[Event]:
        """What it tells, until it closes its standard output."""
        assert self._popen.stdout is not None, "it was opened as a pipe"
        for line in self._popen.stdout:
            try:
                event = json.loads(line)
            except (ValueError, RecursionError):
                event = None
            if isinstance(event, dict):
                yield event
            else:
                logger.warning("%s: no event: %r", self._log, line)

    def terminate(self, *, grace_seconds: float) -> None:
        """Ask it to end, and end it by force after `grace_seconds`."""
        with suppress(ProcessLookupError):
            self._popen.send_signal(signal.SIGTERM)
        if self._killer is None:
            self._killer = threading.Timer(grace_seconds, self.kill)
            self._killer.daemon = True
            self._killer.start()

    def kill(self) -> None:
        """End it and all that it has started, now."""
        if self._popen.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        code = self._popen.wait()
        if self._killer is not None:
            self._killer.cancel()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        return code
