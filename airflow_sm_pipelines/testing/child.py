"""A process that answers lines of JSON with lines of JSON, and how one is asked.

It ends with the process that has started it, however that ends: a pipe closes then.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.cli.background import first_line, tail
from airflow_sm_pipelines.errors import LocalRunError, PipelineError

Message = Mapping[str, Any]

_STOP_SECONDS = 20.0
_LAST_WORDS_SECONDS = 5.0


class Child:
    """A module that runs as a process, from this moment on; what it prints goes to `log`."""

    def __init__(self, module: str, *arguments: str, log: Path, environment: Mapping[str, str]):
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the tests, which end it in their order
                env={**environment, "PYTHONUNBUFFERED": "1"},
            )

    def ask(self, question: Message, *, timeout_seconds: float) -> dict[str, Any]:
        """The answer to a question; a LocalRunError where there is none, and then it has ended."""
        written, read = self._process.stdin, self._process.stdout
        if written is None or read is None or written.closed:
            raise LocalRunError(f"{self._log}: it has ended; start another one")
        line = b""
        deadline = time.monotonic() + timeout_seconds
        try:
            with suppress(BrokenPipeError):
                written.write(json.dumps(question).encode() + b"\n")
                written.flush()
                line = first_line(read, deadline=deadline)
        finally:
            if not line.endswith(b"\n"):
                late = time.monotonic() >= deadline
                self._end(grace_seconds=0 if late else _LAST_WORDS_SECONDS)
        if not line.endswith(b"\n"):
            what = f"no answer within {timeout_seconds:g} seconds" if late else "it has ended"
            lines = "\n".join(tail(self._log))
            raise LocalRunError(f"{self._log}: {what}; its last lines:\n{lines}")
        answer: dict[str, Any] = json.loads(line)
        if "Problem" in answer:
            raise LocalRunError(answer["Problem"])
        return answer

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Let it end; returns when it has. Harmless when called twice."""
        self._end(grace_seconds=_STOP_SECONDS)

    def _end(self, *, grace_seconds: float) -> None:
        """End it: it does so itself when its pipe closes, and is killed after the grace."""
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_seconds)
        self._process.kill()
        self._process.wait()


def serve(answer: Callable[[Message], Message]) -> None:
    """Answer the questions on standard input until it closes; to be called in the process.

    A PipelineError is told to who has asked. What others print goes to standard error.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        for line in sys.stdin.buffer:
            try:
                told = answer(json.loads(line))
            except PipelineError as error:
                told = {"Problem": str(error)}
            answers.write(json.dumps(told, default=str) + "\n")
            answers.flush()
