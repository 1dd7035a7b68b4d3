"""The values of the model: found by name, walked, changed, and written as a definition again."""

import dataclasses
import json
import math
from dataclasses import replace
from typing import Protocol

import pytest

from airflow_sm_pipelines.definition import load, model
from airflow_sm_pipelines.definition.durations import Duration
from airflow_sm_pipelines.definition.model import (
    Branches,
    CachePolicy,
    Dependency,
    Iteration,
    Output,
    Parameter,
    Pipeline,
    PropertyFile,
    RetryPolicy,
    Selector,
    Step,
)
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.references import IterationOutput, ParameterReference
from airflow_sm_pipelines.definition.resources import TRAINING
from tests.definition.cases import (
    PIPELINES,
    cleanup,
    condition,
    definition,
    fixture,
    for_each,
    get,
    lambda_,
    loaded,
    processing,
    step,
    training,
)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 5.0), (2, 7.5), (3, 11.25)])
def test_wait_grows_with_every_retry(attempt: int, seconds: float) -> None:
    policy = RetryPolicy(exception_types=("x",), interval_seconds=5, backoff_rate=1.5)
    assert policy.wait(attempt) == seconds


@pytest.mark.parametrize(
    ("interval", "rate", "seconds"), [(0, 2.0, 0.0), (7, 1, 7.0), (7, 0, 0.0), (1, 1e300, math.inf)]
)
def test_wait_is_defined_at_the_bounds(interval: int, rate: float, seconds: float) -> None:
    policy = RetryPolicy(exception_types=("x",), interval_seconds=interval, backoff_rate=rate)
    assert policy.wait(3) == seconds


def test_walk_gives_every_step_in_the_order_of_the_definition() -> None:
    names = [step.name for step in fixture("nested_conditions").walk()]
    assert names == ["Outer", "Inner", "Both", "OuterOnly", "After"]


def test_walk_goes_into_branches_and_bodies() -> None:
    loop = for_each("Loop", training("Each"), training("Next"))
    pipeline = loaded(definition(condition("C", loop, else_steps=[training("No")]), training("T")))
    assert [step.name for step in pipeline.walk()] == ["C", "Loop", "Each", "Next", "No", "T"]
    assert [step.name for step in pipeline.step("Loop").walk()] == ["Loop", "Each", "Next"]


def test_children_are_the_steps_directly_inside() -> None:
    pipeline = fixture("nested_conditions")
    assert [step.name for step in pipeline.step("Outer").children] == ["Inner"]
    assert [step.name for step in pipeline.step("Inner").children] == ["Both", "OuterOnly"]
    assert pipeline.step("Both").children == ()
    (loop,) = loaded(definition(for_each("Loop", training("Each")))).steps
    assert [step.name for step in loop.children] == ["Each"]


def test_steps_and_parameters_are_found_by_name() -> None:
    pipeline = fixture("nested_conditions")
    assert pipeline.step("Both").where == ("$.Steps[0].Arguments.IfSteps[0].Arguments.IfSteps[0]")
    assert pipeline.parameter("Branch").enum == ("if", "else")


def test_unknown_names_are_key_errors() -> None:
    pipeline = fixture("training")
    with pytest.raises(KeyError, match="Nothing"):
        pipeline.step("Nothing")
    with pytest.raises(KeyError, match="Nothing"):
        fixture("condition").parameter("Nothing")


def test_step_knows_the_resource_that_it_creates() -> None:
    assert fixture("training").step("Train").job is TRAINING
    assert fixture("condition").step("Decide").job is None


def test_expressions_of_a_condition_are_those_of_its_operands_alone() -> None:
    step = fixture("untaken_branch").step("Decide")
    assert [type(expression) for expression in step.expressions] == [ParameterReference]


# Written again


def again(pipeline: Pipeline) -> Pipeline:
    return load(json.dumps(pipeline.to_json()), name=pipeline.name)


@pytest.mark.parametrize("name", sorted(file.stem for file in PIPELINES.glob("*.json")))
def test_definition_that_is_written_again_is_the_same_pipeline(name: str) -> None:
    pipeline = fixture(name)
    bare = replace(
        pipeline, role_arn=None, description=None, display_name=None, max_parallel_steps=None
    )
    assert again(pipeline) == bare
    assert again(pipeline).to_json() == pipeline.to_json()


def test_what_describe_pipeline_says_beside_the_definition_is_not_written() -> None:
    described = fixture("describe_pipeline")
    assert described.role_arn
    assert set(described.to_json()) <= {"Version", "Metadata", "Parameters", "Steps"}


# As the SDK writes it, with everything that a definition can hold.
EVERYTHING = definition(
    processing(
        "Prepare",
        {"OutputName": "o"},
        PropertyFiles=[{"PropertyFileName": "R", "OutputName": "o", "FilePath": "r.json"}],
        DisplayName="Prepare it",
        Description="First",
        CacheConfig={"Enabled": True, "ExpireAfter": "t30M"},
        RetryPolicies=[
            {
                "ExceptionType": ["Step.THROTTLING"],
                "IntervalSeconds": 0,
                "BackoffRate": 1.5,
                "MaxAttempts": 0,
            },
            {
                "ExceptionType": ["SageMaker.RESOURCE_LIMIT"],
                "IntervalSeconds": 1,
                "BackoffRate": 2.0,
                "ExpireAfterMin": 60,
            },
        ],
    ),
    condition(
        "Decide",
        for_each(
            "Loop",
            lambda_(
                "Score",
                {"item": get("ForEach.CurrentItem['k']")},
                OutputParameters=[{"OutputName": "auc", "OutputType": "Float"}],
            ),
            items=[1, get("Parameters.Item")],
            Selector={"Pick": "MaxBy", "Field": get("IterationOutput.Score.OutputParameters.auc")},
        ),
        else_steps=[step("Fail", "Stop", {"ErrorMessage": get("Parameters.Item")})],
        operand={
            "Std:JsonGet": {"PropertyFile": get("Steps.Prepare.PropertyFiles.R"), "Path": "a"}
        },
    ),
    cleanup(
        "Sweep",
        {"StepName": "Prepare"},
        {"StepName": "Prepare", "S3Uris": [{"Std:Join": {"On": "/", "Values": ["s3://b", 1]}}]},
        DependsOn=["Prepare", {"Step": "Decide", "Trigger": "Any"}],
    ),
    step(
        "QualityCheck",
        "Check",
        {"Environment": {"trial": get("PipelineExperimentConfig.TrialName")}},
        CheckType="DATA_QUALITY",
        SkipCheck=get("Parameters.Skip"),
        FailOnViolation=False,
    ),
    Metadata={"team": "a"},
    Parameters=[
        {
            "Name": "Item",
            "Type": "String",
            "DefaultValue": "",
            "EnumValues": ["", "b"],
            "Description": "An item",
        },
        {"Name": "Skip", "Type": "Boolean", "DefaultValue": False},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 0},
        {"Name": "Ratio", "Type": "Float"},
    ],
    PipelineExperimentConfig={"ExperimentName": get("Execution.PipelineName"), "TrialName": "t"},
    MlflowConfig={"MlflowResourceArn": "arn", "MlflowExperimentName": None},
)


def test_everything_that_a_definition_can_hold_is_written_as_it_was() -> None:
    assert loaded(EVERYTHING).to_json() == EVERYTHING
    assert again(loaded(EVERYTHING)) == loaded(EVERYTHING)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (
            {"Version": "2020-12-01", "Steps": []},
            {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": []},
        ),
        (
            definition(Metadata=None, PipelineExperimentConfig=None, MlflowConfig=None),
            {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": []},
        ),
        (
            definition(
                Parameters=[{"Name": "P", "DefaultValue": None, "Description": None}],
                PipelineExperimentConfig={"ExperimentName": None},
            ),
            {
                "Version": "2020-12-01",
                "Metadata": {},
                "Parameters": [{"Name": "P", "Type": "String"}],
                "PipelineExperimentConfig": {"ExperimentName": None},
                "Steps": [],
            },
        ),
    ],
)
def test_pipeline_is_written_with_its_lists_and_without_nulls(
    value: dict[str, Json], written: Json
) -> None:
    assert loaded(value).to_json() == written


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (
            training("S", DependsOn=[], RetryPolicies=[], CacheConfig=None, DisplayName=None),
            training("S"),
        ),
        (training("S", {"A": None, "B": [], "C": {}}),) * 2,
        (training("S", CacheConfig={}), training("S", CacheConfig={"Enabled": False})),
        (
            training("S", CacheConfig={"ExpireAfter": "soon"}),
            training("S", CacheConfig={"Enabled": False, "ExpireAfter": "soon"}),
        ),
        (
            training("S", RetryPolicies=[{"ExceptionType": "Step.THROTTLING"}]),
            training(
                "S",
                RetryPolicies=[
                    {
                        "ExceptionType": ["Step.THROTTLING"],
                        "IntervalSeconds": 1,
                        "BackoffRate": 2.0,
                        "MaxAttempts": 5,
                    }
                ],
            ),
        ),
        (
            step("Condition", "S", {"Conditions": []}),
            step("Condition", "S", {"Conditions": [], "IfSteps": [], "ElseSteps": []}),
        ),
        (
            step("QualityCheck", "S", CheckType="DATA_QUALITY", SkipCheck=None),
            step("QualityCheck", "S", CheckType="DATA_QUALITY"),
        ),
        (
            {**for_each("S", training("T")), "DependsOn": [{"Step": "A", "Trigger": "Completed"}]},
            {**for_each("S", training("T")), "DependsOn": ["A"]},
        ),
    ],
)
def test_step_is_written_in_one_way(given: Json, written: Json) -> None:
    pipeline = loaded(definition(given, training("A")))
    assert pipeline.to_json()["Steps"] == [written, training("A")]
    assert again(pipeline) == pipeline


class Writable(Protocol):
    def to_json(self) -> Json: ...


PARTS: list[tuple[Writable, dict[str, Json]]] = [
    (Parameter(name="P", type="Integer", default=0), {"DefaultValue": 0}),
    (CachePolicy(enabled=True), {"Enabled": True}),
    (
        CachePolicy(enabled=True, expire_after=Duration(text="30d", days=30)),
        {"ExpireAfter": "30d"},
    ),
    (RetryPolicy(exception_types=("x",), max_attempts=0), {"MaxAttempts": 0}),
    (
        PropertyFile(name="R", output_name="o", file_path="f", where="$"),
        {"PropertyFileName": "R", "OutputName": "o", "FilePath": "f"},
    ),
    (Output(name="a", type="Float", where="$"), {"OutputName": "a", "OutputType": "Float"}),
    (Dependency(step="A", trigger="Any", where="$"), {"Step": "A", "Trigger": "Any"}),
    (
        Branches(conditions=(), if_steps=(), else_steps=()),
        {"Conditions": [], "IfSteps": [], "ElseSteps": []},
    ),
    (
        Selector(pick="MinBy", field=IterationOutput("S", "x", "$")),
        {"Pick": "MinBy", "Field": get("IterationOutput.S.x")},
    ),
    (
        Iteration(items=ParameterReference("P", "$"), body=(), max_concurrency=3),
        {"IterableItems": get("Parameters.P"), "MaxConcurrency": 3, "ForEachBody": []},
    ),
    (Step(name="S", type="Training", where="$"), training("S")),
]


@pytest.mark.parametrize(("value", "written"), PARTS, ids=lambda value: type(value).__name__)
def test_every_part_is_written_by_itself(value: Writable, written: dict[str, Json]) -> None:
    text = value.to_json()
    assert isinstance(text, dict)
    assert {key: text[key] for key in written} == written


def test_every_class_of_the_model_but_the_whole_is_a_part_here() -> None:
    classes = {
        name
        for name, member in vars(model).items()
        if dataclasses.is_dataclass(member) and member.__module__ == model.__name__
    }
    assert {type(value).__name__ for value, _ in PARTS} == classes - {"Pipeline"}


@pytest.mark.parametrize("value", [value for value, _ in PARTS], ids=lambda v: type(v).__name__)
def test_part_cannot_be_changed_nor_given_what_it_has_not(value: Writable) -> None:
    (name, *_) = (field.name for field in dataclasses.fields(value))  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, None)
    assert not hasattr(value, "__dict__")


def test_pipeline_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        fixture("training").name = "other"  # type: ignore[misc]


def test_dependency_on_completion_is_written_as_the_name_alone() -> None:
    assert Dependency(step="A", where="$").to_json() == "A"


# Rewritten


def test_changed_step_finds_its_expressions_anew() -> None:
    before = fixture("training").step("Train")
    after = replace(before, arguments={"x": ParameterReference("P", "$")})
    assert after.expressions == (ParameterReference("P", "$"),)
    assert ParameterReference("P", "$") not in before.expressions


def test_changed_pipeline_walks_the_new_steps_and_is_written_with_them() -> None:
    before = loaded(definition(training("A"), training("B", DependsOn=["A"])))
    renamed = tuple(replace(each, name=each.name.lower(), depends_on=()) for each in before.steps)
    after = replace(before, steps=renamed)
    assert [each.name for each in after.walk()] == ["a", "b"]
    assert [each.name for each in before.walk()] == ["A", "B"]
    assert after.to_json()["Steps"] == [training("a"), training("b")]
    assert again(after) == after


def test_changed_step_of_a_body_is_written_in_its_place() -> None:
    (loop,) = loaded(definition(for_each("Loop", training("Each")))).steps
    assert loop.iteration
    body = (replace(loop.iteration.body[0], display_name="New"),)
    changed = replace(loop, iteration=replace(loop.iteration, body=body))
    assert changed.to_json() == for_each("Loop", training("Each", DisplayName="New"))
