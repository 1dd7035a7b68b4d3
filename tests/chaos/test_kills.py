"""Random processes of a real Airflow are killed; nothing is doubled or lost. On SQLite, short."""

from pathlib import Path

import pytest

from .kills import KINDS
from .pipelines import SHAPES, scripts, write
from .storm import Plan, storm
from .timeouts import timeouts
from .world import world

PLAN = Plan(
    kills=8,
    runs=len(SHAPES),
    at_once=len(SHAPES),
    seed=4,
    least_pause=1.0,
    most_pause=4.0,
    most_seconds=600.0,
)


@pytest.mark.slow
def test_kills_of_random_processes_double_and_lose_nothing(tmp_path: Path) -> None:
    with world(tmp_path, dags=write, scripts=scripts(), settings=timeouts()) as found:
        result = storm(found, PLAN, print)
    assert not result.broken, str(result)
    assert set(result.kills) == set(KINDS)
