import json
from typing import Any

import pytest

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.serving.association import Association, association
from airflow_sm_pipelines.local.serving.records import Record

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"


def asked(
    content_type: str, split: str = "Line", *, single: bool = False, **processing: str
) -> Association:
    request: dict[str, Any] = {
        "TransformInput": {"ContentType": content_type, "SplitType": split},
        "TransformOutput": {},
        "DataProcessing": processing,
    }
    return association(request, single=single)


def batch(*contents: str) -> tuple[Record, ...]:
    return tuple(Record(each.encode(), f"{each}\n".encode()) for each in contents)


def test_nothing_is_looked_into_without_a_filter() -> None:
    whole = asked("image/png", single=True)
    assert whole.body(batch("\x00")) == b"\x00"
    assert whole.results(batch("\x00"), b"\xff\xfe") == b"\xff\xfe"


@pytest.mark.parametrize(
    ("content_type", "path", "record", "body"),
    [
        (CSV, "$[1:]", '7,"a, b",c', '"a, b",c'),
        (f"{CSV}; charset=utf-8", "$[0]", "7,8", "7"),
        (LINES, "$.x", '{"id": 7, "x": ["é", 1.5]}', '["é",1.5]'),
        (JSON, "$['x','y']", '{"x": 1, "y": 2, "z": 3}', '{"x":1,"y":2}'),
    ],
)
def test_the_model_gets_what_the_input_filter_selects(
    content_type: str, path: str, record: str, body: str
) -> None:
    assert asked(content_type, InputFilter=path).body(batch(record)).decode() == body


def test_a_file_that_is_not_split_is_filtered_by_its_lines() -> None:
    whole = asked(CSV, "None", InputFilter="$[0]")
    assert whole.body(batch("1,2\n3,4")) == b"1\n3"


@pytest.mark.parametrize(
    ("given", "told", "joined"),
    [
        ('{"id": 7}', "[1]", {"id": 7, "SageMakerOutput": [1]}),
        ("[7]", '{"p": 1}', {"SageMakerInput": [7], "SageMakerOutput": {"p": 1}}),
    ],
)
def test_a_document_is_joined_with_its_result(given: str, told: str, joined: Any) -> None:
    whole = asked(JSON, "None", JoinSource="Input")
    assert json.loads(whole.results(batch(given), told.encode())) == joined


def test_a_document_of_several_lines_is_one_record() -> None:
    whole = asked(JSON, "None", JoinSource="Input")
    result = whole.results(batch('{\n"id": 7\n}'), b'{\n"p": 1\n}')
    assert json.loads(result) == {"id": 7, "SageMakerOutput": {"p": 1}}


def test_results_alone_are_filtered() -> None:
    assert asked(CSV, OutputFilter="$[1]").results(batch("x", "y"), b"1,2\n3,4\n") == b"2\n4"


def test_a_record_that_is_not_of_its_type_is_told() -> None:
    with pytest.raises(JobError, match="DataProcessing: input cannot be read: Expecting"):
        asked(LINES, InputFilter="$.x").body(batch("no json"))
