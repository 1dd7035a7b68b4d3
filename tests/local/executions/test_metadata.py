"""What a step has made, as the list of steps tells it."""

from typing import Any

import pytest

from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.executions.metadata import (
    ARNS,
    CHECK_MEMBERS,
    CHECKS,
    METADATA,
    metadata,
    of_job,
)


def step(type_: str, **keys: Any) -> Step:
    return Step(name="a", type=type_, where="$", keys=keys)


def members(shape: str) -> set[str]:
    found: Any = shapes.service().shape_for(shape)
    return set(found.members)


@pytest.mark.parametrize("type_", sorted({*ARNS, *METADATA, *CHECKS}))
def test_a_key_is_one_of_the_service(type_: str) -> None:
    assert ARNS.get(type_, type_) in members("PipelineExecutionStepMetadata")


def test_each_type_that_is_run_tells_what_it_has_made() -> None:
    runs = {name for name, row in STEP_TYPES.items() if row.runs}
    assert runs <= {*ARNS, *METADATA, "Callback"}  # of that, `callbacks.py` tells


def test_members_of_a_check_are_those_of_the_service() -> None:
    assert set(CHECK_MEMBERS) < members("QualityCheckStepMetadata")


@pytest.mark.parametrize(
    ("made", "response", "told"),
    [
        (step("Training"), {"TrainingJobArn": "arn"}, {"TrainingJob": {"Arn": "arn"}}),
        (step("RegisterModel"), {"ModelPackageArn": "arn"}, {"RegisterModel": {"Arn": "arn"}}),
        (step("Training"), {}, {}),
        (step("Condition"), {"Outcome": False}, {"Condition": {"Outcome": "False"}}),
        (step("Condition"), {}, {}),
        (step("Fail"), {}, {"Fail": {"ErrorMessage": "because"}}),
        (
            step("Lambda"),
            {"FunctionArn": "arn", "OutputParameters": {"n": 1, "b": True}},
            {
                "Lambda": {
                    "Arn": "arn",
                    "OutputParameters": [
                        {"Name": "n", "Value": "1"},
                        {"Name": "b", "Value": "true"},
                    ],
                }
            },
        ),
        (step("Lambda"), {}, {}),
        (
            step("QualityCheck", CheckType="DATA_QUALITY"),
            {"ProcessingJobArn": "arn", "CalculatedBaselineStatistics": "s3://b/s"},
            {
                "QualityCheck": {
                    "CheckType": "DATA_QUALITY",
                    "CalculatedBaselineStatistics": "s3://b/s",
                    "CheckJobArn": "arn",
                }
            },
        ),
        (step("QualityCheck"), {}, {}),
        (
            step("EMR"),
            {"Id": "s-1", "Name": "work", "ClusterId": "j-1"},
            {"EMR": {"ClusterId": "j-1", "StepId": "s-1", "StepName": "work"}},
        ),
        (
            step("EMRServerless"),
            {"jobRun": {"applicationId": "app", "jobRunId": "run", "name": "work"}},
            {"EMRServerless": {"ApplicationId": "app", "JobRunId": "run", "JobRunName": "work"}},
        ),
        (step("Cleanup"), {}, {}),
    ],
    ids=lambda value: value.type if isinstance(value, Step) else "",
)
def test_what_a_step_hands_on_becomes_its_metadata(
    made: Step, response: dict[str, Any], told: dict[str, Any]
) -> None:
    assert metadata(made, response, reason="because") == told


def test_a_check_tells_its_job_before_it_has_judged() -> None:
    assert of_job("QualityCheck", "arn") == {"QualityCheck": {"CheckJobArn": "arn"}}
    assert of_job("Lambda", "arn") == {}
