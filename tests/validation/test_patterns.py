"""Java's patterns in Python."""

import pytest

from airflow_sm_pipelines.validation.models import model
from airflow_sm_pipelines.validation.patterns import compiled


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        (r"[a-z]+", "abc", True),
        (r"[a-z]+", "abc1", False),
        (r"\w+", "é", False),
        (r".*", "two\nlines", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "Über 9 = a@b", True),
        (r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)", "a;b", False),
        (r"arn:[\p{Alnum}\-]+:lambda:.*", "arn:aws-cn:lambda:f", True),
    ],
)
def test_pattern_matches_the_whole_value_as_java_does(
    pattern: str, value: str, matches: bool
) -> None:
    expression = compiled(pattern)
    assert expression
    assert (expression.fullmatch(value) is not None) is matches


@pytest.mark.parametrize(
    "pattern", [r"[\p{L}\p{M}]*", r"a${1,128}", r"[\uD800\uDC00-\uDBFF\uDFFF]"]
)
def test_pattern_that_python_cannot_express_is_not_checked(pattern: str) -> None:
    assert compiled(pattern) is None


def test_nearly_all_patterns_of_sagemaker_are_checked() -> None:
    shapes = model("sagemaker")["shapes"].values()
    patterns = {shape["pattern"] for shape in shapes if "pattern" in shape}
    unchecked = {pattern for pattern in patterns if compiled(pattern) is None}
    assert len(unchecked) < len(patterns) / 20
