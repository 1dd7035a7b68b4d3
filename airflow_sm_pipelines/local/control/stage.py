"""Where scripts are played: thousands at once, by a few threads.

A play is a generator. It yields a `Pause` when it has nothing to do for a while, and ends when it
has nothing to do any more.
"""

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

_PLAYERS = 4  # threads that run plays, none of which does more than write a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """How long a play waits, and what lets it go on sooner, when it is nudged."""

    seconds: float
    over: Callable[[], bool]


Play = Generator[Pause, None, None]


class _Part:
    """A play on the stage; `pause` is None while it runs, `turn` counts its pauses."""

    def __init__(self, play: Play, failed: Callable[[BaseException], None]) -> None:
        self.play = play
        self.failed = failed
        self.pause: Pause | None = None
        self.turn = 0


class Stage:
    """Plays, each of which goes on when its pause has passed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._closed = False
        self._playing = 0
        self._order = itertools.count()
        self._pauses: list[tuple[float, int, _Part, int]] = []
        self._players = ThreadPoolExecutor(_PLAYERS, thread_name_prefix="script")
        self._clock = threading.Thread(target=self._tell_time, name="script clock", daemon=True)
        self._clock.start()

    def play(self, play: Play, failed: Callable[[BaseException], None]) -> Callable[[], None]:
        """Begin a play; what nudges it, so that it looks whether its pause is over.

        `failed` is called with what a play has raised.
        """
        part = _Part(play, failed)
        with self._changed:
            self._playing += 1
            self._go_on(part)
        return lambda: self._nudge(part)

    def close(self) -> None:
        """Return when all plays have ended; nobody may begin another one."""
        with self._changed:
            self._changed.wait_for(lambda: self._playing == 0)
            self._closed = True
            self._changed.notify_all()
        self._clock.join()
        self._players.shutdown()

    def _go_on(self, part: _Part) -> None:
        part.pause = None
        part.turn += 1
        future = self._players.submit(next, part.play, None)
        future.add_done_callback(lambda done: self._rest(part, done))

    def _rest(self, part: _Part, done: "Future[Pause | None]") -> None:
        """Let a play that has gone on pause again, or end."""
        error = done.exception()
        if error is not None:
            part.failed(error)
        pause = None if error else done.result()
        with self._changed:
            if pause is None:
                self._playing -= 1
            elif pause.over():
                self._go_on(part)
            else:
                part.pause = pause
                due = time.monotonic() + pause.seconds
                heapq.heappush(self._pauses, (due, next(self._order), part, part.turn))
            self._changed.notify_all()

    def _nudge(self, part: _Part) -> None:
        with self._changed:
            if part.pause is not None and part.pause.over():
                self._go_on(part)

    def _tell_time(self) -> None:
        """Let plays go on whose pauses have passed, until the stage is closed."""
        with self._changed:
            while not self._closed:
                moment = time.monotonic()
                while self._pauses and self._pauses[0][0] <= moment:
                    _, _, part, turn = heapq.heappop(self._pauses)
                    if part.turn == turn:  # else it has been nudged since
                        self._go_on(part)
                self._changed.wait(self._pauses[0][0] - moment if self._pauses else None)
