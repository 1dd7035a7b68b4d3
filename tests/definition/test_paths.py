import pytest

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.paths import Path, look_up, parse_path


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


RESULT: Json = {
    "Status": "Completed",
    "Nothing": None,
    "ProcessingOutputConfig": {
        "Outputs": [{"OutputName": "train", "S3Uri": "s3://b"}, {"OutputName": "test"}, 3]
    },
    "FinalMetricDataList": [{"MetricName": "val:acc", "Value": 0.5}],
    "Numbers": [10, 20, [30]],
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
            "ProcessingOutputConfig, FinalMetricDataList, Numbers",
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
