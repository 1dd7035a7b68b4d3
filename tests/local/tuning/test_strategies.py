"""Which values come next, strategy by strategy."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from airflow_sm_pipelines.local.tuning import ranges
from airflow_sm_pipelines.local.tuning.definition import Definition, Objective
from airflow_sm_pipelines.local.tuning.strategies import STRATEGIES, Found, Settings, Values, made
from tests.local.scripted import SERVICE

from .conftest import categorical, continuous, integer

SPACE = {**categorical("a", "b", name="c"), **integer(Name="i"), **continuous(Name="f")}


def settings(given: dict[str, Any], **changes: Any) -> Settings:
    definition = Definition(
        name="",
        objective=Objective(metric="loss", kind=changes.pop("kind", "Minimize")),
        ranges=ranges.parsed(given),
        static={},
        fields={},
    )
    return Settings(definition=definition, **changes)


def search(
    strategy: str, given: Settings, number: int, loss: Callable[[Values], float]
) -> list[Values]:
    """The values of jobs that run one after the other."""
    made_strategy, tried = made(strategy, given), []
    for job in map(str, range(number)):
        values = made_strategy.next(job)
        assert values is not None
        made_strategy.end(job, loss(values))
        tried.append(values)
    return tried


def off_three(values: Values) -> float:
    return (float(values["x"]) - 3) ** 2


def test_every_strategy_of_the_service_is_there() -> None:
    shape: Any = SERVICE.shape_for("HyperParameterTuningJobStrategyType")
    assert set(STRATEGIES) == set(shape.enum)


def test_a_server_that_searches_nothing_does_not_import_optuna() -> None:
    look = "import sys, airflow_sm_pipelines.local; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_the_same_seed_gives_the_same_values(strategy: str) -> None:
    one, same, other = (
        search(strategy, settings(SPACE, seed=seed), 8, lambda values: float(values["f"]))
        for seed in (1, 1, 2)
    )
    assert one == same != other


@pytest.mark.parametrize("strategy", ["Random", "Bayesian", "Hyperband"])
def test_every_value_is_text_of_its_range(strategy: str) -> None:
    reverse = continuous(
        Name="r", MinValue="0.5", MaxValue="0.99", ScalingType="ReverseLogarithmic"
    )
    space = {
        **SPACE,
        "ContinuousParameterRanges": [
            *SPACE["ContinuousParameterRanges"],
            *reverse["ContinuousParameterRanges"],
        ],
    }
    for values in search(strategy, settings(space, seed=3), 8, lambda values: 1.0):
        assert values["c"] in ("a", "b")
        assert 0 <= int(values["i"]) <= 10
        assert 0 <= float(values["f"]) <= 10
        assert 0.5 <= float(values["r"]) <= 0.99


def test_random_tries_nothing_twice_and_nothing_that_parents_tried() -> None:
    before = (Found(values={"x": "0"}, objective=1.0),)
    given = settings(integer(MaxValue="4"), seed=1, before=before)
    tried = search("Random", given, 4, off_three)
    assert sorted(values["x"] for values in tried) == ["1", "2", "3", "4"]


def test_a_grid_has_every_combination_of_different_categories_once() -> None:
    two = {"CategoricalParameterRanges": [
        {"Name": "a", "Values": ["1", "2", "1"]}, {"Name": "b", "Values": ["x", "y"]},
    ]}  # fmt: skip
    grid = made("Grid", settings(two))
    tried = [grid.next(str(number)) for number in range(5)]
    assert tried == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
        None,
    ]


@pytest.mark.parametrize("kind", ["Minimize", "Maximize"])
def test_bayesian_comes_closer_to_the_best_value_than_chance(kind: str) -> None:
    sign = 1 if kind == "Minimize" else -1

    def loss(values: Values) -> float:
        return sign * off_three(values)

    given = settings(continuous(MinValue="-100", MaxValue="100"), seed=5, kind=kind)
    late = search("Bayesian", given, 30, loss)[20:]
    by_chance = search("Random", given, 30, loss)[20:]
    assert sum(map(off_three, late)) < sum(map(off_three, by_chance)) / 2


def test_bayesian_begins_with_what_parents_have_found() -> None:
    wide = continuous(MinValue="-100", MaxValue="100")
    found = [Found(values={"x": str(x)}, objective=float((x - 3) ** 2)) for x in range(-99, 99, 3)]
    beside = [
        Found(values={"x": "1000"}, objective=0.0),
        Found(values={"y": "1"}, objective=0.0),
        Found(values={"x": "much"}, objective=0.0),
        Found(values={"x": "50"}, objective=None),
    ]
    given = settings(wide, seed=5)
    first = search("Bayesian", replace(given, before=(*found, *beside)), 5, off_three)
    unaware = search("Bayesian", given, 5, off_three)
    assert sum(map(off_three, first)) < sum(map(off_three, unaware)) / 10


def test_hyperband_stops_most_jobs_early_and_lets_the_best_go_on() -> None:
    given = settings(continuous(), seed=1, resources=(1, 9))
    hyperband = made("Hyperband", given)
    epochs: list[int] = []
    for number in range(30):
        job = str(number)
        assert hyperband.next(job) is not None
        worth = [float(number % 10)] * 9
        ran = next((n for n in range(1, 9) if hyperband.hopeless(job, worth[:n])), 9)
        epochs.append(ran)
        hyperband.end(job, worth[0])
    assert epochs[0] == 9
    assert sum(each < 9 for each in epochs) > 10
    assert all(epochs[number] == 9 for number in range(0, 30, 10))


def test_hyperband_stops_a_job_that_goes_on_beyond_its_resource() -> None:
    hyperband = made("Hyperband", settings(continuous(), resources=(1, 3)))
    hyperband.next("job")
    assert not hyperband.hopeless("job", [3.0, 2.0, 1.0])
    assert hyperband.hopeless("job", [3.0, 2.0, 1.0, 0.5])


def test_hyperband_learns_from_jobs_that_have_no_objective() -> None:
    hyperband = made("Hyperband", settings(continuous(), seed=1, resources=(1, 3)))
    for number in range(8):
        hyperband.next(str(number))
        hyperband.end(str(number), None)
    assert hyperband.next("next") is not None
