"""Expressions and conditions that are built with the SDK's objects, evaluated on both sides."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.differential import oracle, ours, sdk
from tests.differential.ours import Run
from tests.differential.strategies import ARGUMENTS, CONDITIONS, RUNS
from tests.differential.tally import count


@given(ARGUMENTS, RUNS)
def test_arguments_are_what_local_mode_makes_of_them(tree: Any, run: Run) -> None:
    expected, met = oracle.evaluate(tree, run)
    count("arguments", expected, met)
    assert ours.evaluate(sdk.written(tree), run) == expected
    assert met or sdk.evaluate(tree, run) == expected


@given(st.lists(CONDITIONS, max_size=4), RUNS)
def test_conditions_hold_where_they_do_in_local_mode(conditions: list[Any], run: Run) -> None:
    expected, met = oracle.decide(conditions, run)
    count("conditions", expected, met)
    assert ours.decide(sdk.requests(conditions), run) == expected
    assert met or sdk.decide(conditions, run) == expected
