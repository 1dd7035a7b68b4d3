from typing import Any

import pytest
from botocore.session import get_session

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.paths import (
    NAME_MEMBERS,
    Path,
    is_json_path,
    look_up,
    parse_path,
    without_root,
)

AWS = get_session().get_service_model("sagemaker")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a[0].b", ("a", 0, "b")),
        ("a[-1]", ("a", -1)),
        ("[0][1]", (0, 1)),
        ("Outputs['train'].S3Output", ("Outputs", "train", "S3Output")),
        ('Outputs["train"]', ("Outputs", "train")),
        ("['a.b']['c[0]']", ("a.b", "c[0]")),
        ("""["it's"]""", ("it's",)),
        ("['it's'].a", ("it's", "a")),
        ("""['say "x"']["y"]""", ('say "x"', "y")),
        ("validation:rmse.value", ("validation:rmse", "value")),
        ("5fold.m", ("5fold", "m")),
        ("f1/macro", ("f1/macro",)),
        ("größe.mm", ("größe", "mm")),
        ("$.a", ("$", "a")),
    ],
)
def test_path_is_read(text: str, path: Path) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "an empty path; name a member, for example metrics.mse.value"),
        (
            "a..b",
            "path 'a..b', character 2: '..b' is not a segment; segments are .name, [0] and ['key']",
        ),
        (
            "a[x]",
            "path 'a[x]', character 2: '[x]' is not a segment; segments are .name, [0] and ['key']",
        ),
        (
            "a['']",
            "path \"a['']\", character 2: \"['']\" is not a segment; "
            "segments are .name, [0] and ['key']",
        ),
        (
            "a[1]b",
            "path 'a[1]b', character 5: 'b' is not a segment; segments are .name, [0] and ['key']",
        ),
        (
            ".a",
            "path '.a', character 1: '.a' is not a segment; segments are .name, [0] and ['key']",
        ),
    ],
)
def test_path_outside_the_grammar_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="path") as caught:
        parse_path(text)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("$.a.b", "a.b"),
        ("$['a'].b", "['a'].b"),
        ("$[0]", "[0]"),
        ("$", ""),
        ("$id", "$id"),
        ("$..a", "$..a"),
        ("a.$.b", "a.$.b"),
        ("a", "a"),
    ],
)
def test_document_at_the_start_of_a_path_is_no_segment(path: str, rest: str) -> None:
    assert without_root(path) == rest


@pytest.mark.parametrize(
    "text",
    [
        *("a..b", "$..b", "a.*", "a[*]", "a[?(@.b > 1)]", "a[ ?(@.b)]", "a[(@.length-1)]"),
        *("a[0:2]", "a[0,1]", "a*b", "['a','b']", '$["a", "b"]'),
    ],
)
def test_path_that_only_json_path_has_is_known(text: str) -> None:
    assert is_json_path(text)


@pytest.mark.parametrize(
    "text",
    [
        *("a", "$.a", "a.b[0]['k']", "[-1]", "train:rmse", "f1/macro", "a(b)", "a?b", ""),
        *("['a*b']", "['a..b']", '["a,b"]', "['a:b'][0]['*']", "['it's a*b']"),
    ],
)
def test_path_of_names_positions_and_quoted_keys_is_not_beyond_our_grammar(text: str) -> None:
    assert not is_json_path(text)


RESULT: dict[str, Json] = {
    "Status": "Completed",
    "Nothing": None,
    "ProcessingOutputConfig": {
        "Outputs": [{"OutputName": "train", "S3Uri": "s3://b"}, {"OutputName": "test"}, 3]
    },
    "FinalMetricDataList": [{"MetricName": "val:acc", "Value": 0.5}],
    "Numbers": [10, 20, [30]],
    "JobConfigDocument": '{"OutputModelPackageArn": "arn", "Steps": [{"Rate": 0.5}]}',
    "Broken": {"JobConfigDocument": "{"},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Status", "Completed"),
        ("Nothing", None),
        ("ProcessingOutputConfig.Outputs['train'].S3Uri", "s3://b"),
        ("ProcessingOutputConfig.Outputs[1].OutputName", "test"),
        ("FinalMetricDataList['val:acc'].Value", 0.5),
        ("Numbers[-1][0]", 30),
        ("JobConfigDocument.OutputModelPackageArn", "arn"),
        ("JobConfigDocument.Steps[0].Rate", 0.5),
        ("JobConfigDocument", RESULT["JobConfigDocument"]),
    ],
)
def test_path_leads_to_a_value(text: str, value: Json) -> None:
    assert look_up(RESULT, parse_path(text)) == value


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Stats",
            "'Stats' is not in the result; did you mean 'Status'?; there are: Status, Nothing, "
            "ProcessingOutputConfig, FinalMetricDataList, Numbers, JobConfigDocument, Broken",
        ),
        (
            "ProcessingOutputConfig.Output",
            "'Output' is not in .ProcessingOutputConfig; did you mean 'Outputs'?; "
            "there are: Outputs",
        ),
        (
            "ProcessingOutputConfig[0]",
            "0 is not in .ProcessingOutputConfig; there are: Outputs",
        ),
        ("Numbers[3]", "[3] is not in .Numbers; it has 3 elements"),
        ("Numbers[-4]", "[-4] is not in .Numbers; it has 3 elements"),
        (
            "Numbers['a']",
            "'a' is not in .Numbers; its elements have no name, use a position such as [0]",
        ),
        (
            "ProcessingOutputConfig.Outputs['tran']",
            "no element of .ProcessingOutputConfig.Outputs has the OutputName 'tran'; "
            "did you mean 'train'?; there are: train, test",
        ),
        ("Status.x", "'x' is not in .Status; that is the string 'Completed'"),
        ("Nothing[0]", "0 is not in .Nothing; that is null"),
        (
            "JobConfigDocument.Output",
            "'Output' is not in .JobConfigDocument; there are: OutputModelPackageArn, Steps",
        ),
        (
            "Broken.JobConfigDocument.a",
            ".Broken.JobConfigDocument is no JSON text: "
            "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ("Numbers[2][0].x", "'x' is not in .Numbers[2][0]; that is the number 30"),
    ],
)
def test_way_that_ends_is_told(text: str, told: str) -> None:
    with pytest.raises(LookupError) as caught:
        look_up(RESULT, parse_path(text))
    assert caught.value.args[0] == told


def test_way_that_ends_at_once_is_told() -> None:
    with pytest.raises(LookupError) as caught:
        look_up(None, ("x",))
    assert caught.value.args[0] == "'x' is not in the result; that is null"


# The names of elements, against botocore's model


@pytest.mark.parametrize(
    ("operation", "way"),
    [
        ("DescribeProcessingJob", ("ProcessingInputs",)),
        ("DescribeProcessingJob", ("ProcessingOutputConfig", "Outputs")),
        ("DescribeTrainingJob", ("FinalMetricDataList",)),
        ("DescribeTrainingJob", ("InputDataConfig",)),
    ],
)
def test_members_that_name_elements_are_those_of_the_service(
    operation: str, way: tuple[str, ...]
) -> None:
    shape: Any = AWS.operation_model(operation).output_shape
    for member in way:
        shape = shape.members[member]
    assert NAME_MEMBERS[way[-1]] in shape.member.members


def test_every_row_of_members_is_compared_with_the_service() -> None:
    assert set(NAME_MEMBERS) == {
        "FinalMetricDataList",
        "InputDataConfig",
        "Outputs",
        "ProcessingInputs",
    }
