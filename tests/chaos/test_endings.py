"""However a user ends a task, its job is stopped, once, and no other's is."""

import urllib.error
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from .endings import (
    NOBODY,
    PLACES,
    SCRIPTS,
    WAYS,
    Seen,
    clear_unwatched,
    dag_of,
    end_queued,
    end_waiting,
    look,
    run_of,
    write,
)
from .world import World, world

pytestmark = pytest.mark.slow
ENDED = [name for name in WAYS if name != NOBODY]
BY_USERS = [name for name in ENDED if not WAYS[name].arguments]


@dataclass(frozen=True, slots=True)
class Scenes:
    """What was seen of tasks that were ended while queued, and while they waited in a place."""

    world: World
    queued: dict[str, Seen]
    waiting: dict[tuple[str, str], Seen]
    unwatched: Seen


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenes]:
    """All of it, once."""
    folder = tmp_path_factory.mktemp("endings")
    settings = {"AIRFLOW__CORE__PARALLELISM": "16"}
    with world(folder, dags=write, scripts=SCRIPTS, settings=settings) as found:
        yield Scenes(
            found,
            queued=end_queued(found),
            waiting=end_waiting(found),
            unwatched=clear_unwatched(found),
        )


@pytest.mark.parametrize("way", BY_USERS)
def test_task_that_is_ended_while_queued_has_nothing_to_stop(scenes: Scenes, way: str) -> None:
    seen = scenes.queued[way]
    assert seen.stops == ()
    assert len(seen.jobs) == (1 if WAYS[way].again else 0)


@pytest.mark.parametrize("way", ENDED)
@pytest.mark.parametrize("place", PLACES)
def test_job_of_an_ended_task_is_stopped_once(scenes: Scenes, place: str, way: str) -> None:
    seen = scenes.waiting[place, way]
    assert seen.stops == (seen.jobs[0].name,)
    assert seen.jobs[0].status == "Stopped"


@pytest.mark.parametrize("place", PLACES)
def test_task_that_has_timed_out_is_not_tried_again(scenes: Scenes, place: str) -> None:
    assert len(scenes.waiting[place, "execution_timeout"].jobs) == 1


@pytest.mark.parametrize("way", [name for name in ENDED if WAYS[name].again])
@pytest.mark.parametrize("place", PLACES)
def test_clear_leads_to_another_job_that_goes_on(scenes: Scenes, place: str, way: str) -> None:
    seen = scenes.waiting[place, way]
    assert seen.going == [job.name for job in seen.jobs[1:]]
    assert len(seen.jobs) == 2


@pytest.mark.parametrize("way", [name for name in BY_USERS if not WAYS[name].again])
@pytest.mark.parametrize("place", PLACES)
def test_task_that_is_ended_for_good_has_no_other_job(scenes: Scenes, place: str, way: str) -> None:
    assert len(scenes.waiting[place, way].jobs) == 1


@pytest.mark.parametrize("place", PLACES)
def test_job_of_a_task_that_nobody_has_ended_goes_on(scenes: Scenes, place: str) -> None:
    seen = look(scenes.world, dag_of(place, WAYS[NOBODY]), run_of(NOBODY))
    assert seen.going == [job.name for job in seen.jobs]
    assert (len(seen.jobs), seen.stops) == (1, ())


def test_job_of_a_task_that_is_cleared_without_a_triggerer_is_stopped(scenes: Scenes) -> None:
    first, second = scenes.unwatched.jobs
    assert scenes.unwatched.stops == (first.name,)
    assert scenes.unwatched.going == [second.name]


def test_airflow_does_not_delete_a_run_in_progress(scenes: Scenes) -> None:
    dag = dag_of("running", WAYS[NOBODY])
    with pytest.raises(urllib.error.HTTPError, match="409"):
        scenes.world.airflow.call("DELETE", f"/dags/{dag}/dagRuns/{run_of(NOBODY)}")
