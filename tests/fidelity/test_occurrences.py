"""Each feature of the table is found in a definition that has it, at its place."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.conditions import COMPARISONS, CONDITIONS
from airflow_sm_pipelines.definition.parameters import PARAMETER_TYPES
from airflow_sm_pipelines.definition.parse_steps import TRIGGERS
from airflow_sm_pipelines.definition.policies import EXCEPTION_TYPES
from airflow_sm_pipelines.definition.references import EXECUTION_VARIABLES
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.fidelity.occurrences import occurrences
from airflow_sm_pipelines.fidelity.table import BY_FEATURE
from tests.fidelity.cases import TRAINING, condition, pipeline_of, step

FILES = {
    "PropertyFiles": [{"PropertyFileName": "F", "OutputName": "o", "FilePath": "f.json"}],
    "Arguments": {
        **step("Processing")["Arguments"],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "o",
                    "S3Output": {
                        "S3Uri": "s3://bucket/o",
                        "LocalPath": "/opt/ml/processing/o",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    },
}
FILE = {"Get": "Steps.T.PropertyFiles.F"}
ENVIRONMENT = "$.Steps[1].Arguments.Environment.x"


def reads(value: Any, *, of: str = "Training", **keys: Any) -> Pipeline:
    """A pipeline whose second step has a value in its Environment and follows one of that type."""
    arguments = {**TRAINING, "Environment": {"x": value}}
    parameters = [{"Name": "P", "Type": "String", "DefaultValue": "p"}]
    return pipeline_of(
        step(of, "T", **keys),
        step("Training", Arguments=arguments),
        Parameters=parameters,
        PipelineExperimentConfig={"ExperimentName": "e"},
    )


def decides(*conditions: Any) -> Pipeline:
    return pipeline_of(condition(conditions=conditions))


def compared(type_: str) -> dict[str, Any]:
    """A condition of that type."""
    match type_:
        case "In" | "NotIn":
            return {"Type": type_, "QueryValue": 1, "Values": [1]}
        case "Not":
            return {"Type": type_, "Condition": compared("Equals")}
        case "Or":
            return {"Type": type_, "Conditions": [compared("Equals")]}
    return {"Type": type_, "LeftValue": 1, "RightValue": 1}


def typed(type_: str) -> Pipeline:
    return pipeline_of(step(type_), step("Training", "T"))


def retried(exception_type: str) -> Pipeline:
    policy = {"ExceptionType": [exception_type], "MaxAttempts": 1}
    return pipeline_of(step("Training", RetryPolicies=[policy]))


def waits(dependency: Any, before: Any = None) -> Pipeline:
    return pipeline_of(before or step("Training", "T"), step("Training", DependsOn=[dependency]))


def loops(value: Any) -> Pipeline:
    body = step("Training", "Body", Arguments={**TRAINING, "Environment": {"x": value}})
    loop = step("ForEach")
    field = {"Get": "IterationOutput.Body.TrainingJobName"}
    selector = {"Pick": "MaxBy", "Field": field}
    loop["Arguments"] |= {"ForEachBody": [body], "Selector": selector}
    return pipeline_of(loop)


def cached(type_: str, *, enabled: bool) -> Pipeline:
    return pipeline_of(step(type_, CacheConfig={"Enabled": enabled, "ExpireAfter": "P1D"}))


def entered(entry_point: str) -> Pipeline:
    algorithm = {"TrainingImage": "i", "TrainingInputMode": "File"}
    algorithm |= {"ContainerEntrypoint": ["/bin/bash", entry_point]}  # type: ignore[dict-item]
    return pipeline_of(
        step("Training", Arguments={**TRAINING, "AlgorithmSpecification": algorithm})
    )


def repacked() -> Pipeline:
    arguments = {**TRAINING, "HyperParameters": {"model_archive": "s3://bucket/model.tar.gz"}}
    return pipeline_of(step("Training", "Register-RepackModel-0", Arguments=arguments))


def monitored() -> Pipeline:
    return pipeline_of(
        step("Transform", "Nightly-transform"), step("QualityCheck", "Nightly-monitoring")
    )


def joined() -> dict[str, Any]:
    return {"Std:Join": {"On": "", "Values": ["a"]}}


def got(path: str, **source: Any) -> dict[str, Any]:
    return {"Std:JsonGet": {**source, "Path": path}}


Case = tuple[Callable[[], Pipeline], str]

WRITTEN_BY_THE_SDK: dict[str, Case] = {
    "@step function": (
        lambda: entered("/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"),
        "$.Steps[0]",
    ),
    "Notebook job": (lambda: entered("amazon_sagemaker_scheduler"), "$.Steps[0]"),
    "Repack": (repacked, "$.Steps[0]"),
    "MonitorBatchTransform": (monitored, "$.Steps[1]"),
}

CASES: dict[str, Case] = {
    **WRITTEN_BY_THE_SDK,
    **{f"Type={name}": (partial(typed, name), "$.Steps[0]") for name in STEP_TYPES},
    **{
        f"Get=Execution.{name}": (
            partial(reads, {"Get": f"Execution.{name}"}),
            f"{ENVIRONMENT}.Get",
        )
        for name in EXECUTION_VARIABLES
    },
    **{
        f"Condition={name}": (
            partial(decides, compared(name)),
            "$.Steps[0].Arguments.Conditions" + ("[0]" if name in COMPARISONS else ""),
        )
        for name in CONDITIONS
    },
    **{
        f"ExceptionType={name}": (partial(retried, name), "$.Steps[0].RetryPolicies[0]")
        for name in EXCEPTION_TYPES
    },
    **{
        f"Trigger={name}": (
            partial(waits, {"Step": "T", "Trigger": name}),
            "$.Steps[1].DependsOn[0]",
        )
        for name in TRIGGERS[1:]
    },
    **{
        f"Parameter={name}": (
            partial(pipeline_of, Parameters=[{"Name": "P", "Type": name}]),
            "$.Parameters[0]",
        )
        for name in PARAMETER_TYPES
    },
    "Get=Parameters": (lambda: reads({"Get": "Parameters.P"}), f"{ENVIRONMENT}.Get"),
    "Get=Steps": (lambda: reads({"Get": "Steps.T.TrainingJobName"}), f"{ENVIRONMENT}.Get"),
    "Get=Steps of a step that is not run": (
        lambda: reads({"Get": "Steps.T.ActionArns['a']"}, of="Lineage"),
        f"{ENVIRONMENT}.Get",
    ),
    "Get=Steps.Outcome": (
        lambda: reads({"Get": "Steps.T.Outcome"}, of="Condition"),
        f"{ENVIRONMENT}.Get",
    ),
    "Get=Steps.TrainingJobSummaries": (
        lambda: reads({"Get": "Steps.T.TrainingJobSummaries[0].TrainingJobName"}, of="Tuning"),
        f"{ENVIRONMENT}.Get",
    ),
    "Get=Steps.BestCandidateProperties": (
        lambda: reads(
            {"Get": "Steps.T.BestCandidateProperties.ModelInsightsJsonReportPath"}, of="AutoML"
        ),
        f"{ENVIRONMENT}.Get",
    ),
    "Get=Steps.PropertyFiles": (
        lambda: reads(FILE, of="Processing", **FILES),
        f"{ENVIRONMENT}.Get",
    ),
    "Get=PipelineExperimentConfig": (
        lambda: reads({"Get": "PipelineExperimentConfig.ExperimentName"}),
        f"{ENVIRONMENT}.Get",
    ),
    "Get=ForEach.CurrentItem": (
        lambda: loops({"Get": "ForEach.CurrentItem"}),
        "$.Steps[0].Arguments.ForEachBody[0].Arguments.Environment.x.Get",
    ),
    "Get=IterationOutput": (lambda: loops("x"), "$.Steps[0].Arguments.Selector.Field.Get"),
    "Std:Join": (lambda: reads(joined()), f"{ENVIRONMENT}.Std:Join"),
    "Std:JsonGet.PropertyFile": (
        lambda: reads(got("a", PropertyFile=FILE), of="Processing", **FILES),
        f"{ENVIRONMENT}.Std:JsonGet",
    ),
    "Std:JsonGet.S3Uri": (
        lambda: reads(got("a", S3Uri="s3://bucket/f")),
        f"{ENVIRONMENT}.Std:JsonGet",
    ),
    "Std:JsonGet.Path beyond the grammar": (
        lambda: reads(got("a[*].b", S3Uri="s3://bucket/f")),
        f"{ENVIRONMENT}.Std:JsonGet.Path",
    ),
    "Conditions=[]": (decides, "$.Steps[0].Arguments.Conditions"),
    "Or=[]": (
        lambda: decides({"Type": "Or", "Conditions": []}),
        "$.Steps[0].Arguments.Conditions",
    ),
    "Step without dependencies": (lambda: waits("T"), "$.Steps[0]"),
    "DependsOn": (lambda: waits("T"), "$.Steps[1].DependsOn[0]"),
    "DependsOn a Condition": (lambda: waits("C", condition()), "$.Steps[1].DependsOn[0]"),
    "Step that reads another": (lambda: reads({"Get": "Steps.T.TrainingJobName"}), "$.Steps[1]"),
    "Branch": (
        lambda: pipeline_of(condition(yes=[step("Training")])),
        "$.Steps[0].Arguments.IfSteps[0]",
    ),
    "Step that needs both branches": (
        lambda: pipeline_of(
            condition(yes=[step("Training", "A")], no=[step("Training", "B")]),
            step("Training", DependsOn=["A", "B"]),
        ),
        "$.Steps[1]",
    ),
    "Condition in a branch": (
        lambda: pipeline_of(condition(no=[condition("Inner")])),
        "$.Steps[0].Arguments.ElseSteps[0]",
    ),
    "ForEachBody": (lambda: loops("x"), "$.Steps[0].Arguments.ForEachBody[0]"),
    "Cleanup.Resources": (lambda: typed("Cleanup"), "$.Steps[0].Arguments.Resources"),
    "CacheConfig": (lambda: cached("Training", enabled=True), "$.Steps[0].CacheConfig"),
    "CacheConfig without effect": (
        lambda: cached("Training", enabled=False),
        "$.Steps[0].CacheConfig",
    ),
    "CacheConfig of a check": (
        lambda: cached("QualityCheck", enabled=True),
        "$.Steps[0].CacheConfig",
    ),
    "CacheConfig of a ClusterConfig": (
        lambda: pipeline_of(
            step(
                "EMR",
                Arguments={"StepConfig": {}, "ClusterConfig": {}},
                CacheConfig={"Enabled": True},
            )
        ),
        "$.Steps[0].CacheConfig",
    ),
    "RetryPolicies absent": (lambda: typed("Training"), "$.Steps[0]"),
    "ParallelismConfiguration": (lambda: pipeline_of(limit=2), "$"),
    "PipelineExperimentConfig": (lambda: reads("x"), "$.PipelineExperimentConfig"),
    "MlflowConfig": (
        lambda: pipeline_of(MlflowConfig={"MlflowExperimentName": "e"}),
        "$.MlflowConfig",
    ),
    "Parameter without a default": (
        lambda: pipeline_of(Parameters=[{"Name": "P", "Type": "String"}]),
        "$.Parameters[0]",
    ),
    "EnumValues": (
        lambda: pipeline_of(Parameters=[{"Name": "P", "Type": "String", "EnumValues": ["a"]}]),
        "$.Parameters[0].EnumValues",
    ),
    "Arguments": (lambda: typed("Training"), "$.Steps[0].Arguments"),
    "Job names": (lambda: typed("Training"), "$.Steps[0]"),
    "Roles": (lambda: typed("Training"), "$.Steps[0]"),
    "Tags": (lambda: typed("Training"), "$.Steps[0]"),
    "Definition": (pipeline_of, "$"),
    "DisplayName": (
        lambda: pipeline_of(step("Training", DisplayName="d")),
        "$.Steps[0].DisplayName",
    ),
    "Description": (
        lambda: pipeline_of(step("Training", Description="d")),
        "$.Steps[0].Description",
    ),
    "Metadata": (lambda: pipeline_of(Metadata={"a": "b"}), "$.Metadata"),
}


def test_every_feature_of_the_table_has_a_case() -> None:
    assert CASES.keys() == BY_FEATURE.keys()


@pytest.mark.parametrize("feature", CASES)
def test_a_feature_is_found_where_it_is(feature: str) -> None:
    build, place = CASES[feature]
    assert (feature, place) in set(occurrences(build()))


@pytest.mark.parametrize("feature", WRITTEN_BY_THE_SDK)
def test_what_the_sdk_writes_as_other_types_is_recognised(feature: str) -> None:
    build, place = WRITTEN_BY_THE_SDK[feature]
    found = [where for name, where in occurrences(build()) if name == feature]
    assert place in found
    assert not {name for name, _ in occurrences(typed("Training"))} & WRITTEN_BY_THE_SDK.keys()


@pytest.mark.parametrize("feature", CASES)
def test_whatever_is_found_has_a_row(feature: str) -> None:
    build, _ = CASES[feature]
    assert {name for name, _ in occurrences(build())} <= BY_FEATURE.keys()


def test_an_empty_definition_has_its_form_alone() -> None:
    assert set(occurrences(pipeline_of())) == {("Definition", "$")}


def test_a_type_that_the_service_does_not_cache_has_a_policy_without_effect() -> None:
    found = dict(occurrences(cached("Model", enabled=True)))
    assert found["CacheConfig without effect"] == "$.Steps[0].CacheConfig"
    assert "CacheConfig" not in found


def test_a_step_with_retry_policies_is_not_one_without() -> None:
    assert "RetryPolicies absent" not in dict(occurrences(retried("Step.THROTTLING")))


def test_the_property_file_of_a_json_get_is_a_part_of_it() -> None:
    pipeline = reads(got("a", PropertyFile=FILE), of="Processing", **FILES)
    assert "Get=Steps.PropertyFiles" not in dict(occurrences(pipeline))
