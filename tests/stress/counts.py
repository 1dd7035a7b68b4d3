"""What a server holds, counted by the kernel: what its jobs have left would be among it."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a server holds at a moment.

    `processes` are its children, and whatever else has `mark` among its variables, as jobs have
    the server's address; `files` what is in its temporary folders.
    """

    processes: tuple[str, ...]
    mounts: int
    descriptors: Counter[str]
    threads: int
    files: tuple[str, ...]

    @property
    def left(self) -> tuple[str, ...]:
        """What must never be there when no job is running."""
        return (*self.processes, *self.files)


def counted(pid: int, mark: str, *temporary: Path) -> Counts:
    """What the process `pid` holds at this moment."""
    return Counts(
        processes=tuple(marked(pid, mark)),
        mounts=len((PROC / str(pid) / "mountinfo").read_text().splitlines()),
        descriptors=_descriptors(pid),
        threads=len(os.listdir(PROC / str(pid) / "task")),
        files=tuple(sorted(str(each) for folder in temporary for each in folder.rglob("*"))),
    )


def resident_kib(pid: int) -> int:
    """How much memory the process has."""
    status = (PROC / str(pid) / "status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def marked(pid: int, mark: str) -> list[str]:
    """The processes that are children of `pid` or have `mark` among their variables."""
    return sorted(_processes(pid, mark.encode()))


def _processes(pid: int, mark: bytes) -> Iterator[str]:
    """The command lines of what is left, be it the server's child or nobody's any more."""
    for each in PROC.glob("[0-9]*"):
        with suppress(OSError, IndexError):  # it ends while it is looked at
            parent = int((each / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid or mark in (each / "environ").read_bytes():
                shown = (each / "cmdline").read_bytes().replace(b"\0", b" ")[:200]
                yield f"{each.name} {shown.decode(errors='replace')}"


def _descriptors(pid: int) -> Counter[str]:
    """The open descriptors by what they are: a file's path, or a kind such as `socket`."""
    found: Counter[str] = Counter()
    for each in (PROC / str(pid) / "fd").iterdir():
        with suppress(OSError):
            found[os.readlink(each).partition(":[")[0]] += 1
    return found
