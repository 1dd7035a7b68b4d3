"""The terminal: where a command writes, and where everything else goes meanwhile."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

# Wide enough for an S3 URI of 1,024 characters to stay in one piece in a file or a pipe.
FILE_WIDTH = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Streams:
    """Standard output and standard error as the user sees them."""

    out: Console
    err: Console


def streams() -> Streams:
    """The terminal, or the files that the shell has put in its place."""
    return Streams(out=_console(1), err=_console(2))


@contextmanager
def others_write_to(log: Path) -> Iterator[Streams]:
    """The terminal, while all others who write to descriptors 1 and 2 write to `log`.

    Descriptors, not `sys.stdout`: what C code and child processes print is moved as well.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = os.dup(1), os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    try:
        yield Streams(out=_console(out), err=_console(err))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.close(out)
        os.close(err)


def _console(descriptor: int) -> Console:
    file = open(descriptor, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    width = None if file.isatty() or "COLUMNS" in os.environ else FILE_WIDTH
    return Console(file=file, width=width, highlight=False, soft_wrap=False)
