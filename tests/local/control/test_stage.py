"""Plays that go on in their time, sooner when nudged, and end."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_sm_pipelines.local.control.stage import Pause, Play, Stage

from ..calls import until


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage()
    yield made
    made.close()


def fails(error: BaseException) -> None:
    raise AssertionError(error)


def never() -> bool:
    return False


def test_a_play_goes_on_when_its_pause_has_passed(stage: Stage) -> None:
    seen: list[int] = []

    def play() -> Play:
        for number in range(3):
            seen.append(number)
            yield Pause(seconds=0.01, over=never)
        seen.append(3)

    stage.play(play(), fails)
    stage.close()
    assert seen == [0, 1, 2, 3]


def test_the_shorter_pause_passes_first(stage: Stage) -> None:
    seen: list[str] = []

    def play(name: str, seconds: float) -> Play:
        yield Pause(seconds=seconds, over=never)
        seen.append(name)

    stage.play(play("long", 0.2), fails)
    stage.play(play("short", 0.01), fails)
    stage.close()
    assert seen == ["short", "long"]


def test_a_nudge_ends_a_pause_that_is_over_and_no_other(stage: Stage) -> None:
    told, seen = threading.Event(), threading.Event()

    def play() -> Play:
        yield Pause(seconds=600, over=told.is_set)
        seen.set()

    nudge = stage.play(play(), fails)
    nudge()
    assert not seen.is_set()
    told.set()
    nudge()
    assert seen.wait(60)


def test_a_pause_that_is_over_before_it_begins_does_not_wait(stage: Stage) -> None:
    seen = threading.Event()

    def play() -> Play:
        yield Pause(seconds=600, over=lambda: True)
        seen.set()

    stage.play(play(), fails)
    assert seen.wait(60)


def test_a_play_that_raises_tells_of_it_and_the_others_go_on(
    stage: Stage,
) -> None:
    errors: list[BaseException] = []
    seen = threading.Event()

    def wrong() -> Play:
        yield Pause(seconds=0, over=never)
        raise OSError("full")

    def right() -> Play:
        yield Pause(seconds=0.05, over=never)
        seen.set()

    stage.play(wrong(), errors.append)
    stage.play(right(), fails)
    assert seen.wait(60)
    assert [str(error) for error in until(lambda: errors, bool)] == ["full"]


def test_thousands_of_plays_need_no_thread_each(stage: Stage) -> None:
    before = threading.active_count()
    told = threading.Event()
    ended: list[int] = []

    def play(number: int) -> Play:
        yield Pause(seconds=600, over=told.is_set)
        ended.append(number)

    nudges = [stage.play(play(number), fails) for number in range(3000)]
    assert threading.active_count() - before < 10
    told.set()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda nudge: nudge(), nudges * 2))
    stage.close()
    assert sorted(ended) == list(range(3000))
