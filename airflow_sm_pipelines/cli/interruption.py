"""Ctrl-C during a run: stop the jobs, then end, whatever Airflow is doing.

An exception will not do: Airflow takes KeyboardInterrupt inside a task for the failure of that
task, tries it again, and goes on with the next one. So the signal is only noted, and a thread of
its own stops the jobs and ends the process; the main thread is held where it comes by.
"""

import os
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Interruption:
    """Calls `stop` when the user interrupts, and ends the process; a context manager.

    The exit code is that of a process which the signal has ended: 130 for Ctrl-C. A second
    signal ends it at once.
    """

    stop: Callable[[], None]
    _requests: queue.SimpleQueue[int] = field(default_factory=queue.SimpleQueue, init=False)
    _requested: bool = field(default=False, init=False)
    held: bool = field(default=False, init=False)
    """Whether the main thread is held, and so starts nothing any more."""

    def hold(self) -> None:
        """Never return once the user has interrupted; to be called before anything is started."""
        # Airflow takes SIGTERM for itself whenever a task starts. Take it back.
        self._listen()
        if self._requested:
            self.held = True
            threading.Event().wait()

    def __enter__(self) -> Self:
        self._listen()
        threading.Thread(target=self._serve, daemon=True, name="interruption").start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hold()
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def _listen(self) -> None:
        for number in SIGNALS:
            signal.signal(number, self._note)

    def _note(self, number: int, _: FrameType | None) -> None:
        if self._requested:
            os._exit(128 + number)
        self._requested = True
        # SimpleQueue.put may be called from a signal handler; Event.set may not.
        self._requests.put(number)

    def _serve(self) -> None:
        number = self._requests.get()
        try:
            self.stop()
        finally:
            os._exit(128 + number)
