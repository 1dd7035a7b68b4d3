"""The rows of STEP_TYPES against lists from outside: botocore's model and what the SDKs emit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session

from airflow_sm_pipelines.definition.steps import API_ONLY, COMMON_KEYS, STEP_TYPES
from tests.definition.cases import DEFINITIONS, PIPELINES

AWS = get_session().get_service_model("sagemaker")
JOBS = {name: row.job for name, row in STEP_TYPES.items() if row.job}
SAMPLES = DEFINITIONS / "samples"


def test_every_type_that_an_execution_reports_has_a_row_or_is_the_apis_alone() -> None:
    metadata: Any = AWS.shape_for("PipelineExecutionStepMetadata")
    reported = {name if name == "Job" else name.removesuffix("Job") for name in metadata.members}
    assert reported == STEP_TYPES.keys() | set(API_ONLY)
    assert not STEP_TYPES.keys() & set(API_ONLY)


def test_every_type_that_the_sdks_emit_has_a_row() -> None:
    if not SAMPLES.is_dir():
        pytest.skip(f"no samples of the SDKs in {SAMPLES}; set SM_PIPELINES_DEFINITIONS")
    emitted = {
        type_ for file in SAMPLES.rglob("*.json") for type_ in types(json.loads(file.read_text()))
    }
    assert len(emitted) > 15
    assert emitted <= STEP_TYPES.keys()


@pytest.mark.parametrize("name", STEP_TYPES)
def test_every_row_has_a_fixture_that_uses_it(name: str) -> None:
    used = {
        step for file in PIPELINES.glob("*.json") for step in types(json.loads(file.read_text()))
    }
    assert name in used


def test_steps_that_run_are_the_jobs_and_those_that_are_none() -> None:
    runs = {name for name, row in STEP_TYPES.items() if row.runs}
    assert runs == JOBS.keys() | {"Callback", "Condition", "Fail", "Lambda"}


@pytest.mark.parametrize("name", STEP_TYPES)
def test_keys_of_a_row_are_none_of_the_common_ones_and_told_once(name: str) -> None:
    row = STEP_TYPES[name]
    assert not row.keys.keys() & set(COMMON_KEYS)
    assert not row.lists & set(COMMON_KEYS)
    assert not row.lists & row.keys.keys()


def test_lists_are_those_that_the_sdk_writes() -> None:
    # SDK: workflow/steps.py (ProcessingStep), lambda_step.py, callback_step.py.
    assert {name: row.lists for name, row in STEP_TYPES.items() if row.lists} == {
        "Processing": {"PropertyFiles"},
        "Callback": {"OutputParameters"},
        "Lambda": {"OutputParameters"},
    }


def test_values_of_a_key_are_those_of_the_sdk_and_no_expression_stands_for_them() -> None:
    # SDK: workflow/clarify_check_step.py and quality_check_step.py.
    listed = {
        (name, key): set(rule.values)
        for name, row in STEP_TYPES.items()
        for key, rule in row.keys.items()
        if rule.values or not rule.expression
    }
    assert listed == {
        ("ClarifyCheck", "CheckType"): {"DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"},
        ("QualityCheck", "CheckType"): {"DATA_QUALITY", "MODEL_QUALITY"},
    }


def test_steps_that_nothing_depends_on_and_that_no_loop_holds() -> None:
    # Developer guide, "Fail Step"; SDK v3, mlops/workflow/for_each_step.py.
    assert {name for name, row in STEP_TYPES.items() if not row.depended_on} == {"Fail"}
    not_iterated = {name for name, row in STEP_TYPES.items() if not row.iterated}
    assert not_iterated == {"Condition", "Fail", "ForEach"}


STEP = {"Step.SERVICE_FAULT", "Step.THROTTLING"}
JOB = {
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.JOB_CAPACITY_ERROR",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.RESOURCE_LIMIT",
}

# Developer guide, "Retry Policy for Pipeline Steps": the supported steps, and that Tuning and
# AutoML are never retried for an internal error. SDK: workflow/retry.py, model_step.py (no job
# errors for models), emr_step.py; v3 emr_serverless_step.py and job_step.py.
RETRIED = {
    "Processing": STEP | JOB,
    "Training": STEP | JOB,
    "Transform": STEP | JOB,
    "Job": STEP | JOB,
    "Tuning": STEP | JOB - {"SageMaker.JOB_INTERNAL_ERROR"},
    "AutoML": STEP | JOB - {"SageMaker.JOB_INTERNAL_ERROR"},
    "Model": STEP,
    "RegisterModel": STEP,
    "EndpointConfig": STEP,
    "EMR": STEP | {"Emr.RESOURCE_LIMIT"},
    "EMRServerless": STEP | {"Emr.RESOURCE_LIMIT"},
}


@pytest.mark.parametrize("name", STEP_TYPES)
def test_step_is_retried_for_what_is_documented_for_its_type(name: str) -> None:
    assert STEP_TYPES[name].retried == RETRIED.get(name, set())


def test_types_that_are_cached_are_those_that_the_developer_guide_lists() -> None:
    cached = {name for name, row in STEP_TYPES.items() if row.cache_attributes}
    assert cached == {
        *("Processing", "Training", "Tuning", "AutoML", "Transform"),
        *("ClarifyCheck", "QualityCheck", "EMR"),
    }


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        (name, attribute)
        for name, row in STEP_TYPES.items()
        for attribute in row.cache_attributes
        if name != "EMR"  # another service's request
    ],
)
def test_cache_attribute_is_a_key_of_the_step_or_a_member_of_its_request(
    name: str, attribute: str
) -> None:
    row = STEP_TYPES[name]
    if attribute in row.keys:
        return
    noun = row.job.noun if row.job else "ProcessingJob"  # a check is one
    shape: Any = AWS.operation_model(f"Create{noun}").input_shape
    for member in attribute.split("."):
        assert member in shape.members
        shape = shape.members[member]


def types(value: Any) -> Iterator[str]:
    """The types of all steps in a definition, those inside other steps included."""
    match value:
        case {"Name": str(), "Type": str(type_), "Arguments": _}:
            yield type_
    match value:
        case dict():
            for member in value.values():
                yield from types(member)
        case list():
            for element in value:
                yield from types(element)
