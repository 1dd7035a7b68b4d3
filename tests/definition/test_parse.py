import json

import pytest

from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.definition.model import Dependency, PropertyFile
from airflow_sm_pipelines.definition.node import Json, Problems
from airflow_sm_pipelines.definition.parse import PIPELINE_KEYS, parse
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.definition.cases import PIPELINES, definition, fixture, loaded, problems_of, training

SUPPORTED = "Processing, Training, Transform, Model, RegisterModel, Condition, Fail"


def test_pipeline_without_a_name_of_its_own_has_the_given_one() -> None:
    assert fixture("training").name == "pipeline"


def test_describe_pipeline_names_the_pipeline() -> None:
    pipeline = fixture("describe_pipeline")
    assert pipeline.name == "Abalone"
    assert pipeline.display_name == "Abalone rings"
    assert pipeline.description == "From shells to ages"
    assert pipeline.role_arn == "arn:aws:iam::123456789012:role/sagemaker"
    assert pipeline.max_parallel_steps == 2


def test_arguments_are_kept_as_they_are() -> None:
    source = json.loads((PIPELINES / "templates.json").read_text())["Steps"][0]
    step = fixture("templates").step("Prepare")
    assert step.arguments == source["Arguments"]
    assert step.source == source


@pytest.mark.parametrize("name", STEP_TYPES)
def test_step_of_every_type_is_read(name: str) -> None:
    files = {
        "Processing": "processing",
        "Training": "training",
        "Transform": "transform",
        "Model": "model",
        "RegisterModel": "register_model",
        "Condition": "condition",
        "Fail": "fail",
    }
    assert name in {step.type for step in fixture(files[name]).walk()}


def test_texts_policies_and_dependencies_of_a_step_are_read() -> None:
    step = fixture("policies").step("Train")
    assert (step.display_name, step.description) == ("Train it", "With care")
    assert step.cache
    assert (step.cache.enabled, step.cache.expire_after) == (True, "P30D")
    assert [policy.max_attempts for policy in step.retries] == [3, None]
    after = fixture("nested_conditions").step("After")
    assert after.depends_on == (Dependency(step="Both", where="$.Steps[1].DependsOn[0]"),)


def test_property_files_are_read() -> None:
    assert fixture("property_file").step("Evaluate").property_files == (
        PropertyFile(
            name="Report",
            output_name="evaluation",
            file_path="deep/evaluation.json",
            where="$.Steps[0].PropertyFiles[0]",
        ),
    )


def test_null_stands_for_absent_wherever_the_sdk_writes_it() -> None:
    pipeline = fixture("nulls")
    step = pipeline.step("Prepare")
    assert (pipeline.experiment, pipeline.mlflow) == (None, None)
    assert (step.depends_on, step.display_name, step.description) == ((), None, None)
    assert (step.cache, step.retries, step.property_files) == (None, (), ())


def test_metadata_experiment_and_mlflow_are_read() -> None:
    assert loaded(definition(Metadata={"team": "a"})).metadata == {"team": "a"}
    pipeline = fixture("experiment")
    assert pipeline.experiment
    assert pipeline.mlflow
    assert list(pipeline.experiment) == ["ExperimentName", "TrialName"]
    assert pipeline.mlflow["MlflowExperimentName"] is None


def test_condition_without_branches_is_read() -> None:
    step = loaded(
        definition({"Name": "C", "Type": "Condition", "Arguments": {"Conditions": []}})
    ).step("C")
    assert step.branches
    assert (step.branches.if_steps, step.branches.else_steps) == ((), ())


@pytest.mark.parametrize("version", ["2019-01-01", 20201201, None])
def test_other_versions_are_refused(version: Json) -> None:
    (told,) = problems_of({"Version": version, "Steps": []})
    assert told in {
        "$.Version: the string '2019-01-01' is no version; the only one is '2020-12-01'",
        "$.Version: the number 20201201 is no version; the only one is '2020-12-01'",
        "$: 'Version' is missing; it is required, given are: Steps",
    }


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (3, "$.Steps[0]: the number 3 where an object is expected"),
        (
            {"Name": "S", "Type": "Trainign", "Arguments": {}},
            "$.Steps[0].Type: unknown step type 'Trainign'; did you mean 'Training'?; "
            f"supported are: {SUPPORTED}",
        ),
        (
            {"Name": "S", "Type": "ForEach"},
            f"$.Steps[0].Type: unknown step type 'ForEach'; supported are: {SUPPORTED}",
        ),
        (
            training("a" * 65),
            "$.Steps[0].Name: a long string is not a name; "
            "use 1 to 64 letters, digits, '-' and '_'",
        ),
        (
            training("S", PropertyFiles=[]),
            "$.Steps[0].PropertyFiles: unknown key 'PropertyFiles'; known are: Name, Type, "
            "Arguments, DependsOn, DisplayName, Description, CacheConfig, RetryPolicies",
        ),
        (
            training("S", DependsOn=[{"Step": "A", "Trigger": "Failed"}]),
            "$.Steps[0].DependsOn[0]: a dependency with a Trigger is not supported; "
            "name the step alone",
        ),
        (
            training("S", DependsOn="A"),
            "$.Steps[0].DependsOn: the string 'A' where an array is expected",
        ),
        (
            {"Name": "S", "Type": "Training"},
            "$.Steps[0]: 'Arguments' is missing; it is required, given are: Name, Type",
        ),
        (
            {"Name": "S", "Type": "Fail", "Arguments": {"Message": "x"}},
            "$.Steps[0].Arguments.Message: unknown key 'Message'; did you mean 'ErrorMessage'?; "
            "known are: ErrorMessage",
        ),
        (
            training("S", DisplayName={"Get": "Parameters.X"}),
            "$.Steps[0].DisplayName: an object where a string is expected; "
            "an expression may not stand here, write the value itself",
        ),
    ],
)
def test_step_that_is_wrong_is_refused(step: Json, told: str) -> None:
    assert problems_of(definition(step)) == [told]


def test_keys_of_a_pipeline_are_known() -> None:
    assert problems_of(definition(Stpes=[])) == [
        "$.Stpes: unknown key 'Stpes'; did you mean 'Steps'?; "
        f"known are: {', '.join(PIPELINE_KEYS)}"
    ]


def test_lists_that_are_none_are_refused() -> None:
    assert problems_of({"Version": "2020-12-01", "Steps": {}, "Parameters": 1, "Metadata": []}) == [
        "$.Parameters: the number 1 where an array is expected",
        "$.Steps: an object where an array is expected",
        "$.Metadata: an array where an object is expected",
    ]


def test_all_faults_of_a_file_are_told_at_once_each_with_its_path() -> None:
    faults = json.loads((PIPELINES / "invalid" / "many_faults.json").read_text())
    assert [told.partition(": ")[0] for told in problems_of(faults)] == [
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
        "$.Steps[1].DependsOn[0]",
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
    ]


def test_parts_without_problems_are_there_for_the_checks() -> None:
    problems = Problems()
    text = json.dumps(definition(training("Good"), training("Bad", Cache=1)))
    pipeline = parse(read(text), problems, name="p")
    assert problems
    assert [step.name for step in pipeline.steps] == ["Good"]
    assert pipeline.unread == {"Good", "Bad"}
