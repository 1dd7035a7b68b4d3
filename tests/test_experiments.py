"""The experiment and the trial of a run, against the local AWS and against refusals."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from botocore.session import get_session
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, experiments
from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.resources import MODEL, PROCESSING
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.scope import RunScope
from tests.fakes import context

AWS: Any = get_session().get_service_model("sagemaker")
JOBS = {
    name: row.job for name, row in STEP_TYPES.items() if row.job and row.job.service == "sagemaker"
}
DEFAULT = {
    "ExperimentName": {"Get": "Execution.PipelineName"},
    "TrialName": {"Get": "Execution.PipelineExecutionId"},
}
NAMES = {"ExperimentName": "the-experiment", "TrialName": "the-trial"}


def scope(config: Any = NAMES, *, name: str = "p", run_id: str = "run") -> RunScope:
    text = json.dumps({"Version": "2020-12-01", "PipelineExperimentConfig": config, "Steps": []})
    return RunScope(
        pipeline=load(text, name=name),
        context=context(run_id=run_id),
        connection=aws.Connection("aws_default"),
    )


@pytest.fixture
def client(aws_environment: LocalAWS) -> Any:
    return aws.Connection("aws_default").client("sagemaker")


@pytest.fixture
def stubbed(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_an_experiment_is_joined_by_the_kinds_whose_create_takes_one(job: Any) -> None:
    members = AWS.operation_model(f"Create{job.noun}").input_shape.members
    assert job.experiment is ("ExperimentConfig" in members)


def test_the_longest_name_is_that_of_the_service() -> None:
    shape = AWS.shape_for("ExperimentEntityName").metadata
    assert shape["max"] == experiments.LONGEST_NAME


def test_the_first_task_of_a_run_makes_both_and_the_others_find_them(client: Any) -> None:
    name = f"Some_Pipeline.{uuid4().hex[:8]}"
    first = experiments.join(client, PROCESSING, scope(DEFAULT, name=name))
    assert first["ExperimentName"] == name.lower().replace("_", "-").replace(".", "-")
    trial = client.describe_trial(TrialName=first["TrialName"])
    assert trial["ExperimentName"] == first["ExperimentName"]
    assert experiments.join(client, PROCESSING, scope(DEFAULT, name=name)) == first
    other = experiments.join(client, PROCESSING, scope(DEFAULT, name=name, run_id="other"))
    assert other["ExperimentName"] == first["ExperimentName"]
    assert other["TrialName"] != first["TrialName"]
    trials = client.list_trials(ExperimentName=first["ExperimentName"])["TrialSummaries"]
    assert {each["TrialName"] for each in trials} == {first["TrialName"], other["TrialName"]}


def test_both_are_tagged_with_what_shares_them(client: Any) -> None:
    name = run_id = f"p-{uuid4().hex[:8]}"
    names = experiments.join(client, PROCESSING, scope(DEFAULT, name=name, run_id=run_id))
    experiment = client.describe_experiment(ExperimentName=names["ExperimentName"])
    assert tags(client, experiment["ExperimentArn"]) == {"sm-pipelines:pipeline": name}
    trial = client.describe_trial(TrialName=names["TrialName"])
    assert tags(client, trial["TrialArn"]) == {
        "sm-pipelines:pipeline": name,
        "sm-pipelines:dag": "dag",
        "sm-pipelines:run": run_id,
    }


def tags(client: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in client.list_tags(ResourceArn=arn)["Tags"]}


def test_tags_can_be_switched_off(stubbed: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__TAGS", "False")
    stubbed.add_response("create_trial", {}, NAMES)
    assert experiments.join(stubbed.client, PROCESSING, scope()) == NAMES


@pytest.mark.parametrize("config", [None, {"ExperimentName": None, "TrialName": None}])
def test_a_pipeline_without_an_experiment_asks_nothing(stubbed: Stubber, config: Any) -> None:
    assert experiments.join(stubbed.client, PROCESSING, scope(config)) == {}


def test_a_resource_that_is_in_no_experiment_asks_nothing(stubbed: Stubber) -> None:
    assert experiments.join(stubbed.client, MODEL, scope()) == {}


def test_an_experiment_without_a_trial_is_made(client: Any) -> None:
    name = f"e-{uuid4().hex[:8]}"
    config = {"ExperimentName": name, "TrialName": None}
    assert experiments.join(client, PROCESSING, scope(config)) == {"ExperimentName": name}
    assert client.describe_experiment(ExperimentName=name)["ExperimentName"] == name


def test_a_task_that_comes_between_the_calls_of_another_is_no_matter(stubbed: Stubber) -> None:
    stubbed.add_client_error("create_trial", "ResourceNotFound", "no such experiment")
    taken = "Experiment already exists"
    stubbed.add_client_error("create_experiment", "ValidationException", taken)
    stubbed.add_client_error("create_trial", "ValidationException", "Trial already exists")
    assert experiments.join(stubbed.client, PROCESSING, scope()) == NAMES


@pytest.mark.parametrize(
    "code",
    [
        "UnknownOperationException",
        "AccessDeniedException",
        "ValidationException",
        "ResourceLimitExceeded",
    ],
)
def test_where_aws_will_have_no_experiment_the_job_is_in_none_with_one_warning(
    stubbed: Stubber, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    stubbed.add_client_error("create_trial", code, "no")
    assert experiments.join(stubbed.client, PROCESSING, scope()) == {}
    (told,) = [each.message for each in caplog.records if each.levelname == "WARNING"]
    assert told.startswith(
        "ExperimentName 'the-experiment' with TrialName 'the-trial' is not made, "
        "the job is in no experiment: "
    )


def test_an_aws_that_is_too_busy_is_asked_again_by_another_try(stubbed: Stubber) -> None:
    stubbed.add_client_error("create_trial", "ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Rate exceeded"):
        experiments.join(stubbed.client, PROCESSING, scope())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SimpleXGBoost", "simplexgboost"),
        ("a_b.c é", "a-b-c"),
        ("-a-", "a"),
        ("x" * 119 + "_y", "x" * 119),
    ],
)
def test_a_name_is_made_one_that_sagemaker_takes(text: str, name: str) -> None:
    assert experiments.entity_name(text) == name
