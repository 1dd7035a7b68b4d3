"""Arguments against the shapes of their requests: literals, and references by their types."""

from typing import Any

import pytest
from botocore.model import Shape

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.validation.kinds import Names
from airflow_sm_pipelines.validation.models import model, version
from airflow_sm_pipelines.validation.shapes import RULES, check
from tests.validation.cases import (
    PROCESSING,
    TRAINING,
    problem,
    processing,
    step,
    told,
    training,
    warning,
)

ARGUMENTS = "$.Steps[0].Arguments"


def get(path: str) -> dict[str, Json]:
    return {"Get": path}


def resources(**members: Json) -> dict[str, Json]:
    config = TRAINING["ResourceConfig"]
    assert isinstance(config, dict)
    return training(ResourceConfig={**config, **members})


def test_least_that_a_job_takes_is_accepted_without_names_roles_and_tokens() -> None:
    model = step("Model", "Model", {"PrimaryContainer": {"Image": "image"}})
    package = step("Register", "RegisterModel", {"ModelPackageGroupName": "group"})
    assert told(training(), processing(), model, package) == ([], [])


@pytest.mark.parametrize(
    ("members", "where", "message"),
    [
        (
            {"HyperParameters": {"depth": 5}},
            ".HyperParameters.depth",
            "the number 5 where a string is expected; write it as text in quotation marks",
        ),
        (
            {"Environment": {"odd key": "a", "A": True}},
            ".Environment.A",
            "true where a string is expected; write it as text in quotation marks",
        ),
        (
            {"Environment": {"A": ["a"]}},
            ".Environment.A",
            "an array where a string is expected; write it as text in quotation marks",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": "5"}},
            ".StoppingCondition.MaxRuntimeInSeconds",
            "the string '5' where an integer is expected; write digits without quotation marks",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": True}},
            ".StoppingCondition.MaxRuntimeInSeconds",
            "true where an integer is expected; write digits without quotation marks",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 1.5}},
            ".StoppingCondition.MaxRuntimeInSeconds",
            "the number 1.5 where an integer is expected; round it",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            ".StoppingCondition.MaxRuntimeInSeconds",
            "the number 0 is too small; MaxRuntimeInSeconds is at least 1",
        ),
        (
            {"EnableManagedSpotTraining": "true"},
            ".EnableManagedSpotTraining",
            "the string 'true' where true or false is expected; "
            "write true or false without quotation marks",
        ),
        (
            {"StoppingCondition": "an hour"},
            ".StoppingCondition",
            "the string 'an hour' where an object is expected; write its members in { }",
        ),
        (
            {"StoppingCondition": {"MaxRuntime": 5}},
            ".StoppingCondition.MaxRuntime",
            "unknown member 'MaxRuntime'; did you mean 'MaxRuntimeInSeconds'?; StoppingCondition "
            f"of {version()} has: MaxRuntimeInSeconds, MaxWaitTimeInSeconds, "
            "MaxPendingTimeInSeconds",
        ),
        (
            {"OutputDataConfig": {"KmsKeyId": "key"}},
            ".OutputDataConfig",
            "'S3OutputPath' is missing; it is required, given are: KmsKeyId",
        ),
        (
            {"InputDataConfig": []},
            ".InputDataConfig",
            "an array of 0 elements; InputDataConfig has at least 1",
        ),
        (
            {"Tags": {"Key": "a", "Value": "b"}},
            ".Tags",
            "an object where an array is expected; write [ ] around it",
        ),
        (
            {"RoleArn": "Role"},
            ".RoleArn",
            "the string 'Role' has 4 characters; RoleArn has at least 20",
        ),
        (
            {"TrainingJobName": "x" * 91},
            ".TrainingJobName",
            "a long string has 91 characters; TrainingJobName has at most 63",
        ),
        (
            {"TrainingJobName": "my_job"},
            ".TrainingJobName",
            "the string 'my_job' is no TrainingJobName; "
            "write one that matches [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62} as a whole",
        ),
        (
            {"Environment": {"odd key": "value"}},
            ".Environment['odd key']",
            "the string 'odd key' is no TrainingEnvironmentKey; "
            "write one that matches [a-zA-Z_][a-zA-Z0-9_]* as a whole",
        ),
        (
            {"Environment": {f"K{number}": "value" for number in range(101)}},
            ".Environment",
            "an object of 101 members; TrainingEnvironmentMap has at most 100",
        ),
    ],
)
def test_literal_that_the_service_refuses_is_a_problem(
    members: dict[str, Json], where: str, message: str
) -> None:
    problems, warnings = told(training(**members))
    assert f"{ARGUMENTS}{where}: {message}" in problems
    assert warnings == []


def test_number_beyond_the_range_of_its_shape_is_a_problem() -> None:
    retries: Json = {"MaximumRetryAttempts": 31}
    assert problem(training(RetryStrategy=retries)) == (
        f"{ARGUMENTS}.RetryStrategy.MaximumRetryAttempts: "
        "the number 31 is too large; MaximumRetryAttempts is at most 30"
    )


def test_literals_beside_an_expression_are_checked() -> None:
    values: Json = {"a": get("Parameters.Text"), "b": 1}
    assert problem(training(HyperParameters=values)) == (
        f"{ARGUMENTS}.HyperParameters.b: "
        "the number 1 where a string is expected; write it as text in quotation marks"
    )


def test_value_that_this_botocore_does_not_know_is_a_warning_that_names_it() -> None:
    assert warning(resources(InstanceType="ml.m5.larg")).startswith(
        f"{ARGUMENTS}.ResourceConfig.InstanceType: {version()} knows no TrainingInstanceType "
        "'ml.m5.larg'; did you mean 'ml.m5.large' or "
    )


def test_values_are_listed_where_none_is_near() -> None:
    mode: Json = {"TrainingImage": "image", "TrainingInputMode": "?"}
    assert warning(training(AlgorithmSpecification=mode)) == (
        f"{ARGUMENTS}.AlgorithmSpecification.TrainingInputMode: "
        f"{version()} knows no TrainingInputMode '?'; Pipe, File, FastFile"
    )


def test_whole_number_that_is_written_as_a_decimal_is_a_warning() -> None:
    assert warning(resources(InstanceCount=2.0)) == (
        f"{ARGUMENTS}.ResourceConfig.InstanceCount: "
        "the number 2.0 where an integer is expected; write 2"
    )


def test_null_is_a_warning() -> None:
    assert warning(training(Environment=None)) == (
        f"{ARGUMENTS}.Environment: null where an object is expected; leave it out"
    )


def test_null_is_no_value_of_a_required_member() -> None:
    problems, _ = told(training(OutputDataConfig={"S3OutputPath": None, "KmsKeyId": "key"}))
    assert problems == [
        f"{ARGUMENTS}.OutputDataConfig: 'S3OutputPath' is missing; "
        "it is required, given are: KmsKeyId"
    ]


@pytest.mark.parametrize(
    ("parameter", "kind"), [("Count", "an Integer"), ("Rate", "a Float"), ("Flag", "a Boolean")]
)
def test_parameter_that_is_no_string_is_refused_where_a_string_is_expected(
    parameter: str, kind: str
) -> None:
    assert problem(training(HyperParameters={"n": get(f"Parameters.{parameter}")})) == (
        f"{ARGUMENTS}.HyperParameters.n: parameter {parameter!r} is {kind} where a string is "
        'expected; wrap it in Std:Join: {"Std:Join": {"On": "", "Values": [<it>]}}'
    )


@pytest.mark.parametrize(
    ("expression", "told_kind"),
    [
        (get("Parameters.Text"), "parameter 'Text' is a String"),
        (get("Parameters.Rate"), "parameter 'Rate' is a Float"),
        (get("Execution.PipelineName"), "an execution variable is a String"),
        ({"Std:Join": {"On": "", "Values": ["5"]}}, "a Std:Join is a String"),
    ],
)
def test_expression_of_another_type_is_refused_where_an_integer_is_expected(
    expression: Json, told_kind: str
) -> None:
    assert problem(resources(InstanceCount=expression)) == (
        f"{ARGUMENTS}.ResourceConfig.InstanceCount: {told_kind} "
        "where an integer is expected; refer to a value of that type"
    )


@pytest.mark.parametrize(
    ("members", "place"),
    [
        ({"HyperParameters": {"a": get("Parameters.Text")}}, "a string"),
        ({"HyperParameters": {"a": get("Execution.StartDateTime")}}, "a string"),
        ({"HyperParameters": {"a": {"Std:Join": {"On": "", "Values": [1]}}}}, "a string"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": get("Parameters.Count")}}, "an integer"),
        ({"EnableManagedSpotTraining": get("Parameters.Flag")}, "true or false"),
    ],
)
def test_expression_of_the_right_type_is_accepted(members: dict[str, Json], place: str) -> None:
    assert told(training(**members)) == ([], []), place


@pytest.mark.parametrize("parameter", ["Count", "Rate"])
def test_integers_and_floats_are_accepted_where_a_number_is_expected(parameter: str) -> None:
    variant: Json = {
        "VariantName": "all",
        "ModelName": "model",
        "InitialVariantWeight": get(f"Parameters.{parameter}"),
    }
    assert told(step("Config", "EndpointConfig", {"ProductionVariants": [variant]})) == ([], [])


def test_string_is_refused_where_a_number_is_expected() -> None:
    variant: Json = {"VariantName": "all", "ModelName": "model", "InitialVariantWeight": "1"}
    arguments: Json = {"EndpointConfigName": "config", "ProductionVariants": [variant]}
    assert problem(step("Config", "EndpointConfig", arguments)) == (
        f"{ARGUMENTS}.ProductionVariants[0].InitialVariantWeight: "
        "the string '1' where a number is expected; write digits without quotation marks"
    )


def test_number_below_the_least_is_refused_where_a_number_is_expected() -> None:
    variant: Json = {"VariantName": "all", "ModelName": "model", "InitialVariantWeight": -0.5}
    arguments: Json = {"EndpointConfigName": "config", "ProductionVariants": [variant]}
    assert problem(step("Config", "EndpointConfig", arguments)) == (
        f"{ARGUMENTS}.ProductionVariants[0].InitialVariantWeight: "
        "the number -0.5 is too small; VariantWeight is at least 0"
    )


@pytest.mark.parametrize(
    ("members", "where", "message"),
    [
        (
            {"VpcConfig": {"Subnets": get("Parameters.Text"), "SecurityGroupIds": ["sg-1"]}},
            ".VpcConfig.Subnets",
            "parameter 'Text' where an array is expected",
        ),
        (
            {"Environment": get("Parameters.Text")},
            ".Environment",
            "parameter 'Text' where an object is expected",
        ),
        (
            {"StoppingCondition": get("Execution.PipelineName")},
            ".StoppingCondition",
            "an execution variable where an object is expected",
        ),
    ],
)
def test_expression_for_a_whole_array_or_object_is_refused(
    members: dict[str, Json], where: str, message: str
) -> None:
    assert problem(training(**members)) == (
        f"{ARGUMENTS}{where}: {message}; "
        "write it out, references may stand for the single values inside"
    )


def test_value_of_a_json_file_may_have_any_type_that_is_no_array_or_object() -> None:
    read: Json = {"Std:JsonGet": {"S3Uri": "s3://bucket/a.json", "Path": "a"}}
    members: dict[str, Json] = {
        "HyperParameters": {"a": read},
        "StoppingCondition": {"MaxRuntimeInSeconds": read},
        "EnableManagedSpotTraining": read,
    }
    assert told(training(**members)) == ([], [])
    assert problem(training(Environment=read)) == (
        f"{ARGUMENTS}.Environment: a Std:JsonGet where an object is expected; "
        "write it out, references may stand for the single values inside"
    )


@pytest.mark.parametrize(
    ("members", "where", "message"),
    [
        (
            {"HyperParameters": {"n": get("Steps.First.ResourceConfig.InstanceCount")}},
            ".HyperParameters.n",
            "'Steps.First.ResourceConfig.InstanceCount' is an Integer where a string is expected; "
            'wrap it in Std:Join: {"Std:Join": {"On": "", "Values": [<it>]}}',
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": get("Steps.First.RoleArn")}},
            ".StoppingCondition.MaxRuntimeInSeconds",
            "'Steps.First.RoleArn' is a String where an integer is expected; "
            "refer to a value of that type",
        ),
        (
            {"InputDataConfig": get("Steps.First.InputDataConfig")},
            ".InputDataConfig",
            "'Steps.First.InputDataConfig' where an array is expected; "
            "write it out, references may stand for the single values inside",
        ),
    ],
)
def test_property_of_another_type_is_a_warning(
    members: dict[str, Json], where: str, message: str
) -> None:
    assert warning(training(**members), training("First")) == f"{ARGUMENTS}{where}: {message}"


def test_name_of_the_experiment_is_a_string() -> None:
    name = get("PipelineExperimentConfig.TrialName")
    members: dict[str, Json] = {"HyperParameters": {"n": name}, "EnableManagedSpotTraining": name}
    experiment: Json = {"ExperimentName": "a", "TrialName": "b"}
    assert warning(training(**members), PipelineExperimentConfig=experiment) == (
        f"{ARGUMENTS}.EnableManagedSpotTraining: a name of the experiment is a String "
        "where true or false is expected; refer to a value of that type"
    )


def test_property_file_is_no_string() -> None:
    files: Json = [{"PropertyFileName": "Report", "OutputName": "train", "FilePath": "a.json"}]
    prepare = {**processing(), "PropertyFiles": files}
    reader = training(HyperParameters={"a": get("Steps.Prepare.PropertyFiles.Report")})
    assert warning(reader, prepare) == (
        f"{ARGUMENTS}.HyperParameters.a: 'Report' of step 'Prepare' is a property file "
        "where a string is expected; read a value in it with Std:JsonGet"
    )


def test_item_of_an_iteration_may_stand_for_a_single_value_only() -> None:
    item = get("ForEach.CurrentItem")
    body = training(HyperParameters={"a": item}, Environment=item)
    arguments: Json = {"IterableItems": ["a"], "MaxConcurrency": 1, "ForEachBody": [body]}
    assert warning(step("Each", "ForEach", arguments)) == (
        "$.Steps[0].Arguments.ForEachBody[0].Arguments.Environment: an item of a ForEach step "
        "where an object is expected; "
        "write it out, references may stand for the single values inside"
    )


def test_default_of_a_parameter_that_no_job_can_have_is_a_warning_where_it_is_used() -> None:
    parameters: Json = [{"Name": "Type", "Type": "String", "DefaultValue": ""}]
    outputs: Json = {"S3OutputPath": get("Parameters.Type")}
    assert warning(training(OutputDataConfig=outputs), Parameters=parameters) == (
        f"{ARGUMENTS}.OutputDataConfig.S3OutputPath: the default of parameter 'Type': the string "
        "'' is no S3Uri; write one that matches (https|s3)://([^/]+)/?(.*) as a whole"
    )


def test_default_of_the_wrong_type_is_told_once() -> None:
    parameters: Json = [{"Name": "Type", "Type": "Integer", "DefaultValue": 5}]
    outputs: Json = {"S3OutputPath": get("Parameters.Type")}
    assert "is an Integer where a string" in problem(
        training(OutputDataConfig=outputs), Parameters=parameters
    )


def test_text_that_is_an_accident_is_explained_instead_of_measured() -> None:
    assert problem(training(TrainingJobName="${name}-job")) == (
        f"{ARGUMENTS}.TrainingJobName: '${{name}}' is not filled in by SageMaker; "
        "fill the template in, or use a parameter and a Std:Join"
    )


def test_requirements_inside_checks_are_those_of_a_processing_job() -> None:
    check = step("Check", "QualityCheck", {**PROCESSING, "Image": "a"}, CheckType="DATA_QUALITY")
    assert problem(check).startswith(f"{ARGUMENTS}.Image: unknown member 'Image'; ")


def test_shape_of_a_type_without_a_rule_may_be_anything() -> None:
    names = Names(parameters={}, steps={})
    assert list(check({"a": 1}, Shape("Odd", {"type": "odd"}), "$", names)) == []


def test_every_type_of_shape_of_the_models_has_a_rule() -> None:
    models: list[dict[str, Any]] = [model(service) for service in ("sagemaker", "emr")]
    types = {shape["type"] for model in models for shape in model["shapes"].values()}
    assert types <= RULES.keys()
