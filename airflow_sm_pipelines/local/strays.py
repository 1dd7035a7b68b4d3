"""Processes that a job has left running when its server was killed.

The command of a job dies with its server (`launch.py`), and where jobs have a process namespace of
their own all that the command had started. Elsewhere it is left. It is known by its /opt/ml, which
is a folder of the job's in a mount namespace of its own. Where jobs have no such namespace nothing
tells them from other processes, and nothing is ended.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_ML = "root/opt/ml"
_TRIES = 10  # a process may start another one while we look; what is killed starts none


def end_strays(folder: Path) -> int:
    """Kill every process that has the /opt/ml of a job with that folder; how many there were."""
    mounted = {
        (status.st_dev, status.st_ino)
        for ml in (folder / "ml", *folder.glob("*/ml"))
        if (status := _status(ml)) is not None
    }
    ended: set[int] = set()
    for _ in range(_TRIES):
        # What has been killed may be seen for a moment more.
        strays = {pid for pid in _namespaced() if _mount(pid) in mounted} - ended
        if not strays:
            break
        for pid in strays:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                ended.add(pid)
    return len(ended)


def _namespaced() -> Iterator[int]:
    """The processes of this user that do not see our mounts but some of their own."""
    ours = os.readlink("/proc/self/ns/mnt")
    for process in _PROCESSES.glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if os.readlink(process / "ns/mnt") != ours:
                yield int(process.name)


def _mount(pid: int) -> tuple[int, int] | None:
    """Which folder a process has as /opt/ml."""
    status = _status(_PROCESSES / str(pid) / _ML)
    return None if status is None else (status.st_dev, status.st_ino)


def _status(path: Path) -> os.stat_result | None:
    # Not followed: a link /opt/ml is the same for every process of the machine.
    with suppress(OSError):
        return path.lstat()
    return None
