"""Ways in which a task's process is told to end, or loses Airflow, that are no user's decision.

Each way has two runs of its own, one whose task waits for its job in the worker and one whose task
is deferred, and whatever comes later disturbs them too.
"""

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from subprocess import TimeoutExpired

from .airflow import API_SERVER
from .endings import PLACES, STEP, Seen, await_that, dag_of, look, run_of, state_of
from .endings import WAYS as ENDINGS
from .kills import Process, tasks, workers
from .pipelines import Script, lasts
from .world import Ended, World

JOB_SECONDS = 60.0
DOWN_SECONDS = 60.0
GRACE_SECONDS = 8.0
END_SECONDS = 300.0

SCRIPTS: tuple[Script, ...] = (lasts(STEP, JOB_SECONDS),)

# A heartbeat is given up after half a minute of trying, so that three, as by default, would not be
# missed within the minute that the API server is down.
SETTINGS = {"AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS": "1"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the run of a task that was interrupted has ended; `tries` is how often it was started."""

    ended: Ended | None
    seen: Seen
    tries: int


def interrupt(world: World) -> dict[tuple[str, str], Outcome]:
    """What comes of all interruptions: way, place -> outcome."""
    where = {(way, place): (_dag(place), run_of(way)) for way in INTERRUPTIONS for place in PLACES}
    for way, end in INTERRUPTIONS.items():
        for place in PLACES:
            world.trigger(*where[way, place])
        await_that(partial(_all_wait, world, {place: where[way, place] for place in PLACES}))
        end(world, *where[way, "running"])
    _await_ends(world, list(where.values()))
    return {
        scene: Outcome(
            world.ended(*each), look(world, *each), world.task(*each, STEP)["try_number"]
        )
        for scene, each in where.items()
    }


def _await_ends(world: World, runs: list[tuple[str, str]]) -> None:
    await_that(lambda: all(world.ended(*each) for each in runs), seconds=END_SECONDS, fails=False)


def _dag(place: str) -> str:
    return dag_of(place, ENDINGS["task cleared"])


def _all_wait(world: World, where: Mapping[str, tuple[str, str]]) -> bool:
    """Whether each task waits for its job in its place."""
    return all(
        state_of(world, *each) == place and look(world, *each).jobs for place, each in where.items()
    )


def _process(world: World, dag: str, run: str) -> Process:
    """The process that runs the task, which has the task instance's id in its title."""
    instance = world.task(dag, run, STEP)["id"]
    (found,) = (process for process in tasks(world.airflow) if instance in process.title)
    return found


def _end_task(world: World, dag: str, run: str) -> None:
    os.kill(_process(world, dag, run).pid, signal.SIGTERM)


def _end_worker(world: World, dag: str, run: str) -> None:
    """Tell the worker that watches over the task to end, as a deploy does."""
    task = _process(world, dag, run)
    (worker,) = (one for one in workers(world.airflow) if one.pid == task.parent)
    os.kill(worker.pid, signal.SIGTERM)


def _end_scheduler(world: World, dag: str, run: str) -> None:
    """Tell the scheduler to end, which waits for its tasks, and kill it when the grace is over."""
    scheduler = world.airflow.leader("scheduler")
    scheduler.send_signal(signal.SIGTERM)
    with suppress(TimeoutExpired):
        scheduler.wait(GRACE_SECONDS)
    scheduler.kill()
    scheduler.wait()
    world.airflow.revive("scheduler")


def _stop_answering(world: World, dag: str, run: str) -> None:
    """Have no API server for a minute, which may take all retries that a task has."""
    server = world.airflow.leader(API_SERVER)
    server.kill()
    server.wait()
    time.sleep(DOWN_SECONDS)
    world.airflow.revive(API_SERVER)
    _await_ends(world, [(_dag(place), run) for place in PLACES])


INTERRUPTIONS: dict[str, Callable[[World, str, str], None]] = {
    "API server down": _stop_answering,
    "SIGTERM to the task": _end_task,
    "SIGTERM to its worker": _end_worker,
    "SIGTERM to the scheduler": _end_scheduler,
}
