import pytest

from airflow_sm_pipelines.definition.node import Json
from tests.validation.cases import told, training, warning


def reading(path: str) -> Json:
    return {"Std:JsonGet": {"S3Uri": "s3://bucket/metrics.json", "Path": path}}


@pytest.mark.parametrize("path", ["a[?(", "a[*", "$..", "a[1:"])
def test_path_that_neither_grammar_reads_is_a_warning(path: str) -> None:
    value = warning(training(HyperParameters={"x": reading(path)}))
    assert value.startswith("$.Steps[0].Arguments.HyperParameters.x.Std:JsonGet.Path: the string ")
    assert "cannot be read as JSONPath (" in value
    assert value.endswith(
        "so that the step would fail; write for example metrics['a key'][0].value"
    )


@pytest.mark.parametrize("path", ["a[*].b", "a..b", "a[?(@.x==1)].y", "a[1:2]", "train:rmse.value"])
def test_path_of_either_grammar_is_right(path: str) -> None:
    assert told(training(HyperParameters={"x": reading(path)})) == ([], [])
