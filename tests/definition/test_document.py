import json

import pytest

from airflow_sm_pipelines.definition.document import (
    DEEPEST,
    LARGEST_TEXT,
    read,
    read_json,
)
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError
from tests.definition.cases import PIPELINES


def message(text: str | bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        read(text)
    return str(caught.value)


def described(**keys: Json) -> str:
    return json.dumps({"PipelineDefinition": "{}", **keys})


@pytest.mark.parametrize("text", ["{}", b"{}", "\ufeff{}", b"\xef\xbb\xbf{}"])
def test_text_bytes_and_a_byte_order_mark_are_read(text: str | bytes) -> None:
    assert read(text).definition.value == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "",
            "$: line 1, column 1: not JSON: Expecting value; "
            "a definition is the JSON that Pipeline.definition() returns",
        ),
        (
            '{\n "a": }',
            "$: line 2, column 7: not JSON: Expecting value; "
            "a definition is the JSON that Pipeline.definition() returns",
        ),
        ("[]", "$: an array where an object is expected"),
        ("null", "$: null where an object is expected"),
        ('"x"', "$: the string 'x' where an object is expected"),
        ('{"a": NaN}', "$: NaN is not JSON; write a number or a string"),
        ('{"a": -Infinity}', "$: -Infinity is not JSON; write a number or a string"),
        ('{"a": 1e999}', "$: a number beyond 1.8e308; write one that fits a double"),
        (
            '{"a": ' + "1" * 5_000 + "}",
            "$: an integer of thousands of digits; write a number AWS can take",
        ),
        (
            b'{"a": "\xff"}',
            "$: not UTF-8: 'utf-8' codec can't decode byte 0xff in position 7: invalid start byte; "
            "a definition is UTF-8 text",
        ),
        (
            '{"a": "\ud800"}',
            "$: not UTF-8: 'utf-8' codec can't encode character '\\ud800' in position 7: "
            "surrogates not allowed; a definition is UTF-8 text",
        ),
        (
            r'{"a": "\uD800"}',
            "$: not Unicode: surrogates not allowed; write whole characters",
        ),
        (r'{"\udfff": 1}', "$: not Unicode: surrogates not allowed; write whole characters"),
    ],
)
def test_text_that_is_no_definition_is_refused(text: str | bytes, told: str) -> None:
    assert message(text) == told


def test_escaped_pairs_of_surrogates_are_one_character() -> None:
    assert read_json(r'"\ud83d\ude00"').value == "😀"


@pytest.mark.parametrize("text", [" " * 50_000_000, b" " * 50_000_000])
def test_fifty_megabytes_are_refused_unread(text: str | bytes) -> None:
    assert message(text) == (
        "$: a text of length 50,000,000; a definition is at most 1 MiB, and up to 8,388,608 is read"
    )


def test_largest_text_is_read() -> None:
    assert read("{}" + " " * (LARGEST_TEXT - 2)).definition.value == {}


@pytest.mark.parametrize(
    "text", ["[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000]
)
def test_ten_thousand_levels_are_refused(text: str) -> None:
    assert message(text).endswith(": nested deeper than 100 levels; a definition needs about 20")


def test_a_hundred_levels_are_read_and_one_more_is_told_with_its_place() -> None:
    read_json("[" * DEEPEST + "1" + "]" * DEEPEST)
    with pytest.raises(DefinitionError) as caught:
        read_json("[" * (DEEPEST + 1) + "1" + "]" * (DEEPEST + 1))
    assert str(caught.value) == (
        f"${'[0]' * DEEPEST}: nested deeper than 100 levels; a definition needs about 20"
    )


def test_every_key_that_is_given_twice_is_told_in_the_order_of_the_text() -> None:
    assert message('{"b": {"x": 1, "x": 2}, "a": 1, "c": [{"y": 1, "y": 1}], "a": 2}') == (
        "$: key 'a' is given twice; keep one\n"
        "$.b: key 'x' is given twice; keep one\n"
        "$.c[0]: key 'y' is given twice; keep one"
    )


def test_a_bare_definition_says_nothing_of_its_resource() -> None:
    document = read('{"Version": "2020-12-01"}')
    assert document.definition.value == {"Version": "2020-12-01"}
    assert (document.name, document.role_arn, document.max_parallel_steps) == (None, None, None)


def test_describe_pipeline_carries_name_role_texts_and_parallelism() -> None:
    document = read((PIPELINES / "describe_pipeline.json").read_bytes())
    assert document.name == "Abalone"
    assert document.display_name == "Abalone rings"
    assert document.description == "From shells to ages"
    assert document.role_arn == "arn:aws:iam::123456789012:role/sagemaker"
    assert document.max_parallel_steps == 2
    assert document.definition["Steps"].path == "$.Steps"


def test_the_definition_of_an_execution_carries_no_name() -> None:
    document = read(described(CreationTime="2026-01-02T03:04:05+00:00"))
    assert (document.definition.value, document.name) == ({}, None)


def test_a_definition_that_is_a_json_string_is_read() -> None:
    text = (PIPELINES / "describe_pipeline.json").read_text(encoding="utf-8")
    assert read(json.dumps('{"Version": "2020-12-01"}')).definition.value == {
        "Version": "2020-12-01"
    }
    assert read(json.dumps(text)) == read(text)


@pytest.mark.parametrize("parallelism", [None, {}, {"MaxParallelExecutionSteps": None}])
def test_parallelism_without_a_number_is_no_limit(parallelism: Json) -> None:
    assert read(described(ParallelismConfiguration=parallelism)).max_parallel_steps is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            described(ParallelismConfiguration={"MaxParallelExecutionSteps": 0}),
            "$.ParallelismConfiguration.MaxParallelExecutionSteps: 0 steps at once; "
            "MaxParallelExecutionSteps is at least 1",
        ),
        (
            described(ParallelismConfiguration={"MaxParallelExecutionSteps": "2"}, PipelineName=1),
            "$.ParallelismConfiguration.MaxParallelExecutionSteps: "
            "the string '2' where an integer is expected\n"
            "$.PipelineName: the number 1 where a string is expected",
        ),
        (
            described(PipelineDefinition={}),
            "$.PipelineDefinition: an object where a string is expected",
        ),
        (
            described(PipelineDefinition='{"a": 1, "a": 2}'),
            "$.PipelineDefinition > $: key 'a' is given twice; keep one",
        ),
        (json.dumps('{"a": 1, "a": 2}'), "$ > $: key 'a' is given twice; keep one"),
        (
            json.dumps('{"a": '),
            "$ > $: line 1, column 7: not JSON: Expecting value; "
            "a definition is the JSON that Pipeline.definition() returns",
        ),
        (
            json.dumps(json.dumps('{"a": 1}')),
            '$: the string \'"{\\\\"a\\\\": 1}"\' where an object is expected',
        ),
        (
            described(PipelineDefinition=None),
            "$: 'PipelineDefinition' is missing; it is required, given are: none",
        ),
    ],
)
def test_faults_of_describe_pipeline_are_told(text: str, told: str) -> None:
    assert message(text) == told
