"""Single operations on random operands, which are often equal or of one type."""

import math

from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.definition.node import Json
from tests.differential import sdk
from tests.differential.oracle import agree
from tests.differential.strategies import SCALARS

NUMBERS: list[Json] = [0, 1, 2, -1, 10**20, 0.0, -0.0, 1.0, 2.5, 1e20, math.nan, math.inf]
TEXTS: list[Json] = ["", "a", "b", "1", "10", "9", "true", "True", "None"]
OTHERS: list[Json] = [True, False, [1], [2], [], {"a": 1}, {}]
VALUES = st.sampled_from(NUMBERS + TEXTS + OTHERS) | SCALARS
PAIRS = (
    st.tuples(VALUES, VALUES)
    | VALUES.map(lambda value: (value, value))
    | st.one_of(*(st.tuples(same, same) for same in (st.integers(-2, 2), st.text("ab"))))
)


@given(st.sampled_from(sorted(sdk.COMPARISONS)), PAIRS)
def test_comparison_is_the_one_of_local_mode(type_: str, pair: tuple[Json, Json]) -> None:
    agree("compare", type_, *pair)


@given(PAIRS)
def test_element_is_among_values_where_local_mode_finds_it(pair: tuple[Json, Json]) -> None:
    agree("in", *pair)


@given(VALUES)
def test_value_is_joined_as_local_mode_joins_it(value: Json) -> None:
    agree("join", value)
