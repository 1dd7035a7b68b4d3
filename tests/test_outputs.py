import logging
from typing import Any

import pytest

from airflow_sm_pipelines import outputs
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.model import Output
from airflow_sm_pipelines.definition.parameters import PARAMETER_TYPES
from airflow_sm_pipelines.errors import ExpressionError


def step(**types: str) -> Step:
    declared = tuple(Output(name=name, type=each, where="$") for name, each in types.items())
    return Step(name="Ask", type="Lambda", where="$.Steps[0]", outputs=declared)


def test_there_is_a_conversion_for_each_type() -> None:
    assert set(outputs.CONVERSIONS) == set(PARAMETER_TYPES)


@pytest.mark.parametrize(
    ("output_type", "answered", "value"),
    [
        ("String", "text", "text"),
        ("String", 200, "200"),
        ("String", 0.5, "0.5"),
        ("String", True, "true"),
        ("String", {"nested": ["a"]}, '{"nested": ["a"]}'),
        ("Integer", 3, 3),
        ("Integer", "3", 3),
        ("Integer", 3.0, 3),
        ("Integer", "3.0", 3),
        ("Integer", 2**60 + 1, 2**60 + 1),
        ("Integer", str(2**60 + 1), 2**60 + 1),
        ("Float", "0.25", 0.25),
        ("Float", 2, 2.0),
        ("Boolean", False, False),
        ("Boolean", "True", True),
    ],
)
def test_an_answer_has_the_declared_type(output_type: str, answered: Any, value: Any) -> None:
    typed = outputs.typed(step(x=output_type), {"x": answered})
    assert typed == {"x": value}
    assert type(typed["x"]) is type(value)


@pytest.mark.parametrize(
    ("output_type", "answered"),
    [
        ("Integer", 3.5),
        ("Integer", "many"),
        ("Integer", True),
        ("Float", "nan"),
        ("Float", [1]),
        ("Boolean", 1),
        ("Boolean", "yes"),
    ],
)
def test_an_answer_of_another_type_is_told(output_type: str, answered: Any) -> None:
    told = f"step 'Ask': output 'x' is declared as {output_type}, and the answer is "
    with pytest.raises(ExpressionError, match=told):
        outputs.typed(step(x=output_type), {"x": answered})


def test_what_is_not_declared_is_left_out() -> None:
    assert outputs.typed(step(x="String"), {"x": "a", "y": "b"}) == {"x": "a"}


@pytest.mark.parametrize("answered", [{}, {"x": None}])
def test_what_is_missing_is_told_and_left_out(
    answered: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert outputs.typed(step(x="String"), answered) == {}
    assert "step Ask has not answered: x" in caplog.text
