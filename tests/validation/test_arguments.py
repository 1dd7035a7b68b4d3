"""What each type of step takes as Arguments, compared with the types and with the model."""

import pytest

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.validation.arguments import (
    ALTERNATIVES,
    CHECKS,
    DOUBTFUL,
    FREE,
    OTHERS,
    arguments,
)
from airflow_sm_pipelines.validation.models import shape
from tests.validation.cases import problem, step, told, warning

JAR: dict[str, Json] = {"HadoopJarStep": {"Jar": "s3://bucket/a.jar", "Args": ["a"]}}
GROUPS: Json = [{"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.xlarge"}]
WHERE = "$.Steps[0].Arguments"


@pytest.mark.parametrize("step_type", STEP_TYPES)
def test_every_type_of_step_has_a_shape_or_a_reason_to_have_none(step_type: str) -> None:
    name = arguments(step_type)
    if name is None:
        assert FREE[step_type]
    else:
        assert step_type not in FREE
        assert shape(name).type_name == "structure"


def test_tables_have_rows_for_types_of_steps_alone() -> None:
    tables = (CHECKS, OTHERS, FREE, ALTERNATIVES)
    types = set().union(*tables) | {step_type for step_type, _ in DOUBTFUL}
    assert types <= STEP_TYPES.keys()


@pytest.mark.parametrize(("step_type", "member"), DOUBTFUL)
def test_doubtful_members_are_in_the_model(step_type: str, member: str) -> None:
    name = arguments(step_type)
    assert name
    assert {member, DOUBTFUL[step_type, member][0]} <= set(shape(name).members)  # type: ignore[attr-defined]


@pytest.mark.parametrize("step_type", ALTERNATIVES)
def test_alternatives_are_members_of_the_model(step_type: str) -> None:
    name = arguments(step_type)
    assert name
    for choice in ALTERNATIVES[step_type]:
        here = shape(name)
        for member in choice.inside:
            here = here.members[member]  # type: ignore[attr-defined]
        assert set(choice.between) <= set(here.members)  # type: ignore[attr-defined]


@pytest.mark.parametrize("step_type", [name for name, row in STEP_TYPES.items() if row.job])
def test_name_that_the_service_gives_is_never_required(step_type: str) -> None:
    name, job = arguments(step_type), STEP_TYPES[step_type].job
    assert name
    assert job
    assert job.create_name not in shape(name).required_members


def test_endpoint_without_a_name_is_a_warning() -> None:
    assert warning(step("Serve", "Endpoint", {"EndpointConfigName": "config"})) == (
        f"{WHERE}: 'EndpointName' is missing; give it, the name of such a resource is its own"
    )


def test_name_of_a_model_package_is_a_warning() -> None:
    assert warning(step("Register", "RegisterModel", {"ModelPackageName": "package"})) == (
        f"{WHERE}.ModelPackageName: SageMaker has been seen to refuse it, "
        '"Unknown Argument member"; leave it out'
    )


@pytest.mark.parametrize(
    "place", [{"ClusterId": "j-1"}, {"ClusterConfig": {"Instances": {"InstanceGroups": GROUPS}}}]
)
def test_emr_step_needs_neither_the_name_nor_the_steps_of_a_cluster(place: dict[str, Json]) -> None:
    assert told(step("Spark", "EMR", {"StepConfig": JAR, **place})) == ([], [])


@pytest.mark.parametrize(
    ("cluster", "where", "member"),
    [
        ({"Name": "mine"}, "", "Name"),
        ({"Steps": []}, "", "Steps"),
        ({"AutoTerminationPolicy": {"IdleTimeout": 60}}, "", "AutoTerminationPolicy"),
        ({"Instances": {"TerminationProtected": True}}, ".Instances", "TerminationProtected"),
        (
            {"Instances": {"KeepJobFlowAliveWhenNoSteps": True}},
            ".Instances",
            "KeepJobFlowAliveWhenNoSteps",
        ),
    ],
)
def test_emr_cluster_does_not_take_what_the_service_sets(
    cluster: dict[str, Json], where: str, member: str
) -> None:
    instances = cluster.get("Instances", {})
    assert isinstance(instances, dict)
    config: Json = {**cluster, "Instances": {"InstanceGroups": GROUPS, **instances}}
    arguments: Json = {"StepConfig": JAR, "ClusterConfig": config}
    assert problem(step("Spark", "EMR", arguments)).startswith(
        f"{WHERE}.ClusterConfig{where}.{member}: unknown member {member!r}"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "neither of ClusterId and ClusterConfig given; give one of them"),
        (
            {
                "ClusterId": "j-1",
                "ClusterConfig": {"Instances": {"InstanceGroups": GROUPS}},
            },
            "both of ClusterId and ClusterConfig given; give one of them",
        ),
    ],
)
def test_emr_step_has_one_cluster(arguments: dict[str, Json], message: str) -> None:
    assert problem(step("Spark", "EMR", {"StepConfig": JAR, **arguments})) == f"{WHERE}: {message}"


def test_emr_cluster_has_one_kind_of_instances() -> None:
    arguments: Json = {"StepConfig": JAR, "ClusterConfig": {"Instances": {}}}
    assert problem(step("Spark", "EMR", arguments)) == (
        f"{WHERE}.ClusterConfig.Instances: "
        "neither of InstanceGroups and InstanceFleets given; give one of them"
    )


def test_role_of_a_step_on_a_cluster_of_its_own_is_a_warning() -> None:
    arguments: Json = {
        "StepConfig": JAR,
        "ExecutionRoleArn": "arn:aws:iam::111122223333:role/Role",
        "ClusterConfig": {"Instances": {"InstanceGroups": GROUPS}},
    }
    assert warning(step("Spark", "EMR", arguments)) == (
        f"{WHERE}.ExecutionRoleArn: the role of a step on a cluster that this step starts is not "
        "taken; give it with ClusterId only"
    )


@pytest.mark.parametrize(
    ("application", "problems"),
    [
        ({"ApplicationId": "00abc"}, []),
        ({"ApplicationConfig": {"type": "SPARK", "releaseLabel": "emr-6.9.0"}}, []),
        ({}, [f"{WHERE}: neither of ApplicationId and ApplicationConfig given; give one of them"]),
        (
            {"ApplicationConfig": {"type": "SPARK"}},
            [
                f"{WHERE}.ApplicationConfig: 'releaseLabel' is missing; "
                "it is required, given are: type"
            ],
        ),
    ],
)
def test_emr_serverless_job_runs_in_one_application(
    application: dict[str, Json], problems: list[str]
) -> None:
    job: Json = {"jobDriver": {"sparkSubmit": {"entryPoint": "s3://bucket/a.py"}}}
    assert told(step("Spark", "EMRServerless", {"JobConfig": job, **application})) == (problems, [])


def test_emr_serverless_job_is_of_one_kind() -> None:
    job: Json = {"jobDriver": {}}
    arguments: Json = {"JobConfig": job, "ApplicationId": "00abc"}
    assert problem(step("Spark", "EMRServerless", arguments)) == (
        f"{WHERE}.JobConfig.jobDriver: 0 members; give one of: sparkSubmit, hive"
    )


def test_lineage_entities_are_those_of_their_create_calls() -> None:
    action: Json = {"ActionName": "run", "Source": {"SourceUri": "s3://b"}, "ActionType": "T"}
    association: Json = {"Source": {"Name": "run", "Type": "Act"}, "Destination": {"Arn": "a"}}
    arguments: Json = {"Actions": [action, {}], "Associations": [association]}
    problems, warnings = told(step("Record", "Lineage", arguments))
    assert [line.partition(";")[0] for line in problems] == [
        f"{WHERE}.Actions[1]: 'ActionName' is missing",
        f"{WHERE}.Actions[1]: 'Source' is missing",
        f"{WHERE}.Actions[1]: 'ActionType' is missing",
        f"{WHERE}.Associations[0].Destination.Arn: the string 'a' is no AssociationEntityArn",
    ]
    assert [line.partition(":")[0] for line in warnings] == [f"{WHERE}.Associations[0].Source.Type"]
