"""The values of ranges, and how they are spread over a scale."""

import random
from collections import Counter
from typing import Any

import pytest

from airflow_sm_pipelines.local.tuning import ranges

from .conftest import categorical, continuous, integer

DRAWS = 4000


def drawn(given: dict[str, Any]) -> list[str]:
    (one,) = ranges.parsed(given)
    chance = random.Random(7)
    return [one.draw(chance) for _ in range(DRAWS)]


def share(given: dict[str, Any], below: float) -> float:
    return sum(float(each) < below for each in drawn(given)) / DRAWS


@pytest.mark.parametrize(
    ("given", "middle"),
    [
        (continuous(MinValue="0", MaxValue="10", ScalingType="Linear"), 5),
        (continuous(MinValue="0.001", MaxValue="1000", ScalingType="Logarithmic"), 1),
        (continuous(MinValue="0.9", MaxValue="0.9999", ScalingType="ReverseLogarithmic"), 0.99684),
        (continuous(MinValue="0.01", MaxValue="1"), 0.1),  # Auto, and a hundred times as large
        (continuous(MinValue="0.1", MaxValue="1"), 0.55),  # Auto, and not
        (integer(MinValue="1", MaxValue="1000", ScalingType="Linear"), 500.5),
        (integer(MinValue="1", MaxValue="1024", ScalingType="Logarithmic"), 23),
    ],
)
def test_half_of_the_values_are_below_the_middle_of_the_scale(
    given: dict[str, Any], middle: float
) -> None:
    assert share(given, middle) == pytest.approx(0.5, abs=0.03)


def test_every_whole_number_is_as_likely_the_ends_too() -> None:
    counted = Counter(drawn(integer(MinValue="-1", MaxValue="2")))
    assert sorted(counted) == ["-1", "0", "1", "2"]
    assert min(counted.values()) > 0.9 * DRAWS / 4


@pytest.mark.parametrize("scale", ["Linear", "Logarithmic", "ReverseLogarithmic"])
def test_no_value_is_outside_of_its_range(scale: str) -> None:
    given = continuous(MinValue="0.1", MaxValue="0.7", ScalingType=scale)
    assert all(0.1 <= float(each) <= 0.7 for each in drawn(given))


def test_categories_are_passed_on_as_they_are() -> None:
    assert set(drawn(categorical('"a"', "[1, 2]"))) == {'"a"', "[1, 2]"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (integer(MinValue="9", MaxValue="1"), "MinValue of x is 9, it must be less than"),
        (continuous(MinValue="1", MaxValue="1"), "MinValue of x is 1.0, it must be less than"),
        (continuous(MinValue="0", MaxValue="inf"), "it must be less than MaxValue, inf"),
        (integer(MaxValue="2.5"), "MinValue and MaxValue of x are '0' and '2.5'; each would be an"),
        (continuous(MaxValue="much"), "are '0' and 'much'; each would be a number"),
        (continuous(ScalingType="Logarithmic"), "Logarithmic scaling of x needs values greater"),
        (continuous(ScalingType="ReverseLogarithmic"), "x needs values of 0 <= x < 1"),
        (
            integer(MinValue="0", MaxValue="1", ScalingType="ReverseLogarithmic"),
            "ReverseLogarithmic scaling of x",
        ),
    ],
)
def test_what_is_wrong_with_a_range_is_told(given: dict[str, Any], problem: str) -> None:
    (found,) = ranges.problems(given, "ParameterRanges")
    assert found.startswith(f"ParameterRanges.{next(iter(given))}[0]: ")
    assert problem in found
