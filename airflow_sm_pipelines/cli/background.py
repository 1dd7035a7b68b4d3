"""The local AWS as a child process that ends with this one, however this one ends."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from airflow_sm_pipelines.cli.errors import FAILED, CommandError

READY_SECONDS = 60.0
STOP_SECONDS = 20.0
TAIL_LINES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What the local AWS says when it is ready."""

    endpoint_url: str
    isolation: str
    root: Path
    environment: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class LocalProcess:
    """The local AWS as a child process.

    It starts at once and gets ready while the caller does something else. It holds the other end
    of a pipe to us: whatever ends this process closes the pipe, and so stops the child and its
    jobs. Its process group is its own, so that Ctrl-C reaches us alone and we choose the order.
    """

    root: Path
    log: Path
    port: int = 0
    lambdas: Path | None = None
    """A `lambdas.toml`."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the child; returns before it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                _command(self.root, self.port, self.lambdas),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def wait_until_ready(self) -> Served:
        """What the child serves; raises CommandError with the tail of its log when it does not."""
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the local AWS is not started; call start() first")
        line = first_line(self._process.stdout, deadline=time.monotonic() + READY_SECONDS)
        if not line.endswith(b"\n"):
            raise CommandError(
                f"{self.log}: the local AWS did not start; its last lines:",
                *tail(self.log),
                exit_code=FAILED,
            )
        ready = json.loads(line)
        return Served(
            endpoint_url=ready["endpoint_url"],
            isolation=ready["isolation"],
            root=Path(ready["root"]),
            environment=ready["environment"],
        )

    def stop(self) -> None:
        """Stop the child and its jobs; returns when they are gone. Harmless when called twice."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        process.stdin.close()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def tail(path: Path, lines: int = TAIL_LINES) -> list[str]:
    """The last `lines` lines of a text file; none where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


def _command(root: Path, port: int, lambdas: Path | None) -> list[str]:
    module = (
        sys.executable,
        "-m",
        "airflow_sm_pipelines.executions.served",
        "--until-stdin-closes",
    )
    more = ["--lambdas", str(lambdas)] if lambdas else []
    return [*module, "--root", str(root), "--port", str(port), *more]


def first_line(stream: IO[bytes], *, deadline: float) -> bytes:
    """What arrives up to the first newline, the stream's end or the deadline."""
    received = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0 and not received.endswith(b"\n"):
            if selector.select(left):
                chunk = os.read(stream.fileno(), 65_536)
                if not chunk:
                    break
                received += chunk
    return bytes(received)
