import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.references import EXECUTION_VARIABLES
from airflow_sm_pipelines.errors import AccessDeniedError, ExpressionError, ParameterError
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.scope import EXECUTION, RunScope
from tests.fakes import STARTED, context

NOW = datetime(2026, 2, 3, tzinfo=UTC)

DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "Count", "Type": "Integer", "DefaultValue": 3},
        {"Name": "Mode", "Type": "String", "EnumValues": ["a", "b"]},
    ],
    "Steps": [
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "Arguments": {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "report"}]}},
            "PropertyFiles": [
                {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "a/b.json"}
            ],
        },
        {"Name": "Train", "Type": "Training", "Arguments": {}},
        {"Name": "Decide", "Type": "Condition", "Arguments": {"Conditions": []}},
    ],
}


def scope(
    *,
    params: dict[str, Any] | None = None,
    xcoms: dict[tuple[str, str], Any] | None = None,
    run_id: str = "run",
) -> RunScope:
    given = context(params=params or {"Mode": "a"}, run_id=run_id)
    given["ti"].xcoms = xcoms or {}
    return RunScope(
        pipeline=load(json.dumps(DEFINITION), name="Abalone"),
        context=given,
        connection=aws.Connection("aws_default"),
        now=NOW,
    )


def evaluated(uri: str) -> dict[tuple[str, str], Any]:
    outputs = [{"OutputName": "report", "S3Output": {"S3Uri": uri}}]
    return {("Evaluate", "return_value"): {"ProcessingOutputConfig": {"Outputs": outputs}}}


Put = Callable[[str | bytes], str]


@pytest.fixture
def put(aws_environment: LocalAWS, request: pytest.FixtureRequest) -> Put:
    """Put a text into S3; its URI."""

    def made(text: str | bytes) -> str:
        client: Any = aws.Connection("aws_default").client("s3")
        client.create_bucket(Bucket="scope-tests")
        key = f"{request.node.name}#1?.json"
        client.put_object(Bucket="scope-tests", Key=key, Body=text)
        return f"s3://scope-tests/{key}"

    return made


# Parameters


def test_a_parameter_has_the_value_of_the_run_or_its_default() -> None:
    made = scope(params={"Mode": "b"})
    assert (made.parameter("Mode"), made.parameter("Count")) == ("b", 3)


def test_all_that_is_wrong_with_the_parameters_is_told_at_once() -> None:
    made = scope(params={"Mode": "c", "Count": "3", "Cuont": 4})
    with pytest.raises(ParameterError) as raised:
        made.parameter("Count")
    assert str(raised.value) == (
        "parameter Cuont: unknown; did you mean 'Count'?; the pipeline declares: Count, Mode\n"
        "parameter Count: the string '3' where an integer is expected\n"
        "parameter Mode: 'c' is not among its values; use one of: a, b"
    )


def test_a_parameter_without_a_value_is_told() -> None:
    with pytest.raises(ParameterError) as raised:
        scope(params={"Count": 1}).parameter("Count")
    assert str(raised.value) == (
        "parameter Mode: missing; it has no default, give a value of type String"
    )


# Execution variables


def test_every_execution_variable_has_a_value() -> None:
    assert set(EXECUTION) == set(EXECUTION_VARIABLES)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PipelineName", "Abalone"),
        ("StartDateTime", STARTED.isoformat()),
        ("CurrentDateTime", NOW.isoformat()),
        ("TrainingJobName", "none"),
        ("ProcessingJobName", "none"),
    ],
)
def test_an_execution_variable_is_a_fact_of_the_run(variable: str, value: str) -> None:
    assert scope().execution(variable) == value


def test_the_execution_id_is_the_runs_own() -> None:
    made = scope().execution("PipelineExecutionId")
    assert made == scope().execution("PipelineExecutionId")
    assert made != scope(run_id="other").execution("PipelineExecutionId")


def test_the_arns_are_those_of_the_connections_account_and_region(
    aws_environment: LocalAWS,
) -> None:
    made = scope()
    arn = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/abalone"
    assert made.execution("PipelineArn") == arn
    assert made.execution("PipelineExecutionArn") == f"{arn}/execution/{made.execution_id}"


def test_the_jobs_own_name_is_known_once_it_is_made() -> None:
    made = scope()
    made.job_name = "job-1"
    assert made.execution("TrainingJobName") == "job-1"
    assert made.execution("ProcessingJobName") == "job-1"


# Properties


def test_the_properties_of_a_step_are_what_it_handed_on() -> None:
    made = scope(xcoms={("Train", "return_value"): {"A": 1}})
    assert made.properties("Train") == {"A": 1}


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        ({"ExperimentName": {"Get": "Execution.PipelineName"}}, "ExperimentName", "Abalone"),
        ({"ExperimentName": "mine", "TrialName": {"Get": "Parameters.Mode"}}, "TrialName", "a"),
    ],
)
def test_a_name_of_the_experiment_is_what_it_stands_for(
    config: dict[str, Any], name: str, value: str
) -> None:
    made = scope()
    text = json.dumps({**DEFINITION, "PipelineExperimentConfig": config})
    made.pipeline = load(text, name="Abalone")
    assert made.experiment(name) == value


def test_a_name_that_the_experiment_does_not_have_is_told() -> None:
    with pytest.raises(ExpressionError, match="PipelineExperimentConfig has no TrialName"):
        scope().experiment("TrialName")


def test_there_is_no_iteration() -> None:
    for ask in (scope().current_item, lambda: scope().iteration("Train")):
        with pytest.raises(ExpressionError, match="no ForEach step is run"):
            ask()


def test_the_properties_of_a_step_are_asked_for_once() -> None:
    made = scope(xcoms={("Train", "return_value"): {"A": 1}})
    made.properties("Train")
    made.context["ti"].xcoms.clear()
    assert made.properties("Train") == {"A": 1}


@pytest.mark.parametrize("outcome", [True, False])
def test_the_property_of_a_condition_is_its_outcome(outcome: bool) -> None:
    made = scope(xcoms={("Decide", "Outcome"): outcome})
    assert made.properties("Decide") == {"Outcome": outcome}


@pytest.mark.parametrize("step", ["Train", "Decide"])
def test_a_step_that_did_not_run_is_told(step: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        scope().properties(step)
    assert str(raised.value) == (f"step {step!r} has handed on nothing in this run; did it run?")


# Property files


@pytest.mark.parametrize("uri", ["s3://bucket/out", "s3://bucket/out/"])
def test_a_property_file_is_below_its_output(uri: str) -> None:
    made = scope(xcoms=evaluated(uri))
    assert made.property_file("Evaluate", "Report") == "s3://bucket/out/a/b.json"


def test_a_property_file_whose_output_the_job_does_not_have_is_told() -> None:
    properties = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "rapport"}]}}
    with pytest.raises(ExpressionError) as raised:
        scope(xcoms={("Evaluate", "return_value"): properties}).property_file("Evaluate", "Report")
    assert str(raised.value) == (
        "property file 'Report' of step 'Evaluate': no element of .ProcessingOutputConfig.Outputs "
        "has the OutputName 'report'; did you mean 'rapport'?; there are: rapport"
    )


# JsonGet


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metrics.mse.value", 4.5),
        ("$.metrics.mse.value", 4.5),
        ("metrics['mse'].value", 4.5),
        ('metrics["train:rmse"]', 2),
        ("train:rmse", "odd"),
        ("5fold.where", True),
        ("f1/macro", 1),
        ("données.é", "é"),
        ("rows[1].n", 2),
        ("rows[-1].n", 2),
        ("$..deepest", 9),
        ("rows[0:1].n", 1),
        ("a*b", 7),
        ("text", ""),
        ("zero", 0),
        ("no", False),
    ],
)
def test_json_get_finds_the_value_at_a_path(put: Put, path: str, value: Any) -> None:
    document = {
        "metrics": {"mse": {"value": 4.5}, "train:rmse": 2},
        "train:rmse": "odd",
        "5fold": {"where": True},
        "f1/macro": 1,
        "données": {"é": "é"},
        "rows": [{"n": 1}, {"n": 2}],
        "deep": {"deeper": {"deepest": 9}},
        "a*b": 7,
        "text": "",
        "zero": 0,
        "no": False,
    }
    found = scope().json_get(put(json.dumps(document)), path)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("mtrics", "'mtrics' is not in the result; did you mean 'metrics'?; there are: metrics, n"),
        ("metrics.mae", "'mae' is not in .metrics; did you mean 'mse'?; there are: mse, f1"),
        ("metrics.f1[7]", "[7] is not in .metrics.f1; it has 2 elements"),
        ("metrics.f1[0]", "null is there; a path leads to a string, a number or a boolean"),
        ("metrics", "an object is there; a path leads to a string, a number or a boolean"),
        ("metrics.f1", "an array is there; a path leads to a string, a number or a boolean"),
        ("$", "an object is there; a path leads to a string, a number or a boolean"),
        ("metrics.*", "2 values are there; a path leads to exactly one"),
        ("$..nothing", "0 values are there; a path leads to exactly one"),
    ],
)
def test_a_path_that_does_not_lead_to_one_value_is_told(put: Put, path: str, problem: str) -> None:
    uri = put('{"metrics": {"mse": 1, "f1": [null, 2]}, "n": 1}')
    with pytest.raises(ExpressionError) as raised:
        scope().json_get(uri, path)
    assert str(raised.value) == f"{uri}, path {path!r}: {problem}"


def test_a_path_that_is_none_is_told(put: Put) -> None:
    with pytest.raises(ExpressionError) as raised:
        scope().json_get(put("{}"), "a[?(")
    assert str(raised.value).startswith("path 'a[?(': not a JSON path: ")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ("{'a': 1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ('{"a": 1} {}', "Extra data: line 1 column 10 (char 9)"),
        ('{"mse": NaN}', "it holds NaN, which JSON does not have"),
        ('{"mse": -Infinity}', "it holds -Infinity, which JSON does not have"),
        (
            b"\xff",
            "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
    ],
)
def test_a_file_that_is_not_json_is_told(put: Put, text: str | bytes, problem: str) -> None:
    uri = put(text)
    with pytest.raises(ExpressionError) as raised:
        scope().json_get(uri, "a")
    assert str(raised.value) == f"{uri} is not JSON: {problem}; write one JSON document"


def test_a_file_nested_too_deep_is_told(put: Put) -> None:
    with pytest.raises(ExpressionError, match="is not JSON: maximum recursion depth exceeded"):
        scope().json_get(put("[" * 100_000), "a")


def test_a_missing_object_is_told(put: Put) -> None:
    put("{}")
    with pytest.raises(ExpressionError) as raised:
        scope().json_get("s3://scope-tests/missing.json", "a")
    assert str(raised.value) == (
        "no object s3://scope-tests/missing.json; the step before has to write it there"
    )


def test_a_missing_bucket_is_told(aws_environment: LocalAWS) -> None:
    with pytest.raises(ExpressionError) as raised:
        scope().json_get("s3://not-a-bucket-of-ours/a.json", "a")
    assert str(raised.value) == (
        "no object s3://not-a-bucket-of-ours/a.json; the step before has to write it there"
    )


@pytest.mark.parametrize("uri", ["a.json", "https://b/k", "s3://", "s3://bucket", "s3://bucket/"])
def test_what_is_no_uri_of_an_object_is_told(aws_environment: LocalAWS, uri: str) -> None:
    with pytest.raises(ExpressionError) as raised:
        scope().json_get(uri, "a")
    assert str(raised.value) == f"{uri!r} is not the URI of an object; write s3://bucket/key"


def test_a_file_is_read_once_for_all_its_values(put: Put) -> None:
    uri = put('{"a": 1, "b": 2}')
    made = scope()
    assert made.json_get(uri, "a") == 1
    put('{"a": 1, "b": 3}')
    assert made.json_get(uri, "b") == 2


def test_a_refusal_of_s3_is_no_missing_object(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = put("{}")
    made = scope()
    client: Any = aws.Connection("aws_default").client("s3")
    made.__dict__["_s3"] = client
    from botocore.stub import Stubber

    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", "AccessDenied", "Access Denied", 403)
        with pytest.raises(AccessDeniedError) as raised:
            made.json_get(uri, "a")
    assert str(raised.value) == (
        f"s3:GetObject on {uri.removeprefix('s3://')}: access denied; allow the action for the "
        "connection's identity. AWS says: Access Denied"
    )
