"""The processes of a job's hosts, which end together."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from airflow_sm_pipelines.local.process import Process

_GRACE_SECONDS = 10.0  # what the others have to end in, after one has failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the processes ended: the exit code of the first that failed, and its number.

    0 and 0 where all have succeeded.
    """

    code: int = 0
    number: int = 0


class Crew:
    """Processes that are waited for and ended as one; the first that fails ends the others."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes
        self._lock = threading.Lock()
        self._outcome: Outcome | None = None

    def wait(self) -> Outcome:
        """Wait until the last process has ended."""
        if len(self._processes) == 1:
            return Outcome(code=self._processes[0].wait())
        waiting = [
            threading.Thread(target=self._wait_for, args=(number,), name=f"host {number + 1}")
            for number in range(len(self._processes))
        ]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join()
        return self._outcome or Outcome()

    def terminate(self, *, grace_seconds: float) -> None:
        """Ask every process group to end, and end it by force after `grace_seconds`."""
        for process in self._processes:
            process.terminate(grace_seconds=grace_seconds)

    def _wait_for(self, number: int) -> None:
        code = self._processes[number].wait()
        with self._lock:
            if code == 0 or self._outcome is not None:
                return
            self._outcome = Outcome(code=code, number=number)
        self.terminate(grace_seconds=_GRACE_SECONDS)
