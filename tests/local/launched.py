"""What runs on the machine: jobs see numbers of processes that are theirs alone."""

from contextlib import suppress
from pathlib import Path


def launchers(words: object) -> list[int]:
    """The processes of the launcher whose command lines have these words.

    Whatever a job has started ends before the last of them does.
    """
    return [pid for pid, line in _lines() if "launch.py" in line and str(words) in line]


def running(words: object) -> list[int]:
    """The processes whose command lines have these words."""
    return [pid for pid, line in _lines() if str(words) in line]


def _lines() -> list[tuple[int, str]]:
    """The command lines of the processes; one that waits to be reaped has none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found.append((int(process.name), line))
    return found
