"""What ends a task's process and is no user's decision stops no job; the next try has it."""

from collections.abc import Mapping

import pytest

from .endings import PLACES, write
from .interruptions import INTERRUPTIONS, SCRIPTS, SETTINGS, Outcome, interrupt
from .timeouts import timeouts
from .world import world

pytestmark = pytest.mark.slow
SCENES = [(way, place) for way in INTERRUPTIONS for place in PLACES]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Outcome]:
    """What has come of every interruption."""
    folder = tmp_path_factory.mktemp("interruptions")
    settings = {**timeouts(), **SETTINGS}
    with world(folder, dags=write, scripts=SCRIPTS, settings=settings) as found:
        return interrupt(found)


@pytest.mark.parametrize(("way", "place"), SCENES)
def test_no_job_is_stopped(
    outcomes: Mapping[tuple[str, str], Outcome], way: str, place: str
) -> None:
    assert outcomes[way, place].seen.stops == ()


@pytest.mark.parametrize(("way", "place"), SCENES)
def test_run_ends_well_with_one_job(
    outcomes: Mapping[tuple[str, str], Outcome], way: str, place: str
) -> None:
    outcome = outcomes[way, place]
    assert outcome.ended is not None
    assert outcome.ended.state == "success"
    assert [job.status for job in outcome.seen.jobs] == ["Completed"]


@pytest.mark.parametrize("way", INTERRUPTIONS)
def test_task_that_waited_in_its_worker_was_tried_again(
    outcomes: Mapping[tuple[str, str], Outcome], way: str
) -> None:
    assert outcomes[way, "running"].tries > 1
