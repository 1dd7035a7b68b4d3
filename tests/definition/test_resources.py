"""The rows of `resources.py` against botocore's model of SageMaker."""

from typing import Any

import pytest
from botocore.session import get_session

from airflow_sm_pipelines.definition.resources import PENDING, Job
from airflow_sm_pipelines.definition.steps import STEP_TYPES

AWS: Any = get_session().get_service_model("sagemaker")
JOBS = {
    name: row.job for name, row in STEP_TYPES.items() if row.job and row.job.service == "sagemaker"
}
ELSEWHERE = {name: row.job for name, row in STEP_TYPES.items() if row.job and name not in JOBS}
STATUSES = {name: job for name, job in JOBS.items() if job.status}
UPDATED = {name: job for name, job in JOBS.items() if job.updates}


def create(job: Job) -> Any:
    return AWS.operation_model(f"Create{job.noun}")


def describe(job: Job) -> Any:
    return AWS.operation_model(f"Describe{job.noun}")


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_operations_exist_and_stop_and_update_exist_exactly_where_the_row_says(job: Job) -> None:
    assert {f"Create{job.noun}", f"Describe{job.noun}"} <= set(AWS.operation_names)
    assert (f"Stop{job.noun}" in AWS.operation_names) is job.stops
    assert (f"Update{job.noun}" in AWS.operation_names) is (job.updates or job.noun in CHANGED)


CHANGED = {
    "ModelPackage": "its approval",
    "TrainingJob": "its profiler and its warm pool",
}
"""Update operations that make no other resource of it, with what they change."""


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_members_that_identify_the_resource_exist(job: Job) -> None:
    if job.create_name:
        assert job.create_name in create(job).input_shape.members
    assert {job.describe_name, *job.told_apart} == set(describe(job).input_shape.required_members)
    assert job.arn in create(job).output_shape.members
    assert job.arn in describe(job).output_shape.members


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_what_describe_is_asked_beside_the_name_is_in_create_and_all_that_stop_asks(
    job: Job,
) -> None:
    assert set(job.told_apart) <= set(create(job).input_shape.required_members)
    if job.stops:
        stop = AWS.operation_model(f"Stop{job.noun}").input_shape
        assert set(stop.required_members) == {job.describe_name, *job.told_apart}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_role_is_a_member_of_create_where_create_takes_a_role(job: Job) -> None:
    roles = {name for name in create(job).input_shape.members if name.endswith("RoleArn")}
    filled_in = {job.role} if job.role and not job.role_in else set()
    assert roles == filled_in | NOT_FILLED_IN.get(job.noun, set())


NOT_FILLED_IN = {"EndpointConfig": {"ExecutionRoleArn"}}
"""Roles that the service is not known to fill in: which endpoints need them is told by models."""


@pytest.mark.parametrize("name", [name for name, job in JOBS.items() if job.role_in])
def test_members_that_have_a_role_of_their_own_are_all_told(name: str) -> None:
    job = JOBS[name]
    holders = set()
    for member, shape in create(job).input_shape.members.items():
        object_ = shape.member if shape.type_name == "list" else shape
        if object_.type_name == "structure" and job.role in object_.members:
            holders.add(member)
    assert holders == set(job.role_in)


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_tags_and_an_experiment_are_members_of_create_where_the_row_says(job: Job) -> None:
    assert ("Tags" in create(job).input_shape.members) is job.tags
    assert ("ExperimentConfig" in create(job).input_shape.members) is job.experiment


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_longest_name_is_that_of_the_service(job: Job) -> None:
    if job.create_name:
        longest = create(job).input_shape.members[job.create_name].metadata["max"]
        assert job.longest_name == longest


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_resource_without_a_name_has_a_token(job: Job) -> None:
    if job.create_name is None:
        assert "ClientToken" in create(job).input_shape.members


@pytest.mark.parametrize("job", UPDATED.values(), ids=UPDATED)
def test_what_is_updated_has_a_name_of_its_own_and_a_time_of_its_last_change(job: Job) -> None:
    update = AWS.operation_model(f"Update{job.noun}").input_shape
    assert job.create_name
    assert job.create_name in update.required_members
    assert "LastModifiedTime" in describe(job).output_shape.members


@pytest.mark.parametrize("job", UPDATED.values(), ids=UPDATED)
def test_paths_to_what_is_deployed_exist(job: Job) -> None:
    assert job.deployed
    for asked, described in job.deployed:
        assert exists(create(job).input_shape, asked)
        assert exists(AWS.operation_model(f"Update{job.noun}").input_shape, asked)
        assert exists(describe(job).output_shape, described)


def exists(shape: Any, path: str) -> bool:
    for member in path.split("."):
        if member not in shape.members:
            return False
        shape = shape.members[member]
    return True


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


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_what_has_a_status_is_listed_and_nothing_else(job: Job) -> None:
    assert (job.listing is not None) is (job.status is not None)


def listed(job: Job) -> Any:
    return AWS.operation_model(f"List{job.noun}s")


@pytest.mark.parametrize("job", STATUSES.values(), ids=STATUSES)
def test_a_list_is_asked_for_all_that_it_requires_and_in_an_order_that_it_has(job: Job) -> None:
    assert job.listing
    request = listed(job).input_shape
    also = dict(job.listing.also)
    assert set(request.required_members) <= set(job.told_apart)
    assert {*also, *job.told_apart, "CreationTimeAfter", "NextToken"} <= set(request.members)
    assert "CreationTime" in request.members["SortBy"].enum
    assert "Descending" in request.members["SortOrder"].enum
    assert request.members["MaxResults"].metadata["max"] == 100
    for member, value in also.items():
        assert value in request.members[member].enum


@pytest.mark.parametrize("job", STATUSES.values(), ids=STATUSES)
def test_a_row_of_a_list_tells_which_resource_it_is_and_how_that_is(job: Job) -> None:
    assert job.listing
    rows = listed(job).output_shape.members[job.listing.rows]
    needed = {job.create_name or job.arn, job.status, "CreationTime"}
    if job.updates:
        needed.add("LastModifiedTime")
    assert needed <= set(rows.member.members)
    assert "CreationTime" in describe(job).output_shape.members
    assert "NextToken" in listed(job).output_shape.members


@pytest.mark.parametrize("job", STATUSES.values(), ids=STATUSES)
def test_secondary_statuses_are_those_of_describe_and_of_the_list(job: Job) -> None:
    assert job.listing
    rows = listed(job).output_shape.members[job.listing.rows].member
    known = {*describe(job).output_shape.members, *rows.members}
    assert {name for name in known if name.endswith("SecondaryStatus")} == set(job.secondary)


# Other services than SageMaker


def told(job: Job) -> Any:
    """The shape of what describes a resource."""
    operation = model(job).operation_model(job.describes or f"Describe{job.noun}")
    answer: Any = operation.output_shape
    return answer.members[job.answer] if job.answer else answer


def model(job: Job) -> Any:
    return get_session().get_service_model(job.service)


@pytest.mark.parametrize("job", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_elsewhere_is_described_by_its_id_and_by_where_it_is(job: Job) -> None:
    operation = model(job).operation_model(job.describes or f"Describe{job.noun}")
    assert {job.describe_name, *job.told_apart} == set(operation.input_shape.required_members)


@pytest.mark.parametrize("job", ELSEWHERE.values(), ids=ELSEWHERE)
def test_every_state_of_what_is_elsewhere_is_pending_succeeded_or_failed(job: Job) -> None:
    assert job.status
    states: Any = leaf(told(job), job.status)
    assert set(states.enum) - PENDING == job.succeeded | job.failed
    assert not job.succeeded & job.failed


@pytest.mark.parametrize("job", ELSEWHERE.values(), ids=ELSEWHERE)
def test_paths_into_a_description_of_what_is_elsewhere_exist(job: Job) -> None:
    assert leaf(told(job), job.created).type_name == "timestamp"
    for path in job.reasons:
        first, _, rest = path.partition(".")
        shape = model(job).shape_for("Cluster") if first == "Cluster" else told(job)
        assert leaf(shape, rest if first == "Cluster" else path).type_name == "string"


def test_a_name_of_256_characters_is_taken_elsewhere() -> None:
    emr, serverless = (model(job) for job in ELSEWHERE.values())
    assert emr.shape_for("StepConfig").members["Name"].metadata["max"] == 256
    started = serverless.operation_model("StartJobRun").input_shape
    assert started.members["name"].metadata["max"] == 256
    assert started.members["clientToken"].metadata["max"] == 64
    assert {job.longest_name for job in ELSEWHERE.values()} == {256}


def leaf(shape: Any, path: str) -> Any:
    """The shape at the end of a path."""
    for member in path.split("."):
        shape = shape.members[member]
    return shape
