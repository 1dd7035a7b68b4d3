from typing import Any

import pytest

from airflow_sm_pipelines.contrasts import LONGEST_VALUE, Contrast, contrasts, explained

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("described", "asked"),
    [
        ({"A": {"x": 1, "default": 2}}, {"A": {"x": 1}}),
        ({"A": [{"x": 1, "default": 2}]}, {"A": [{"x": 1}]}),
        ({"A": {"B": {"x": 1}}, "C": 2}, {"A.B": {"x": 1}}),
        ({"A": {"x": 1}}, {"A": None}),
        ({}, {"A": {}}),
        ({"A": None}, {"A": []}),
        ({"A": {"Environment": {}}}, {"A": {"Environment": {}}}),
        ({"HyperParameters": {"a": "1", "b": "2"}}, {"HyperParameters": {"a": "1"}}),
    ],
)
def test_what_aws_adds_or_leaves_out_empty_is_no_contrast(described: Json, asked: Json) -> None:
    assert contrasts(described, asked) == []


@pytest.mark.parametrize(
    ("described", "asked", "told"),
    [
        ({"A": {"x": 1}}, {"A": {"x": 2}}, ["A.x: 1 then, 2 now"]),
        ({"A": {"x": True}}, {"A": {"x": False}}, ["A.x: true then, false now"]),
        ({}, {"A": False}, ["A: nothing then, false now"]),
        ({}, {"A.B": {"x": 1}}, ['A.B: nothing then, {"x": 1} now']),
        ({"A": [1]}, {"A": [1, 2]}, ["A: [1] then, [1, 2] now"]),
        ({"A": [{"x": 1}, {"x": 2}]}, {"A": [{"x": 1}, {"x": 3}]}, ["A[1].x: 2 then, 3 now"]),
    ],
)
def test_a_contrast_shows_both_values(described: Json, asked: Json, told: list[str]) -> None:
    assert [*map(str, contrasts(described, asked))] == told
    assert [*map(str, explained(described, asked))] == told


def test_what_is_not_asked_for_any_more_explains_where_nothing_else_differs() -> None:
    described: Json = {"A": {"x": 1, "default": 2}, "B": [{"y": 1}]}
    assert [*map(str, explained(described, {"A": {"x": 1}, "B": [{}]}))] == [
        "A.default: 2 then, nothing now",
        "B[0].y: 1 then, nothing now",
    ]
    assert [*map(str, explained(described, {"A": {"x": 2}}))] == ["A.x: 1 then, 2 now"]
    assert [*map(str, explained(described, {"B": None}))] == [
        'B: [{"y": 1}] then, nothing now',
    ]


@pytest.mark.parametrize("place", ["HyperParameters", "Environment", "T.StaticHyperParameters"])
def test_values_that_may_be_secret_are_never_shown(place: str) -> None:
    holder, _, name = place.rpartition(".")

    def at(**values: str) -> Json:
        return {holder: {name: values}} if holder else {name: values}

    described = at(same="1", other="hunter2", gone="hunter3")
    told = explained(described, {place: {"same": "1", "other": "hunter4", "new": "hunter5"}})
    assert [*map(str, told)] == [
        f"{place}.other: another value (not shown)",
        f"{place}.new: given only now",
        f"{place}.gone: given only then",
    ]
    assert [*map(str, explained(at(), {place: {"new": "hunter5"}}))] == [
        f"{place}.new: given only now"
    ]
    assert [*map(str, explained({}, {place: {"new": "hunter5"}}))] == [
        f"{place}.new: given only now"
    ]
    assert [*map(str, explained(at(gone="hunter3"), {place: None}))] == [
        f"{place}.gone: given only then"
    ]


def test_a_secret_inside_a_longer_value_is_masked() -> None:
    before: Json = {"Definitions": [{"Environment": {"TOKEN": "hunter2"}, "Name": "a"}]}
    told = str(explained(before, {"Definitions": []})[0])
    assert told == ('Definitions: [{"Environment": "***", "Name": "a"}] then, [] now')


def test_a_long_value_is_cut() -> None:
    told = str(Contrast("A", "x" * 1000, None))
    assert told == f'A: "{"x" * (LONGEST_VALUE - 1)}... then, nothing now'


def test_what_sagemaker_adds_to_the_hyperparameters_of_a_tuning_job_explains_nothing() -> None:
    described: Json = {"StaticHyperParameters": {"_tuning_objective_metric": "rmse", "a": "1"}}
    assert explained(described, {"StaticHyperParameters": {"a": "1"}}) == []
