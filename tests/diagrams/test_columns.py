"""Where vertices stand from left to right."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.diagrams.columns import columns, settled
from airflow_sm_pipelines.diagrams.layers import Stretch, layered


@pytest.mark.parametrize(
    ("wanted", "apart", "places"),
    [
        ([0, 100], [0, 10], [0, 100]),
        ([0, 0], [0, 10], [-5, 5]),
        ([50, 0], [0, 10], [20, 30]),
        ([0, 0, 100], [0, 10, 10], [-5, 5, 100]),
        ([], [], []),
    ],
)
def test_places_are_as_near_to_the_wanted_ones_as_the_others_allow(
    wanted: list[int], apart: list[int], places: list[int]
) -> None:
    assert settled(wanted, apart, [1] * len(wanted)) == places


def test_the_heavier_gives_way_less() -> None:
    assert settled([0, 0], [0, 10], [9, 1]) == [-1, 9]


def cost(places: list[int], wanted: list[int], weights: list[int]) -> int:
    triples = zip(places, wanted, weights, strict=True)
    return sum(weight * (place - wish) ** 2 for place, wish, weight in triples)


ROW = st.lists(
    st.tuples(st.integers(-50, 50), st.integers(0, 20), st.integers(1, 9)), min_size=1, max_size=7
)


@given(ROW, st.data())
def test_no_other_places_are_nearer(row: list[tuple[int, int, int]], data: st.DataObject) -> None:
    wanted, apart, weights = (list(each) for each in zip(*row, strict=True))
    places = settled(wanted, apart, weights)
    gaps = [after - before for before, after in pairwise(places)]
    assert all(gap >= least for gap, least in zip(gaps, apart[1:], strict=True))
    moves = data.draw(st.lists(st.integers(-9, 9), min_size=len(row), max_size=len(row)))
    others = [place + move for place, move in zip(places, moves, strict=True)]
    if all(b - a >= least for (a, b), least in zip(pairwise(others), apart[1:], strict=True)):
        # Whole numbers: each block may be off by less than one pixel.
        rounding = Fraction(sum(weights))
        assert cost(places, wanted, weights) <= cost(others, wanted, weights) + rounding


def test_a_chain_is_straight_and_begins_at_the_left() -> None:
    strands = [("A", False), ("B", False)]
    layers = layered("ABC", [Stretch(strands[0], "A", "B"), Stretch(strands[1], "B", "C")])
    middles = columns(layers, dict.fromkeys("ABC", 40), lambda _: (0, 0))
    assert middles == {"A": 20, "B": 20, "C": 20}


def test_what_forks_stands_in_the_middle() -> None:
    stretches = [Stretch(("A", False), "A", each) for each in "BCD"]
    middles = columns(layered("ABCD", stretches), dict.fromkeys("ABCD", 40), lambda _: (0, 0))
    assert middles["A"] == middles["C"]
    assert middles["C"] - middles["B"] == middles["D"] - middles["C"] >= 40
