"""Why a job failed, from what it left behind."""

import os
from pathlib import Path

REASON_LENGTH = 1024
_TAIL_BYTES = 64 * 1024
_TRACEBACK = "Traceback (most recent call last):"


def algorithm_error(message: str, code: int) -> str:
    """The FailureReason of a job whose command ended with exit code `code`."""
    ending = f", exit code: {code}"
    return f"AlgorithmError: {message}"[: REASON_LENGTH - len(ending)] + ending


def last_error(log: Path) -> str:
    """The last error message in a log: that of the last traceback, or else the last line."""
    lines = [line.rstrip() for line in _tail(log).splitlines() if line.strip()]
    if _TRACEBACK not in lines:
        return lines[-1].strip() if lines else "the command wrote no output"
    start = len(lines) - lines[::-1].index(_TRACEBACK)
    raised = (line for line in lines[start:] if not line.startswith(" "))
    return next(raised, lines[-1].strip())


def message(file: Path, length: int) -> str:
    """The first `length` bytes of a message that the job left in a file, or ""."""
    if not file.is_file():
        return ""
    with file.open("rb") as content:
        return content.read(length).decode(errors="ignore").strip()


def _tail(log: Path) -> str:
    with log.open("rb") as content:
        size = content.seek(0, os.SEEK_END)
        content.seek(max(0, size - _TAIL_BYTES))
        return content.read().decode(errors="replace")
