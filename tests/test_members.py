from typing import Any

import pytest

from airflow_sm_pipelines.members import contains, covers, member


@pytest.mark.parametrize(
    ("path", "found"),
    [("A", {"B": 1}), ("A.B", 1), ("A.C", None), ("A.B.C", None), ("C", None), ("D.E", None)],
)
def test_a_path_leads_to_a_member_or_to_nothing(path: str, found: Any) -> None:
    assert member({"A": {"B": 1}, "D": [1]}, path) == found


@pytest.mark.parametrize(
    ("described", "asked", "covered"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": {"b": 1}}, {"a": 1}, False),
        ({}, {"a": 1}, True),
    ],
)
def test_a_description_covers_what_was_asked_for(
    described: dict[str, Any], asked: dict[str, Any], covered: bool
) -> None:
    assert covers(described, asked) is covered


@pytest.mark.parametrize(
    ("described", "asked", "contained"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": [{"c": 2}]}, {"a": [{"b": 1}]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({}, {}, True),
    ],
)
def test_what_is_left_out_is_not_contained(
    described: dict[str, Any], asked: dict[str, Any], contained: bool
) -> None:
    assert contains(described, asked) is contained
