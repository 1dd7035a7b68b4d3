from typing import Any

import pytest

from airflow_sm_pipelines.local.serving.filters import FilterError, parse

ROW = ["id", "a", "b", "c"]
DOCUMENT = {"id": 1, "x": {"y": [1, 2]}, "rows": [{"v": 1}, {"v": 2}], "with space": 3}


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("", ROW, ROW),
        ("$", ROW, ROW),
        ("$[0]", ROW, "id"),
        ("$[-1]", ROW, "c"),
        ("$[1:]", ROW, ["a", "b", "c"]),
        ("$[:2]", ROW, ["id", "a"]),
        ("$[:-1]", ROW, ["id", "a", "b"]),
        ("$[0,-1]", ROW, ["id", "c"]),
        ("$[0,2:]", ROW, ["id", "b", "c"]),
        ("$[ 0 , 2 : ]", ROW, ["id", "b", "c"]),
        ("$[*]", ROW, ROW),
        ("$.id", DOCUMENT, 1),
        ("$['with space']", DOCUMENT, 3),
        ('$["id"]', DOCUMENT, 1),
        ("$.x.y[1]", DOCUMENT, 2),
        ("$['id','x']", DOCUMENT, {"id": 1, "x": {"y": [1, 2]}}),
        ("$.rows[*].v", DOCUMENT, [1, 2]),
        ("$.x.*", DOCUMENT, [[1, 2]]),
        ("$.rows[0]['v']", DOCUMENT, 1),
    ],
)
def test_a_path_selects_a_part(path: str, value: Any, selected: Any) -> None:
    assert parse(path).select(value) == selected


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("id", "'id' does not begin with $"),
        ("$..id", "'$..id': '..id' is none of .name, *, ['name'], [number], [start:end]"),
        ("$[?(@.x)]", "'[?(@.x)]' is none of"),
        ("$[]", "'[]' is none of"),
        ("$[1", "'[1' is none of"),
    ],
)
def test_a_path_that_is_none_is_refused(path: str, problem: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(path)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("$[4]", ROW, "no element 4 in an array of 4"),
        ("$[-5]", ROW, "no element -5 in an array of 4"),
        ("$.nothing", {"id": 1}, "no member 'nothing' in {'id': 1}"),
        ("$.id", ROW, "no object to take 'id' of: ['id', 'a', 'b', 'c']"),
        ("$[0]", {"id": 1}, "no array to take an element of: {'id': 1}"),
        ("$[*]", "x" * 100, "no object and no array: 'xxxx"),
    ],
)
def test_a_path_that_does_not_fit_says_why(path: str, value: Any, problem: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(path).select(value)
    assert problem in str(refused.value)
    assert len(str(refused.value)) < 100
