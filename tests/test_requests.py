import json
from typing import Any

import pytest
from botocore.session import get_session

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.naming import Attempt
from airflow_sm_pipelines.requests import Request, Requests
from airflow_sm_pipelines.scope import RunScope
from tests.fakes import context

ROLE = "arn:aws:iam::123456789012:role/r"
ORIGIN = {
    "sm-pipelines:pipeline": "p",
    "sm-pipelines:step": "Train",
    "sm-pipelines:dag": "dag",
    "sm-pipelines:run": "run",
}

# Every name here is what a version of this package has created jobs by: none may change.
EXECUTION = "ewefdpxnjg2s"
CHECK_TYPES = {
    "ClarifyCheck": {"CheckType": "DATA_BIAS"},
    "QualityCheck": {"CheckType": "DATA_QUALITY"},
}


@pytest.fixture(autouse=True)
def deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEPLOYMENT", "test")


def requests(
    arguments: dict[str, Any],
    *,
    step_type: str = "Training",
    role_arn: str | None = ROLE,
    run_id: str = "run",
    experiment: dict[str, str] | None = None,
) -> Requests:
    keys = CHECK_TYPES.get(step_type, {})
    step = {"Name": "Train", "Type": step_type, "Arguments": arguments, **keys}
    described = {
        "PipelineName": "p",
        "RoleArn": role_arn,
        "PipelineDefinition": json.dumps({"Version": "2020-12-01", "Steps": [step]}),
    }
    pipeline = load(json.dumps(described))
    scope = RunScope(
        pipeline=pipeline, context=context(run_id=run_id), connection=aws.Connection(None)
    )
    return Requests(pipeline.step("Train"), scope, experiment=experiment)


def first(arguments: dict[str, Any], **keys: Any) -> Request:
    return requests(arguments, **keys).of_attempt(Attempt(0))


def tags(request: Request) -> dict[str, str]:
    given: Any = request["Tags"]
    return {tag["Key"]: tag["Value"] for tag in given}


def test_a_step_keeps_its_name_between_versions() -> None:
    made = first({"HyperParameters": {"a": "1"}})
    assert made["TrainingJobName"] == f"pipelines-{EXECUTION}-Train-83n9j2awof-0-1"


def test_a_name_in_arguments_is_a_prefix() -> None:
    made = first({"TrainingJobName": "mine", "HyperParameters": {"a": "1"}})
    assert made["TrainingJobName"] == f"mine-{EXECUTION}-83n9j2awof-0-1"


def test_a_tuning_job_has_a_name_of_32_characters_at_most() -> None:
    made = first({"HyperParameterTuningJobName": "mine"}, step_type="Tuning")
    assert str(made["HyperParameterTuningJobName"]).startswith(f"{EXECUTION}-Trai-")
    assert len(str(made["HyperParameterTuningJobName"])) <= 32


def test_the_name_of_an_endpoint_is_its_own_and_that_of_its_configuration_a_prefix() -> None:
    endpoint = requests({"EndpointName": "mine"}, step_type="Endpoint")
    assert {str(endpoint.of_attempt(Attempt(0, n))["EndpointName"]) for n in (1, 2)} == {"mine"}
    config = first({"EndpointConfigName": "mine"}, step_type="EndpointConfig")
    assert str(config["EndpointConfigName"]).startswith(f"mine-{EXECUTION}-")


def test_an_endpoint_without_a_name_is_an_error_that_says_where_one_may_be() -> None:
    with pytest.raises(DefinitionError) as raised:
        first({}, step_type="Endpoint")
    assert str(raised.value) == (
        "$.Steps[0].Arguments.EndpointName: no name; give the Endpoint one, "
        "the service makes none up"
    )


def test_attempts_differ_in_the_name_alone() -> None:
    made = requests({"HyperParameters": {"a": "1"}})
    one, two = made.of_attempt(Attempt(0)), made.of_attempt(Attempt(0, 2))
    assert str(one.pop("TrainingJobName")).removesuffix("-1") == str(
        two.pop("TrainingJobName")
    ).removesuffix("-2")
    assert one == two


def test_the_jobs_own_name_is_in_its_arguments_and_not_in_its_key() -> None:
    made = requests({"HyperParameters": {"job": {"Get": "Execution.TrainingJobName"}}})
    for number in (1, 2):
        request = made.of_attempt(Attempt(0, number))
        assert request["HyperParameters"] == {"job": request["TrainingJobName"]}
    assert str(made.of_attempt(Attempt(0))["TrainingJobName"]) == (
        f"pipelines-{EXECUTION}-Train-936xkhl3ax-0-1"
    )


def test_what_aws_names_itself_has_a_client_token() -> None:
    made = first({"ModelPackageGroupName": "group"}, step_type="RegisterModel")
    assert made == {"ModelPackageGroupName": "group", "ClientToken": f"{EXECUTION}-uzmtrqfvvu-0-1"}


@pytest.mark.parametrize("given", [{}, {"RoleArn": None}, {"RoleArn": ""}])
def test_the_pipelines_role_stands_in_for_none(given: dict[str, Any]) -> None:
    assert first(given)["RoleArn"] == ROLE


def test_the_steps_own_role_goes_before_the_pipelines() -> None:
    assert first({"RoleArn": "own"})["RoleArn"] == "own"


def test_the_pipelines_role_goes_before_the_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__ROLE_ARN", "configured")
    assert first({})["RoleArn"] == ROLE
    assert first({}, role_arn=None)["RoleArn"] == "configured"


def test_a_model_gets_its_role_under_its_own_name() -> None:
    assert first({}, step_type="Model")["ExecutionRoleArn"] == ROLE


def test_the_training_jobs_of_a_tuning_job_get_the_pipelines_role() -> None:
    one = first({"TrainingJobDefinition": {"StaticHyperParameters": {}}}, step_type="Tuning")
    assert one["TrainingJobDefinition"] == {"StaticHyperParameters": {}, "RoleArn": ROLE}
    several = first(
        {"TrainingJobDefinitions": [{"RoleArn": "own"}, {"RoleArn": None}, {}]}, step_type="Tuning"
    )
    assert several["TrainingJobDefinitions"] == [
        {"RoleArn": "own"},
        {"RoleArn": ROLE},
        {"RoleArn": ROLE},
    ]
    assert "RoleArn" not in {*one, *several}


def test_what_is_no_object_gets_no_role_and_is_left_to_aws_to_refuse() -> None:
    made = first({"TrainingJobDefinition": "none"}, step_type="Tuning", role_arn=None)
    assert made["TrainingJobDefinition"] == "none"


def test_no_role_for_a_training_job_of_a_tuning_job_is_an_error_that_says_where() -> None:
    with pytest.raises(
        DefinitionError, match=r"Arguments\.TrainingJobDefinition\.RoleArn: no role"
    ):
        first({"TrainingJobDefinition": {"A": 1}}, step_type="Tuning", role_arn=None)


def test_what_has_no_role_gets_none() -> None:
    assert "RoleArn" not in first({}, step_type="Transform", role_arn=None)


def test_no_role_anywhere_is_an_error_that_says_where_one_may_be() -> None:
    with pytest.raises(DefinitionError) as raised:
        first({}, role_arn=None)
    assert str(raised.value) == (
        "$.Steps[0].Arguments.RoleArn: no role; "
        "give it here, as build_dag's role_arn or as [sm_pipelines] role_arn"
    )


def test_a_job_is_tagged_with_where_it_comes_from() -> None:
    assert tags(first({})) == ORIGIN


def test_own_tags_are_kept() -> None:
    made = first({"Tags": [{"Key": "team", "Value": "a"}]})
    assert tags(made) == {"team": "a", **ORIGIN}


def test_own_tags_take_the_room_that_aws_has() -> None:
    own = [{"Key": f"k{i}", "Value": "v"} for i in range(48)]
    made = tags(first({"Tags": own}))
    assert len(made) == 50
    assert list(made)[-2:] == list(ORIGIN)[:2]


def test_own_tags_are_never_dropped_where_aws_is_to_refuse_them() -> None:
    own = [{"Key": f"k{i}", "Value": "v"} for i in range(51)]
    assert first({"Tags": own})["Tags"] == own


def test_a_tag_holds_what_aws_takes() -> None:
    made = tags(first({}, run_id="~run(1)*é +x@y=z" + "r" * 300))
    assert made["sm-pipelines:run"] == ("-run-1--é +x@y=z" + "r" * 300)[:256]


def test_tags_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__TAGS", "False")
    own = [{"Key": "team", "Value": "a"}]
    assert first({"Tags": own})["Tags"] == own
    assert "Tags" not in first({})


def test_a_version_in_a_group_has_the_groups_tags_and_gets_none() -> None:
    assert "Tags" not in first({"ModelPackageGroupName": "g"}, step_type="RegisterModel")


def test_a_package_without_a_group_is_tagged() -> None:
    assert tags(first({"ModelPackageName": "m"}, step_type="RegisterModel")) == ORIGIN


KINDS = [name for name, row in STEP_TYPES.items() if row.job and row.job.service == "sagemaker"]


@pytest.mark.parametrize("step_type", KINDS)
def test_whatever_takes_tags_is_tagged(step_type: str) -> None:
    job = STEP_TYPES[step_type].job
    assert job
    model: Any = get_session().get_service_model("sagemaker")
    takes = "Tags" in model.operation_model(f"Create{job.noun}").input_shape.members
    named = {job.create_name: "mine"} if job.create_name else {}
    assert ("Tags" in first(named, step_type=step_type)) is takes


JOINED = {"ExperimentName": "e", "TrialName": "t"}


@pytest.mark.parametrize("step_type", KINDS)
def test_a_job_joins_the_runs_experiment_where_it_can(step_type: str) -> None:
    job = STEP_TYPES[step_type].job
    assert job
    named = {job.create_name: "mine"} if job.create_name else {}
    made = first(named, step_type=step_type, experiment=JOINED)
    assert made.get("ExperimentConfig") == (JOINED if job.experiment else None)


def test_the_steps_own_display_name_stays_in_the_experiment() -> None:
    own = {"TrialComponentDisplayName": "Mine"}
    made = first({"ExperimentConfig": own}, experiment=JOINED)
    assert made["ExperimentConfig"] == {**own, **JOINED}
    assert first({"ExperimentConfig": own})["ExperimentConfig"] == own


def test_the_experiment_does_not_change_the_name_of_a_job() -> None:
    name = "TrainingJobName"
    assert first({}, experiment=JOINED)[name] == first({})[name]
