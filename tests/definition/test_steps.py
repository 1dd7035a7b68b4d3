"""The rows of STEP_TYPES against lists from outside: botocore's model and what the SDKs emit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.session import get_session

from airflow_sm_pipelines.definition.paths import NAME_MEMBERS
from airflow_sm_pipelines.definition.steps import COMMON_KEYS, PENDING, STEP_TYPES, Job
from tests.definition.cases import DEFINITIONS, PIPELINES, definition, problems_of

AWS = get_session().get_service_model("sagemaker")
JOBS = {name: row.job for name, row in STEP_TYPES.items() if row.job}
STATUSES = {name: job for name, job in JOBS.items() if job.status}
SAMPLES = DEFINITIONS / "samples"

LATER = {
    "AutoML": "names of 32 characters",
    "Callback": "SQS and an answer from outside",
    "Cleanup": "deletes objects, no job",
    "ClarifyCheck": "a job and a comparison with a baseline",
    "EMR": "another service",
    "EMRServerless": "another service",
    "Endpoint": "created or updated, by existence",
    "EndpointConfig": "comes with Endpoint",
    "ForEach": "a mapped group",
    "InferenceComponent": "created or updated, by existence",
    "Job": "CreateJob has categories",
    "Lambda": "another service",
    "Lineage": "several calls",
    "QualityCheck": "a job and a comparison with a baseline",
    "Tuning": "names of 32 characters",
}
"""Step types that the SDKs emit and that have no row yet, each with what it needs."""


def create(job: Job) -> Any:
    return AWS.operation_model(f"Create{job.noun}")


def describe(job: Job) -> Any:
    return AWS.operation_model(f"Describe{job.noun}")


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_operations_exist_and_stop_exists_exactly_where_the_row_says(job: Job) -> None:
    assert {f"Create{job.noun}", f"Describe{job.noun}"} <= set(AWS.operation_names)
    assert (f"Stop{job.noun}" in AWS.operation_names) is job.stops


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_members_that_identify_the_resource_exist(job: Job) -> None:
    if job.create_name:
        assert job.create_name in create(job).input_shape.members
    assert job.describe_name in describe(job).input_shape.required_members
    assert job.arn in create(job).output_shape.members
    assert job.arn in describe(job).output_shape.members


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_role_is_a_member_of_create_where_create_takes_a_role(job: Job) -> None:
    roles = {name for name in create(job).input_shape.members if name.endswith("RoleArn")}
    assert roles == ({job.role} if job.role else set())


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_tags_are_a_member_of_create(job: Job) -> None:
    if job.tags:
        assert "Tags" in create(job).input_shape.members


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_longest_name_is_that_of_the_service(job: Job) -> None:
    if job.create_name:
        longest = create(job).input_shape.members[job.create_name].metadata["max"]
        assert job.longest_name == longest


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_resource_is_recognised_by_token_exactly_where_it_has_no_name(job: Job) -> None:
    assert (job.recreated == "token") is (job.create_name is None)
    if job.recreated == "token":
        assert "ClientToken" in create(job).input_shape.members


@pytest.mark.parametrize("job", STATUSES.values(), ids=STATUSES)
def test_every_status_is_pending_succeeded_or_failed(job: Job) -> None:
    assert job.status
    statuses = set(describe(job).output_shape.members[job.status].enum)
    assert statuses - PENDING == job.succeeded | job.failed
    assert not job.succeeded & job.failed


@pytest.mark.parametrize("job", STATUSES.values(), ids=STATUSES)
def test_reasons_are_members_of_describe(job: Job) -> None:
    assert job.reasons
    assert set(job.reasons) <= set(describe(job).output_shape.members)


def test_resource_without_status_has_none_in_describe() -> None:
    for job in JOBS.values():
        if job.status is None:
            assert f"{job.noun}Status" not in describe(job).output_shape.members


@pytest.mark.parametrize("name", JOBS)
def test_cache_attributes_are_members_of_create(name: str) -> None:
    row = STEP_TYPES[name]
    assert row.job
    assert set(row.cache_attributes) <= set(create(row.job).input_shape.members)


@pytest.mark.parametrize("name", STEP_TYPES)
def test_every_row_has_a_fixture_that_uses_it(name: str) -> None:
    used = {
        step for file in PIPELINES.glob("*.json") for step in types(json.loads(file.read_text()))
    }
    assert name in used


def test_keys_of_a_row_are_none_of_the_common_ones() -> None:
    assert not any(row.keys & set(COMMON_KEYS) for row in STEP_TYPES.values())


def test_every_type_that_the_sdks_emit_has_a_row_or_comes_later() -> None:
    if not SAMPLES.is_dir():
        pytest.skip(f"no samples of the SDKs in {SAMPLES}; set SM_PIPELINES_DEFINITIONS")
    emitted = {
        type_ for file in SAMPLES.rglob("*.json") for type_ in types(json.loads(file.read_text()))
    }
    assert emitted
    assert emitted <= STEP_TYPES.keys() | LATER.keys()


@pytest.mark.parametrize("name", LATER)
def test_type_that_comes_later_is_a_problem(name: str) -> None:
    (told,) = problems_of(definition({"Name": "S", "Type": name, "Arguments": {"x": "y"}}))
    assert told.startswith(f"$.Steps[0].Type: unknown step type {name!r}")


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
