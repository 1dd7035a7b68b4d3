import math
from collections.abc import Callable

import pytest

from airflow_sm_pipelines.definition.node import (
    Json,
    Node,
    Problems,
    child_path,
    kind,
    raise_all,
)
from airflow_sm_pipelines.errors import DefinitionError

OBJECT = Node({"Name": "x", "Null": None, "odd key": [1, {"a": True}]})


def message(read: Callable[[], object]) -> str:
    with pytest.raises(DefinitionError) as caught:
        read()
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "key", "child"),
    [
        ("$", "Name", "$.Name"),
        ("$.a", "Std:Join", "$.a.Std:Join"),
        ("$", "odd key", "$['odd key']"),
        ("$", "5fold", "$['5fold']"),
        ("$", "", "$['']"),
    ],
)
def test_path_of_a_member_is_quoted_where_it_must_be(path: str, key: str, child: str) -> None:
    assert child_path(path, key) == child


def test_nodes_know_their_paths() -> None:
    assert OBJECT["odd key"].items()[1]["a"].path == "$['odd key'][1].a"
    assert [node.path for node in OBJECT.members().values()] == [
        "$.Name",
        "$.Null",
        "$['odd key']",
    ]


def test_null_is_absent() -> None:
    assert OBJECT.get("Null") is None
    assert OBJECT.read("Null", Node.text) is None
    assert OBJECT.elements("Null") == ()


def test_present_members_are_read() -> None:
    assert OBJECT.read("Name", Node.text) == "x"
    assert [node.value for node in OBJECT.elements("odd key")] == [1, {"a": True}]


@pytest.mark.parametrize("key", ["Null", "Absent"])
def test_required_member_that_is_absent_or_null_is_told_with_what_is_given(key: str) -> None:
    assert message(lambda: OBJECT[key]) == (
        f"$: {key!r} is missing; it is required, given are: Name, odd key"
    )
    assert message(lambda: Node({})[key]) == (
        f"$: {key!r} is missing; it is required, given are: none"
    )


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (Node.object, {"a": 1}),
        (Node.text, ""),
        (Node.boolean, False),
        (Node.integer, -3),
        (Node.number, 3),
        (Node.number, 0.5),
    ],
)
def test_value_of_the_right_kind_is_read(read: Callable[[Node], Json], value: Json) -> None:
    assert read(Node(value)) == value


@pytest.mark.parametrize(
    ("read", "value", "told"),
    [
        (Node.object, [], "$: an array where an object is expected"),
        (Node.members, "x", "$: the string 'x' where an object is expected"),
        (Node.items, {}, "$: an object where an array is expected"),
        (Node.text, None, "$: null where a string is expected"),
        (Node.boolean, 1, "$: the number 1 where true or false is expected"),
        (Node.integer, True, "$: true where an integer is expected"),
        (Node.integer, 3.0, "$: the number 3.0 where an integer is expected"),
        (Node.number, False, "$: false where a number is expected"),
        (Node.number, "1" * 61, "$: a long string where a number is expected"),
        (Node.number, math.nan, "$: nan where a finite number is expected"),
        (Node.number, -math.inf, "$: -inf where a finite number is expected"),
        (
            Node.text,
            {"Get": "Parameters.X"},
            "$: an object where a string is expected; "
            "an expression may not stand here, write the value itself",
        ),
        (
            Node.integer,
            {"Std:Join": {}},
            "$: an object where an integer is expected; "
            "an expression may not stand here, write the value itself",
        ),
    ],
)
def test_value_of_another_kind_is_refused(
    read: Callable[[Node], object], value: Json, told: str
) -> None:
    assert message(lambda: read(Node(value))) == told


@pytest.mark.parametrize("name", ["a", "-", "Train_2-x", "a" * 64])
def test_identifier_is_letters_digits_hyphen_and_underscore(name: str) -> None:
    assert Node(name).identifier(64) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "the string ''"),
        ("a b", "the string 'a b'"),
        ("a\n", "the string 'a\\n'"),
        ("ä", "the string 'ä'"),
        ("a" * 65, "a long string"),
    ],
)
def test_other_identifiers_are_refused(name: str, shown: str) -> None:
    assert message(lambda: Node(name).identifier(64)) == (
        f"$: {shown} is not a name; use 1 to 64 letters, digits, '-' and '_'"
    )


def test_every_unknown_key_is_told_with_the_nearest_known_one() -> None:
    node = Node({"Name": 1, "Nmae": 2, "zzz": 3})
    assert message(lambda: node.only(("Name", "Type"))) == (
        "$.Nmae: unknown key 'Nmae'; did you mean 'Name'?; known are: Name, Type\n"
        "$.zzz: unknown key 'zzz'; known are: Name, Type"
    )


def test_known_keys_are_accepted() -> None:
    Node({"Name": 1}).only(("Name", "Type"))


def test_problems_are_kept_and_raised_together_each_once() -> None:
    problems = Problems()
    parsed = problems.each([Node("a"), Node(1, "$[1]"), Node("b"), Node(1, "$[1]")], Node.text)
    with problems.caught():
        Node(None, "$[9]").text()
    assert parsed == ("a", "b")
    assert problems
    assert message(problems.raise_any) == (
        "$[1]: the number 1 where a string is expected\n$[9]: null where a string is expected"
    )


def test_without_problems_nothing_is_raised() -> None:
    problems = Problems()
    assert not problems
    problems.raise_any()
    raise_all([])


def test_problems_keep_nothing_but_definition_errors() -> None:
    with pytest.raises(ZeroDivisionError), Problems().caught():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        ({}, "an object"),
        ([], "an array"),
        (True, "true"),
        ("x", "the string 'x'"),
        ("x" * 60, f"the string '{'x' * 60}'"),
        ("x" * 61, "a long string"),
        (3, "the number 3"),
        (0.5, "the number 0.5"),
    ],
)
def test_value_is_named_by_its_kind(value: Json, shown: str) -> None:
    assert kind(value) == shown
