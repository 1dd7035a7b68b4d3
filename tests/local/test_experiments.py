"""Experiments, trials and their components, over the wire."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .scripted import TRANSFORM

ARN = "arn:aws:sagemaker:us-east-1:123456789012"

Request = Callable[..., dict[str, Any]]


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error: Any = raised.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def sm(sagemaker: Any) -> Any:
    """The client as one without types: requests are put together by the tests."""
    return sagemaker


@pytest.fixture
def trial(sm: Any, name: str) -> str:
    sm.create_experiment(ExperimentName=name)
    sm.create_trial(TrialName=name, ExperimentName=name)
    return name


def components(sm: Any, **filters: str) -> list[str]:
    rows = sm.list_trial_components(**filters)["TrialComponentSummaries"]
    return [row["TrialComponentName"] for row in rows]


def test_an_experiment_is_described_with_its_tags(sm: Any, name: str) -> None:
    tags = [{"Key": "a", "Value": "1"}]
    arn = sm.create_experiment(ExperimentName=name, Description="why", Tags=tags)["ExperimentArn"]
    assert arn == f"{ARN}:experiment/{name}"
    found = sm.describe_experiment(ExperimentName=name)
    assert (found["DisplayName"], found["Description"]) == (name, "why")
    assert sm.list_tags(ResourceArn=arn)["Tags"] == tags


@pytest.mark.parametrize("noun", ["Experiment", "Trial", "Trial component"])
def test_a_name_that_is_taken_is_refused_in_any_case(sm: Any, trial: str, noun: str) -> None:
    sm.create_trial_component(TrialComponentName=trial)
    create = {
        "Experiment": lambda name: sm.create_experiment(ExperimentName=name),
        "Trial": lambda name: sm.create_trial(TrialName=name, ExperimentName=trial),
        "Trial component": lambda name: sm.create_trial_component(TrialComponentName=name),
    }[noun]
    for name in (trial, trial.upper()):
        assert refused(create, name=name) == (
            "ValidationException",
            f"{noun} names must be unique within an AWS account and region. "
            f"{noun} with name ({name}) already exists.",
        )


def test_what_does_not_exist_is_not_found(sm: Any, name: str) -> None:
    for call, key in (
        (sm.describe_experiment, "ExperimentName"),
        (sm.update_experiment, "ExperimentName"),
        (sm.delete_experiment, "ExperimentName"),
        (sm.describe_trial, "TrialName"),
        (sm.describe_trial_component, "TrialComponentName"),
    ):
        code, message = refused(call, **{key: name})
        assert code == "ResourceNotFound"
        assert message.endswith(f"'{name}' does not exist.")


def test_a_trial_needs_an_experiment(sm: Any, name: str) -> None:
    found = refused(sm.create_trial, TrialName=name, ExperimentName=name)
    assert found == ("ResourceNotFound", f"Experiment '{name}' does not exist.")


def test_experiments_are_listed_newest_first(sm: Any, name: str) -> None:
    names = [f"{name}-{number}" for number in range(3)]
    for each in names:
        sm.create_experiment(ExperimentName=each)
    first = sm.describe_experiment(ExperimentName=names[0])["CreationTime"]
    rows = sm.list_experiments(CreatedAfter=first, MaxResults=100)["ExperimentSummaries"]
    listed = [row["ExperimentName"] for row in rows if row["ExperimentName"] in names[1:]]
    assert listed == sorted(listed, reverse=True)
    one = sm.list_experiments(MaxResults=1)
    assert [row["ExperimentName"] for row in one["ExperimentSummaries"]] == [names[2]]
    assert one["NextToken"]


def test_trials_are_listed_by_experiment_and_by_component(sm: Any, trial: str) -> None:
    sm.create_trial(TrialName=f"{trial}-2", ExperimentName=trial)
    sm.create_trial_component(TrialComponentName=trial)
    sm.associate_trial_component(TrialComponentName=trial, TrialName=f"{trial}-2")

    def trials(**filters: str) -> set[str]:
        return {row["TrialName"] for row in sm.list_trials(**filters)["TrialSummaries"]}

    assert trials(ExperimentName=trial) == {trial, f"{trial}-2"}
    assert trials(TrialComponentName=trial) == {f"{trial}-2"}


def test_a_component_belongs_to_trials_until_it_is_disassociated(sm: Any, trial: str) -> None:
    sm.create_trial_component(TrialComponentName=trial)
    both = {"TrialComponentName": trial, "TrialName": trial}
    for _ in range(2):
        answer = sm.associate_trial_component(**both)
        assert answer["TrialArn"] == f"{ARN}:experiment-trial/{trial}"
    assert components(sm, TrialName=trial) == components(sm, ExperimentName=trial) == [trial]
    sm.disassociate_trial_component(**both)
    assert components(sm, TrialName=trial) == components(sm, ExperimentName=trial) == []


def test_what_has_parts_is_not_deleted(sm: Any, trial: str) -> None:
    sm.create_trial_component(TrialComponentName=trial)
    sm.associate_trial_component(TrialComponentName=trial, TrialName=trial)
    for call, key in (
        (sm.delete_experiment, "ExperimentName"),
        (sm.delete_trial, "TrialName"),
        (sm.delete_trial_component, "TrialComponentName"),
    ):
        code, message = refused(call, **{key: trial})
        assert (code, message.endswith(f"{trial} is associated with it.")) == (
            "ValidationException",
            True,
        )
    sm.disassociate_trial_component(TrialComponentName=trial, TrialName=trial)
    sm.delete_trial_component(TrialComponentName=trial)
    sm.delete_trial(TrialName=trial)
    assert sm.delete_experiment(ExperimentName=trial)["ExperimentArn"].endswith(trial)
    assert refused(sm.describe_experiment, ExperimentName=trial)[0] == "ResourceNotFound"


def test_an_update_adds_and_removes_parameters(sm: Any, name: str) -> None:
    sm.create_trial_component(TrialComponentName=name, Parameters={"a": {"NumberValue": 1.0}})
    sm.update_trial_component(
        TrialComponentName=name,
        DisplayName="shown",
        Parameters={"b": {"StringValue": "2"}},
        ParametersToRemove=["a"],
        InputArtifacts={"in": {"Value": "s3://bucket/in"}},
    )
    found = sm.describe_trial_component(TrialComponentName=name)
    assert found["DisplayName"] == "shown"
    assert found["Parameters"] == {"b": {"StringValue": "2"}}
    assert found["InputArtifacts"] == {"in": {"Value": "s3://bucket/in"}}


@pytest.mark.parametrize(
    ("noun", "made"),
    [("TrainingJob", "training_request"), ("ProcessingJob", "processing_request")],
)
def test_a_job_becomes_a_component_of_its_trial(
    sm: Any, play: Callable[..., None], request: Any, trial: str, noun: str, made: str
) -> None:
    play(noun, {"Status": "Completed"})
    config = {
        "ExperimentName": trial,
        "TrialName": trial,
        "TrialComponentDisplayName": "shown",
    }
    create = sm.create_training_job if noun == "TrainingJob" else sm.create_processing_job
    describe = sm.describe_training_job if noun == "TrainingJob" else sm.describe_processing_job
    arn = create(**request.getfixturevalue(made)(ExperimentConfig=config))[f"{noun}Arn"]
    assert describe(**{f"{noun}Name": trial})["ExperimentConfig"] == config
    (component,) = components(sm, TrialName=trial)
    assert component == f"{trial}-aws-{arn.split(':')[-1].split('/')[0]}"
    found = sm.describe_trial_component(TrialComponentName=component)
    assert found["DisplayName"] == "shown"
    assert found["Source"] == {"SourceArn": arn, "SourceType": f"SageMaker{noun}"}
    assert components(sm, SourceArn=arn) == [component]


def test_a_job_without_a_trial_gets_one_of_its_experiment(
    sm: Any, play: Callable[..., None], name: str
) -> None:
    play("TransformJob", {"Status": "Completed"})
    sm.create_experiment(ExperimentName=name)
    sm.create_model(ModelName=name, PrimaryContainer={"Image": "image"})
    TRANSFORM.create(sm, name, ExperimentConfig={"ExperimentName": name})
    (row,) = sm.list_trials(ExperimentName=name)["TrialSummaries"]
    assert components(sm, TrialName=row["TrialName"]) == [f"{name}-aws-transform-job"]


@pytest.mark.parametrize("key", ["ExperimentName", "TrialName"])
def test_a_job_of_an_unknown_experiment_is_refused(
    sm: Any, training_request: Request, name: str, key: str
) -> None:
    request = training_request(ExperimentConfig={key: name})
    assert refused(sm.create_training_job, **request)[0] == "ResourceNotFound"
    assert refused(sm.describe_training_job, TrainingJobName=name)
