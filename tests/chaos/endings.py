"""Every way in which a user ends a task, and what the endpoint then sees.

Each way has a run of its own for each state in which it finds the task: queued, waiting for the job
in the worker, deferred. Runs that nobody ends have jobs in progress all the time.
"""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.runs.steps import pipeline, processing

from .airflow import Airflow
from .counts import Made, StepRun, jobs
from .kills import idle_workers
from .pipelines import Script, document, lasts
from .world import World

STEP = "EndedLong"
JOB_SECONDS = 3600.0
RUN_SECONDS = 120
TASK_SECONDS = 40
REACHED_SECONDS = 180.0
SEEN_SECONDS = 120.0
QUIET_SECONDS = 8.0

# A worker has five seconds for the stop; two cores are to have one to end at a time.
APART_SECONDS = 1.5

SCRIPTS: tuple[Script, ...] = (lasts(STEP, JOB_SECONDS),)

FILE = '''\
"""An airflow dag whose task waits for its job in one place."""
import os
from datetime import timedelta
from pathlib import Path

from airflow_sm_pipelines import load_dag

# A task's process reads this file and no other, and then this setting.
os.environ["AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS"] = "{patience}"
dag = load_dag(Path(__file__).parent / "pipelines" / "ended.json", dag_id="{dag_id}", {arguments})
'''


@dataclass(frozen=True, slots=True)
class Way:
    """One way to end a task: what a user does, and with which DAG's arguments he can wait for it.

    `again` is whether the task is then to start anew.
    """

    end: Callable[[World, str, str], None] = lambda world, dag, run: None
    arguments: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the endpoint has seen of a run: its jobs, oldest first, and what it was told to stop."""

    jobs: tuple[Made, ...]
    stops: tuple[str, ...]

    @property
    def going(self) -> list[str]:
        """The names of the jobs that go on."""
        return [job.name for job in self.jobs if job.status == "InProgress"]


def write(folder: Path) -> Iterable[str]:
    """Write a DAG file for each place to wait and each set of arguments; the ids of the DAGs."""
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "ended.json").write_text(document(pipeline(processing(STEP))))
    names = set()
    for place, patience in PLACES.items():
        for way in WAYS.values():
            dag_id = dag_of(place, way)
            text = FILE.format(patience=patience, dag_id=dag_id, arguments=way.arguments)
            (folder / f"{dag_id}.py").write_text(text)
            names.add(dag_id)
    return names


def dag_of(place: str, way: Way) -> str:
    """The DAG in which a task waits in that place."""
    return f"{place}{'-'.join(filter(None, ('', way.arguments.partition('=')[0])))}"


def run_of(name: str) -> str:
    """The id of the run that is ended in that way."""
    return name.replace(" ", "-")


def end_queued(world: World) -> dict[str, Seen]:
    """What is seen of tasks that are ended while they are queued: way -> what."""
    ways = {name: way for name, way in WAYS.items() if not way.arguments}
    dag = dag_of("deferred", WAYS["task cleared"])
    runs = {name: f"queued-{run_of(name)}" for name in ways}
    with _frozen_workers(world.airflow):
        for run in runs.values():
            world.trigger(dag, run)
        await_that(lambda: all(state_of(world, dag, run) == "queued" for run in runs.values()))
        for name, way in ways.items():
            way.end(world, dag, runs[name])
    again = [run for name, run in runs.items() if ways[name].again]
    await_that(lambda: all(look(world, dag, run).jobs for run in again))
    time.sleep(QUIET_SECONDS)
    return {name: look(world, dag, run) for name, run in runs.items()}


def end_waiting(world: World) -> dict[tuple[str, str], Seen]:
    """What is seen of tasks that are ended while they wait for their jobs: place, way -> what."""
    where = {(place, name): (dag_of(place, WAYS[name]), run_of(name)) for place, name in _scenes()}
    for dag, run in where.values():
        world.trigger(dag, run)
    await_that(lambda: all(look(world, *each).jobs for each in where.values()))
    by_users = {scene: each for scene, each in where.items() if not WAYS[scene[1]].arguments}
    await_that(lambda: all(state_of(world, *each) == scene[0] for scene, each in by_users.items()))
    for (_, name), each in where.items():
        WAYS[name].end(world, *each)
        time.sleep(APART_SECONDS)
    ended = [each for (_, name), each in where.items() if name != NOBODY]
    await_that(
        lambda: all(look(world, *each).stops for each in ended), seconds=SEEN_SECONDS, fails=False
    )
    again = [each for (_, name), each in where.items() if WAYS[name].again]
    await_that(
        lambda: all(len(look(world, *each).jobs) > 1 for each in again),
        seconds=SEEN_SECONDS,
        fails=False,
    )
    time.sleep(QUIET_SECONDS)
    return {scene: look(world, *each) for scene, each in where.items()}


def await_that(
    holds: Callable[[], bool], *, seconds: float = REACHED_SECONDS, fails: bool = True
) -> None:
    """Wait until something holds; where it never does fail, or go on to see what does."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            if fails:
                raise TimeoutError(f"tasks are not where they are to be, after {seconds:.0f} s")
            return
        time.sleep(1)


def state_of(world: World, dag: str, run: str) -> str:
    """The state of a run's task; "" where it has none."""
    return world.tasks(dag, run).get(STEP, "")


def clear_unwatched(world: World) -> Seen:
    """What is seen of a deferred task that is cleared while no triggerer runs."""
    dag, run = dag_of("deferred", WAYS["task cleared"]), "unwatched"
    world.trigger(dag, run)
    await_that(lambda: state_of(world, dag, run) == "deferred")
    triggerer = world.airflow.leader("triggerer")
    triggerer.kill()
    triggerer.wait()
    _clear(world, dag, run)
    await_that(lambda: len(look(world, dag, run).jobs) > 1, seconds=SEEN_SECONDS, fails=False)
    world.airflow.revive("triggerer")
    time.sleep(QUIET_SECONDS)
    return look(world, dag, run)


def look(world: World, dag: str, run: str) -> Seen:
    """What the endpoint has seen of a run by now."""
    where = StepRun(dag, run, STEP)
    found = [job for job in jobs(world.root) if job.step_run == where]
    names = {job.name for job in found}
    stops = [each["Name"] for each in world.requests() if each["Operation"] == "StopProcessingJob"]
    return Seen(
        tuple(sorted(found, key=lambda job: str(job.began))),
        tuple(name for name in stops if name in names),
    )


def _scenes() -> list[tuple[str, str]]:
    """Every place and way; those that take their time come first."""
    ways = sorted(WAYS, key=lambda name: not WAYS[name].arguments)
    return [(place, name) for name in ways for place in PLACES]


@contextmanager
def _frozen_workers(airflow: Airflow) -> Iterator[None]:
    """While in the block no worker takes a task, so that tasks stay queued."""
    frozen = [process.pid for process in idle_workers(airflow)]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)


def _mark(state: str) -> Callable[[World, str, str], None]:
    def mark(world: World, dag: str, run: str) -> None:
        path = f"/dags/{dag}/dagRuns/{run}/taskInstances/{STEP}"
        world.airflow.call("PATCH", path, {"new_state": state})

    return mark


def _mark_run(state: str) -> Callable[[World, str, str], None]:
    def mark(world: World, dag: str, run: str) -> None:
        world.airflow.call("PATCH", f"/dags/{dag}/dagRuns/{run}", {"state": state})

    return mark


def _clear(world: World, dag: str, run: str) -> None:
    body = {"dry_run": False, "dag_run_id": run, "task_ids": [STEP], "only_failed": False}
    world.airflow.call("POST", f"/dags/{dag}/clearTaskInstances", body)


def _clear_run(world: World, dag: str, run: str) -> None:
    world.airflow.call("POST", f"/dags/{dag}/dagRuns/{run}/clear", {"dry_run": False})


PLACES = {"running": 3600, "deferred": 0}
"""Where a task waits for its job -> seconds that it waits in the worker."""

NOBODY = "ended by nobody"
WAYS: dict[str, Way] = {
    NOBODY: Way(),
    "task marked failed": Way(_mark("failed")),
    "task marked success": Way(_mark("success")),
    "task marked skipped": Way(_mark("skipped")),
    "task cleared": Way(_clear, again=True),
    "run marked failed": Way(_mark_run("failed")),
    "run marked success": Way(_mark_run("success")),
    "run cleared": Way(_clear_run, again=True),
    "dagrun_timeout": Way(arguments=f"dagrun_timeout=timedelta(seconds={RUN_SECONDS})"),
    "execution_timeout": Way(
        arguments=f"default_args={{'execution_timeout': timedelta(seconds={TASK_SECONDS})}}"
    ),
}
