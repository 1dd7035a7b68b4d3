"""The process group that a job runs in."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


class Running(Protocol):
    """What runs and can be asked to end; asked again, the shorter grace holds."""

    def terminate(self, *, grace_seconds: float) -> None:
        """Ask it to end, and end it by force after `grace_seconds`."""


class Process:
    """A command in a process group of its own, from its start to the end of its last member.

    Output goes straight to a file, so its size costs no memory. Of our descriptors it has those of
    `descriptors`.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        descriptors: Sequence[int] = (),
    ) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._killer: threading.Timer | None = None
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                list(argv),
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=descriptors,
            )

    @property
    def running(self) -> bool:
        """Whether the command has not ended."""
        ended = os.WEXITED | os.WNOWAIT | os.WNOHANG
        try:
            return not self._ended and os.waitid(os.P_PID, self._popen.pid, ended) is None
        except ChildProcessError:  # `wait` has seen the end in this moment
            return False

    def wait(self) -> int:
        """Wait for the command's end, end what it left running, and return its exit code.

        A command that a signal ended has code 128 + signal, as a shell and a container say it.
        """
        if not self._ended:
            # Without reaping: until then the kernel gives the group's id to nobody else.
            os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOWAIT)
            with self._lock:
                self._ended = True
                if self._killer is not None:
                    self._killer.cancel()
                self._signal(signal.SIGKILL)
        code = self._popen.wait()
        return code if code >= 0 else 128 - code

    def terminate(self, *, grace_seconds: float) -> None:
        """Ask the whole group to end, and end it by force after `grace_seconds`.

        Asked again, the shorter grace holds.
        """
        with self._lock:
            if self._ended or (self._killer and self._killer.interval <= grace_seconds):
                return
            if self._killer is not None:
                self._killer.cancel()
            self._signal(signal.SIGTERM)
            self._killer = threading.Timer(grace_seconds, self._kill)
            self._killer.daemon = True
            self._killer.start()

    def _kill(self) -> None:
        with self._lock:
            if not self._ended:
                self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return
