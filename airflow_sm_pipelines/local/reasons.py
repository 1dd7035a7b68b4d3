"""Why a job failed, from what it left behind."""

import os
import re
from pathlib import Path

REASON_LENGTH = 1024
_TAIL_BYTES = 64 * 1024
NOTE = "[local AWS]"  # what a line of ours in a job's log begins with
_QUIET = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d (INFO|WARN) ")  # of Spark's log4j
_TRACEBACK = "Traceback (most recent call last):"


def algorithm_error(message: str, code: int) -> str:
    """The FailureReason of a job whose command ended with exit code `code`."""
    return _ended(f"AlgorithmError: {message}", code)


def stated(failure: str, code: int) -> str:
    """The same of a job that wrote `failure` itself: the kind of error that it names is kept."""
    return _ended(failure, code) if failure.startswith(KINDS) else algorithm_error(failure, code)


def last_error(log: Path) -> str:
    """The last error message in a log: that of the last traceback, or else the last line."""
    said = lines(log)
    if _TRACEBACK not in said:
        return said[-1].strip() if said else "the command wrote no output"
    start = len(said) - said[::-1].index(_TRACEBACK)
    raised = (line for line in said[start:] if not line.startswith(" "))
    return next(raised, said[-1].strip())


def lines(log: Path) -> list[str]:
    """The last lines of a log, without those of ours, and what Spark tells of its own work."""
    return [
        line.rstrip()
        for line in _tail(log).splitlines()
        if line.strip() and not (line.startswith(NOTE) or _QUIET.match(line))
    ]


def message(file: Path, length: int) -> str:
    """The first `length` bytes of a message that the job left in a file, or ""."""
    if not file.is_file():
        return ""
    with file.open("rb") as content:
        return content.read(length).decode(errors="ignore").strip()


def _ended(reason: str, code: int) -> str:
    """A reason that is not too long, with the exit code at its end."""
    ending = f", exit code: {code}"
    return reason[: REASON_LENGTH - len(ending)] + ending


def _tail(log: Path) -> str:
    with log.open("rb") as content:
        size = content.seek(0, os.SEEK_END)
        content.seek(max(0, size - _TAIL_BYTES))
        return content.read().decode(errors="replace")


# The kinds of error that SageMaker's own algorithms and its engine begin a FailureReason with.
KINDS = ("AlgorithmError:", "ClientError:", "InternalServerError:")
