"""What can be killed in an Airflow, and a seeded choice of it.

Two kills are never drawn, since the LocalExecutor of Airflow 3.3.2 does not survive them until its
scheduler is started again, whatever runs in it. An idle worker holds the lock of the queue that all
read from. A worker that has fetched a task and has not yet started it takes the task along, which
stays queued, also after `[scheduler] task_queued_timeout`: that executor cannot revoke a task.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from airflow_sm_pipelines.cli.server import PARTS

from .airflow import Airflow

PROC = Path("/proc")
WORKER = "airflow worker -- LocalExecutor: "
IDLE = "<idle>"
TASK = "airflow worker -- "
FOUND_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Process:
    """A process and what it calls itself."""

    pid: int
    title: str

    @property
    def parent(self) -> int:
        """The process that has started it; 0 where it is gone."""
        try:
            status = (PROC / str(self.pid) / "status").read_text()
        except (ProcessLookupError, FileNotFoundError):
            return 0
        return int(status.partition("PPid:")[2].split()[0])


@dataclass(frozen=True, slots=True)
class Kill:
    """What was killed, and of which kind it was."""

    kind: str
    process: Process


@dataclass(slots=True)
class Killer:
    """Kills of every kind in turn, each turn in an order of its own that `seed` decides."""

    airflow: Airflow
    seed: int
    kills: list[Kill] = field(default_factory=list, init=False)
    _random: random.Random = field(init=False)
    _turn: list[str] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def pause(self, least: float, most: float) -> float:
        """Seconds until the next kill."""
        return self._random.uniform(least, most)

    def kill(self) -> Kill | None:
        """Kill the next one with -9 and start again what has to be; returns when all is healthy.

        None where there was none of the kind that is due, as no task while all are deferred.
        """
        if not self._turn:
            self._turn = sorted(KINDS)
            self._random.shuffle(self._turn)
        kind = self._turn.pop()
        found = self._find(kind)
        if not found:
            return None
        process = self._random.choice(found)
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has just ended by itself
            return None
        killed = Kill(kind, process)
        self.kills.append(killed)
        if kind in PARTS:
            self.airflow.leader(kind).wait()
            self.airflow.revive(kind)
        return killed

    def _find(self, kind: str) -> list[Process]:
        deadline = time.monotonic() + FOUND_SECONDS
        while not (found := KINDS[kind](self.airflow)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found


def workers(airflow: Airflow) -> list[Process]:
    """The LocalExecutor's workers that have started a task, each the supervisor of its process."""
    running = {process.parent for process in tasks(airflow)}
    return [process for process in _of_schedulers(airflow) if process.pid in running]


def idle_workers(airflow: Airflow) -> list[Process]:
    """The LocalExecutor's workers that have no task."""
    return [process for process in _of_schedulers(airflow) if process.title == f"{WORKER}{IDLE}"]


def tasks(airflow: Airflow) -> list[Process]:
    """The processes that run a task."""
    return [
        process
        for process in _of_schedulers(airflow)
        if process.title.startswith(TASK) and not process.title.startswith(WORKER)
    ]


def _of_schedulers(airflow: Airflow) -> list[Process]:
    """What a scheduler has started, also one that is dead by now: it lives on as in the field."""
    sessions = {leader.pid for leader in airflow.leaders("scheduler")}
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [Process(pid, title) for pid in pids if (title := _title(pid, sessions))]


def _title(pid: int, sessions: set[int]) -> str:
    """What a process in one of these sessions calls itself; "" for others and what has gone."""
    try:
        if os.getsid(pid) not in sessions:
            return ""
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (ProcessLookupError, FileNotFoundError):
        return ""


def _part(name: str) -> Callable[[Airflow], list[Process]]:
    return lambda airflow: [Process(airflow.leader(name).pid, name)]


KINDS: dict[str, Callable[[Airflow], list[Process]]] = {
    **{name: _part(name) for name in PARTS},
    "worker": workers,
    "task": tasks,
}
