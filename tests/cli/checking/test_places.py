import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.cli.checking.places import Places, Region, spans
from airflow_sm_pipelines.definition.node import child_path

TEXT = """{
  "Version": "2020-12-01",
  "Steps": [
    {"Name": "A", "Arguments": {"a b": [1, -2.5e3], "c": {"d": null}}},
    {"Name": "B\\"]}", "Type": "Training"}
  ]
}
"""

SPANS = {path: TEXT[start:end] for path, (start, end) in spans(TEXT)}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


def paths(value: Any, path: str = "$") -> list[str]:
    """Every path of a JSON value."""
    inner: list[tuple[str, Any]] = []
    match value:
        case dict():
            inner = [(child_path(path, key), member) for key, member in value.items()]
        case list():
            inner = [(f"{path}[{index}]", element) for index, element in enumerate(value)]
    return [path, *(each for name, member in inner for each in paths(member, name))]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("$", "{"),
        ("$.Version", '"2020-12-01"'),
        ("$.Steps", '"Steps"'),
        ("$.Steps[0]", "{"),
        ("$.Steps[0].Arguments['a b'][1]", "-2.5e3"),
        ("$.Steps[0].Arguments.c", '"c"'),
        ("$.Steps[0].Arguments.c.d", "null"),
        ("$.Steps[1].Name", '"B\\"]}"'),
        ("$.Steps[1].Type", '"Training"'),
    ],
)
def test_a_path_leads_to_its_value_or_to_the_key_of_what_holds_many(path: str, text: str) -> None:
    assert SPANS[path] == text


@given(values, st.sampled_from([None, 1]))
def test_every_path_of_a_value_has_a_place(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert [path for path, _ in spans(text)] == paths(value)


@given(values)
def test_the_text_at_the_place_of_a_scalar_is_that_scalar(value: Any) -> None:
    text = json.dumps({"x": value}, ensure_ascii=False)
    start, end = dict(spans(text))["$.x"]
    expected = "x" if isinstance(value, dict | list) else value
    assert json.loads(text[start:end]) == expected


@pytest.mark.parametrize(
    ("where", "line", "column"),
    [
        ("$.Steps[1].Type", 5, 31),
        ("$.Steps[1].Arguments.RoleArn", 5, 5),
        ("$.Steps[1].Name2", 5, 5),
        ("$.Version > $.a", 2, 14),
        ("$", 1, 1),
    ],
)
def test_a_path_that_is_not_there_is_where_it_would_be(where: str, line: int, column: int) -> None:
    region = Places(TEXT).at(where)
    assert (region.line, region.column) == (line, column)


def test_a_region_ends_behind_its_last_character() -> None:
    assert Places(TEXT).at("$.Version") == Region(line=2, column=14, end_line=2, end_column=26)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_count_them(line_end: str) -> None:
    region = Places(TEXT.replace("\n", line_end)).at("$.Steps[1].Type")
    assert (region.line, region.column) == (5, 31)


def test_what_describe_pipeline_holds_is_in_its_string() -> None:
    carried = json.dumps({"PipelineName": "p", "PipelineDefinition": TEXT}, indent=1)
    places = Places(carried)
    assert places.at("$.Steps[0].Name").line == 3
    assert places.at("$.PipelineName").line == 2
    assert places.at("$.PipelineDefinition > $").line == 3


def test_a_definition_that_is_a_json_string_is_at_its_start() -> None:
    assert Places(json.dumps(TEXT)).at("$.Steps[0]").column == 1


@pytest.mark.parametrize(
    ("message", "line", "column"),
    [("line 3, column 7: not JSON; mend it", 3, 7), ("not UTF-8; mend it", 1, 1)],
)
def test_a_text_that_is_no_json_is_at_fault_where_its_problem_says(
    message: str, line: int, column: int
) -> None:
    region = Places("{").at("$", message)
    assert (region.line, region.column) == (line, column)
