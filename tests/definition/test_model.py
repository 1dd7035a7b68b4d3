import dataclasses
import math

import pytest

from airflow_sm_pipelines.definition.expressions import ParameterReference
from airflow_sm_pipelines.definition.model import RetryPolicy
from airflow_sm_pipelines.definition.steps import TRAINING
from tests.definition.cases import fixture


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 5.0), (2, 7.5), (3, 11.25)])
def test_wait_grows_with_every_retry(attempt: int, seconds: float) -> None:
    policy = RetryPolicy(exception_types=("x",), interval_seconds=5, backoff_rate=1.5)
    assert policy.wait(attempt) == seconds


@pytest.mark.parametrize(
    ("interval", "rate", "seconds"), [(0, 2.0, 0.0), (7, 1, 7.0), (7, 0, 0.0), (1, 1e300, math.inf)]
)
def test_wait_is_defined_at_the_bounds(interval: int, rate: float, seconds: float) -> None:
    policy = RetryPolicy(exception_types=("x",), interval_seconds=interval, backoff_rate=rate)
    assert policy.wait(3) == seconds


def test_walk_gives_every_step_in_the_order_of_the_definition() -> None:
    names = [step.name for step in fixture("nested_conditions").walk()]
    assert names == ["Outer", "Inner", "Both", "OuterOnly", "After"]


def test_steps_and_parameters_are_found_by_name() -> None:
    pipeline = fixture("nested_conditions")
    assert pipeline.step("Both").where == ("$.Steps[0].Arguments.IfSteps[0].Arguments.IfSteps[0]")
    assert pipeline.parameter("Branch").enum == ("if", "else")


def test_unknown_names_are_key_errors() -> None:
    pipeline = fixture("training")
    with pytest.raises(KeyError, match="Nothing"):
        pipeline.step("Nothing")
    with pytest.raises(KeyError, match="Nothing"):
        fixture("condition").parameter("Nothing")


def test_step_knows_the_resource_that_it_creates() -> None:
    assert fixture("training").step("Train").job is TRAINING
    assert fixture("condition").step("Decide").job is None


def test_expressions_of_a_condition_are_those_of_its_operands_alone() -> None:
    step = fixture("untaken_branch").step("Decide")
    assert [type(expression) for expression in step.expressions] == [ParameterReference]


def test_values_cannot_be_changed() -> None:
    step = fixture("training").step("Train")
    with pytest.raises(dataclasses.FrozenInstanceError):
        step.name = "Other"  # type: ignore[misc]
