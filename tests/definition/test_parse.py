"""A whole document: its keys, what stands beside the steps, all problems at once."""

import json

import pytest

from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.definition.node import Json, Problems
from airflow_sm_pipelines.definition.parse import PIPELINE_KEYS, parse
from airflow_sm_pipelines.definition.references import ExecutionVariable
from tests.definition.cases import (
    PIPELINES,
    condition,
    definition,
    fixture,
    get,
    loaded,
    problems_of,
    training,
)


def test_pipeline_without_a_name_of_its_own_has_the_given_one() -> None:
    assert fixture("training").name == "pipeline"


def test_describe_pipeline_names_the_pipeline() -> None:
    pipeline = fixture("describe_pipeline")
    assert pipeline.name == "Abalone"
    assert pipeline.display_name == "Abalone rings"
    assert pipeline.description == "From shells to ages"
    assert pipeline.role_arn == "arn:aws:iam::123456789012:role/sagemaker"
    assert pipeline.max_parallel_steps == 2


def test_null_stands_for_absent_wherever_the_sdk_writes_it() -> None:
    pipeline = fixture("nulls")
    step = pipeline.step("Prepare")
    assert (pipeline.experiment, pipeline.mlflow) == (None, None)
    assert (step.depends_on, step.display_name, step.description) == ((), None, None)
    assert (step.cache, step.retries, step.property_files) == (None, (), ())


def test_metadata_experiment_and_mlflow_are_read() -> None:
    assert loaded(definition(Metadata={"team": "a"})).metadata == {"team": "a"}
    pipeline = fixture("experiment")
    assert pipeline.mlflow
    assert pipeline.mlflow["MlflowExperimentName"] is None
    assert pipeline.experiment == {
        "ExperimentName": ExecutionVariable(
            "PipelineName", "$.PipelineExperimentConfig.ExperimentName.Get"
        ),
        "TrialName": ExecutionVariable(
            "PipelineExecutionId", "$.PipelineExperimentConfig.TrialName.Get"
        ),
    }


def test_expressions_of_the_mlflow_experiment_are_read() -> None:
    pipeline = loaded(
        definition(MlflowConfig={"MlflowExperimentName": get("Execution.PipelineName")})
    )
    assert pipeline.mlflow == {
        "MlflowExperimentName": ExecutionVariable(
            "PipelineName", "$.MlflowConfig.MlflowExperimentName.Get"
        )
    }


@pytest.mark.parametrize(
    ("version", "told"),
    [
        (
            "2019-01-01",
            "$.Version: the string '2019-01-01' is no version; the only one is '2020-12-01'",
        ),
        (20201201, "$.Version: the number 20201201 is no version; the only one is '2020-12-01'"),
        (None, "$: 'Version' is missing; it is required, given are: Steps"),
    ],
)
def test_other_versions_are_refused(version: Json, told: str) -> None:
    assert problems_of({"Version": version, "Steps": []}) == [told]


def test_keys_of_a_pipeline_are_known() -> None:
    assert problems_of(definition(Stpes=[])) == [
        "$.Stpes: unknown key 'Stpes'; did you mean 'Steps'?; "
        f"known are: {', '.join(PIPELINE_KEYS)}"
    ]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (
            {"PipelineExperimentConfig": {"Experiment": "x"}},
            "$.PipelineExperimentConfig.Experiment: unknown key 'Experiment'; "
            "did you mean 'ExperimentName'?; known are: ExperimentName, TrialName",
        ),
        (
            {"MlflowConfig": {"MlflowArn": "x"}},
            "$.MlflowConfig.MlflowArn: unknown key 'MlflowArn'; "
            "did you mean 'MlflowResourceArn'?; "
            "known are: MlflowResourceArn, MlflowExperimentName",
        ),
        (
            {"MlflowConfig": "arn"},
            "$.MlflowConfig: the string 'arn' where an object is expected",
        ),
        (
            {"Metadata": {"a": get("Parameters.X")}},
            "$.Metadata.a: an expression may not stand here; write the value itself",
        ),
    ],
)
def test_what_stands_beside_the_steps_is_checked(keys: dict[str, Json], told: str) -> None:
    assert problems_of(definition(**keys)) == [told]


def test_lists_that_are_none_are_refused() -> None:
    assert problems_of({"Version": "2020-12-01", "Steps": {}, "Parameters": 1, "Metadata": []}) == [
        "$.Parameters: the number 1 where an array is expected",
        "$.Steps: an object where an array is expected",
        "$.Metadata: an array where an object is expected",
    ]


@pytest.mark.parametrize("name", ["many_faults", "many_faults_of_new_steps"])
def test_all_faults_of_a_file_are_told_at_once_each_with_its_path(name: str) -> None:
    faults = json.loads((PIPELINES / "invalid" / f"{name}.json").read_text())
    assert [told.partition(": ")[0] for told in problems_of(faults)] == PLACES[name]


def test_parts_without_problems_are_there_for_the_checks() -> None:
    problems = Problems()
    text = json.dumps(definition(training("Good"), training("Bad", Cache=1)))
    pipeline = parse(read(text), problems, name="p")
    assert problems
    assert [step.name for step in pipeline.steps] == ["Good"]
    assert pipeline.unread == {"Good", "Bad"}


def test_every_name_of_a_definition_with_problems_is_unread_wherever_it_stands() -> None:
    problems = Problems()
    text = json.dumps(definition(condition("C", training("In")), 3, Parameters=[{"Name": "P"}]))
    pipeline = parse(read(text), problems, name="p")
    assert pipeline.unread == {"C", "In", "P"}


PLACES = {
    "many_faults": [
        "$.Stepps",
        "$.Version",
        "$.Parameters[0].Name",
        "$.Parameters[0].Type",
        "$.Parameters[1].DefaultValue",
        "$.Parameters[1].EnumValues",
        "$.Parameters[2]",
        "$.Steps[0].Name",
        "$.Steps[0].Type",
        "$.Steps[0].DependsOn[0]",
        "$.Steps[1].Nmae",
        "$.Steps[1].Arguments.Environment.X.Get",
        "$.Steps[1].Arguments.Environment.Y",
        "$.Steps[1].DependsOn[0].Trigger",
        "$.Steps[1].DisplayName",
        "$.Steps[1].Description",
        "$.Steps[1].CacheConfig.Enabled",
        "$.Steps[1].RetryPolicies[0].ExceptionType",
        "$.Steps[1].RetryPolicies[0].MaxAttempts",
        "$.Steps[1].PropertyFiles[0]",
        "$.Steps[1].PropertyFiles[0]",
        "$.Steps[2].Arguments.ElseStep",
        "$.Steps[2].Arguments.Conditions[0].Type",
        "$.Steps[2].Arguments.Conditions[1].Condition.Conditions[0]",
        "$.Steps[2].Arguments.IfSteps[0]",
        "$.Steps[2].Arguments.IfSteps[0].Arguments.Message",
        "$.Steps[3]",
        "$.Metadata.a",
        "$.PipelineExperimentConfig.Experiment",
        "$.Steps[4].Arguments.X.Get",
    ],
    "many_faults_of_new_steps": [
        "$.Steps[0].CheckTpye",
        "$.Steps[0]",
        "$.Steps[0].SkipCheck",
        "$.Steps[0].ModelPackageGroupName.Get",
        "$.Steps[1].CheckType",
        "$.Steps[2].FunctionArn",
        "$.Steps[2].OutputParameters[0].Type",
        "$.Steps[2].OutputParameters[0].OutputType",
        "$.Steps[3]",
        "$.Steps[3].OutputParameters",
        "$.Steps[4].Arguments.MaxConcurrency",
        "$.Steps[4].Arguments.Selector.Pick",
        "$.Steps[4].Arguments.Selector.Field",
        "$.Steps[4].Arguments.ForEachBody[0].Type",
        "$.Steps[4].Arguments.ForEachBody[1]",
        "$.Steps[5].Arguments.Resources.S3[0]",
        "$.Steps[5].Arguments.Resources.S3[1].S3Uris",
        "$.Steps[6].Type",
        "$.Steps[7].DependsOn[0]",
        "$.Steps[7].DependsOn[0].Trigger",
        "$.Steps[7].CacheConfig.ExpireAfter",
    ],
}
"""Where each fault is, in the order in which they are told: of form first, then of reference."""
