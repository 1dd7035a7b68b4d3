"""The queue of a run's steps, driven through many of the orders that tasks may act in."""

import random
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from airflow_sm_pipelines.turns import Ticket, Turn


@dataclass
class Board:
    """The tickets of a run in memory; a step is a rival as long as it is active."""

    tickets: dict[str, Ticket] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)

    def read(self, step: str) -> Ticket:
        return self.tickets.get(step, Ticket())

    def write(self, step: str, ticket: Ticket) -> None:
        self.tickets[step] = ticket

    def rivals(self, step: str) -> Iterable[str]:
        return sorted(self.active - {step})


def queue(board: Board, *steps: str, limit: int, epoch: int = 0) -> list[Turn]:
    board.active |= {*steps}
    return [Turn(board, step=step, limit=limit, epoch=epoch) for step in steps]


def test_the_first_have_their_turn_and_the_others_know_their_places() -> None:
    turns = queue(Board(), "A", "B", "C", "D", limit=2)
    assert [turn.places_before() for turn in turns] == [0, 0, 1, 2]


def test_a_place_that_is_given_back_is_the_nexts() -> None:
    a, b, c = queue(Board(), "A", "B", "C", limit=1)
    assert [turn.places_before() for turn in (a, b, c)] == [0, 1, 2]
    a.give_back()
    assert [turn.places_before() for turn in (c, b)] == [1, 0]


def test_who_came_first_goes_first_whatever_its_name() -> None:
    z, a = queue(Board(), "Z", "A", limit=1)
    assert [turn.places_before() for turn in (z, a, z)] == [0, 1, 0]


def test_the_retry_of_a_try_that_died_still_has_its_turn() -> None:
    board = Board()
    first, other = queue(board, "A", "B", limit=1)
    assert (first.places_before(), other.places_before()) == (0, 1)
    (again,) = queue(board, "A", limit=1)
    assert (again.places_before(), other.places_before()) == (0, 1)


def test_a_task_that_has_ended_without_giving_back_keeps_nobody_waiting() -> None:
    board = Board()
    a, b = queue(board, "A", "B", limit=1)
    assert (a.places_before(), b.places_before()) == (0, 1)
    board.active.remove("A")
    assert b.places_before() == 0


def test_a_ticket_from_before_a_clear_is_worth_nothing() -> None:
    board = Board()
    a, b = queue(board, "A", "B", limit=1)
    assert a.places_before() == 0
    board.active.remove("A")  # failed, its ticket kept
    assert b.places_before() == 0
    (cleared,) = queue(board, "A", limit=1, epoch=2)
    assert cleared.places_before() == 1


def test_a_task_that_died_while_it_was_choosing_is_before_the_others_until_its_retry() -> None:
    board = Board()
    a, b = queue(board, "A", "B", limit=1)
    board.write("A", Ticket(choosing=True))
    assert b.places_before() == 1
    assert a.places_before() == 1  # b has chosen before
    b.give_back()
    assert a.places_before() == 0


class Interleaved(Board):
    """A board at which, after each access, one of all tasks goes on, drawn by chance."""

    def __init__(self, steps: Iterable[str], *, seed: int) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._playing = [*steps]
        self._told = threading.Condition()
        self._next = self._playing[0]

    @contextmanager
    def move(self, *, last: bool = False) -> Iterator[None]:
        """Wait to be drawn; `last` of all for a task that ends."""
        step = threading.current_thread().name
        with self._told:
            self._told.wait_for(lambda: self._next == step)
            yield
            if last:
                self._playing.remove(step)
            self._next = self._chance.choice(self._playing or [""])
            self._told.notify_all()

    def read(self, step: str) -> Ticket:
        with self.move():
            return super().read(step)

    def write(self, step: str, ticket: Ticket) -> None:
        with self.move():
            super().write(step, ticket)

    def rivals(self, step: str) -> Iterable[str]:
        with self.move():
            return super().rivals(step)


@pytest.mark.parametrize(("limit", "count"), [(1, 2), (1, 4), (2, 5), (3, 6)])
def test_no_order_of_moves_lets_more_than_the_limit_run(limit: int, count: int) -> None:
    steps = [f"S{number}" for number in range(count)]
    most = max(_play(steps, limit=limit, seed=seed) for seed in range(40))
    assert most == limit


def _play(steps: list[str], *, limit: int, seed: int) -> int:
    """How many of the steps had their turn at once, at most; each ends."""
    board = Interleaved(steps, seed=seed)
    turns = queue(board, *steps, limit=limit)
    running: set[str] = set()
    most = 0

    def play(step: str, turn: Turn) -> None:
        nonlocal most
        while turn.places_before():
            pass
        with board.move():
            running.add(step)
            most = max(most, len(running))
        with board.move():
            running.remove(step)
        turn.give_back()
        with board.move(last=True):
            board.active.remove(step)

    tasks = [
        threading.Thread(target=play, args=(step, turn), name=step)
        for step, turn in zip(steps, turns, strict=True)
    ]
    for task in tasks:
        task.start()
    for task in tasks:
        task.join(timeout=60)
        assert not task.is_alive(), "a step never had its turn"
    return most
