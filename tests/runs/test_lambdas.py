"""Lambda steps, on functions that are really run."""

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS

from .conftest import RunPipeline
from .steps import get, pipeline

Deploy = Callable[[str], str]


@pytest.fixture
def deploy(aws_environment: LocalAWS) -> Deploy:
    """Make the source of a module a function, whose ARN it is then."""
    client = boto3.client("lambda")
    role = boto3.client("iam").list_roles()["Roles"][0]["Arn"]

    def deploy(source: str) -> str:
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("index.py", source)
        arn: str = client.create_function(
            FunctionName=f"f-{uuid4().hex[:8]}",
            Runtime="python3.11",
            Role=role,
            Handler="index.handler",
            Code={"ZipFile": code.getvalue()},
            Timeout=10,
        )["FunctionArn"]
        return arn

    return deploy


@pytest.fixture
def faults(aws_environment: LocalAWS) -> Iterator[Any]:
    yield aws_environment.faults.add
    aws_environment.faults.replace()


def ask(name: str, function: str, *, arguments: Any = None, **outputs: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": arguments or {},
        "OutputParameters": [
            {"OutputName": key, "OutputType": value} for key, value in outputs.items()
        ],
    }


def test_a_lambda_function_is_invoked_and_its_outputs_handed_on(
    run_pipeline: RunPipeline, deploy: Deploy
) -> None:
    count = deploy(
        "def handler(event, context):\n"
        "    return {'rows': len(event['day']) * event['factor'], 'status': 200, 'more': [1]}\n"
    )
    tell = deploy("def handler(event, context): return {'text': str(event)}")
    steps = (
        ask(
            "Count",
            count,
            arguments={"day": get("Parameters.Day"), "factor": 2},
            rows="Integer",
            status="String",
        ),
        ask(
            "Tell",
            tell,
            arguments={"rows": get("Steps.Count.OutputParameters['rows']")},
            text="String",
        ),
    )
    day = [{"Name": "Day", "Type": "String", "DefaultValue": "2026-01-02"}]
    run = run_pipeline(pipeline(*steps, Parameters=day), name="counted")
    assert run.state == "success", run.failures
    assert run.outputs["Count"] == {
        "FunctionArn": count,
        "OutputParameters": {"rows": 20, "status": "200"},
    }
    assert run.outputs["Tell"]["OutputParameters"] == {"text": "{'rows': 20}"}


def test_an_error_of_the_function_fails_the_step(run_pipeline: RunPipeline, deploy: Deploy) -> None:
    function = deploy("def handler(event, context): raise ValueError('no rows today')")
    run = run_pipeline(pipeline(ask("Count", function)), name="raised")
    assert run.state == "failed"
    assert run.failures["Count"] == (
        f"Count: function {function} is Failed: ValueError: no rows today"
    )


def test_what_is_no_object_has_no_outputs(run_pipeline: RunPipeline, deploy: Deploy) -> None:
    function = deploy("def handler(event, context): return [1]")
    run = run_pipeline(pipeline(ask("Count", function, rows="Integer")), name="a-list")
    assert run.failures["Count"].endswith("it returned an array, not an object with 'rows'")


def test_a_function_that_is_not_there_fails_the_step(run_pipeline: RunPipeline) -> None:
    function = "arn:aws:lambda:us-east-1:123456789012:function:nobody"
    run = run_pipeline(pipeline(ask("Count", function)), name="nobody")
    assert run.state == "failed"
    assert "ResourceNotFoundException" in run.failures["Count"]


def test_a_throttled_invocation_is_asked_for_again(
    run_pipeline: RunPipeline, deploy: Deploy, faults: Any
) -> None:
    function = deploy("def handler(event, context): return {}")
    faults({"Kind": "TooManyRequests", "Operations": "lambda:Invoke", "Times": 1})
    assert run_pipeline(pipeline(ask("Count", function)), name="throttled").state == "success"


@pytest.mark.parametrize("kind", ["ResetAfter", "InternalFailure"])
def test_a_lost_answer_fails_the_step_and_invokes_nothing_again(
    run_pipeline: RunPipeline, deploy: Deploy, faults: Any, aws_environment: LocalAWS, kind: str
) -> None:
    """An error of the service's own may come after the function has run."""
    function = deploy("def handler(event, context): return {}")
    faults({"Kind": kind, "Operations": "lambda:Invoke", "Times": 1})
    before = invocations(aws_environment)
    run = run_pipeline(pipeline(ask("Count", function)), name="lost")
    assert run.state == "failed"
    assert "its answer was lost, it may have run" in run.failures["Count"]
    assert invocations(aws_environment) == before + 1


def test_a_function_is_told_which_invocations_are_one(
    run_pipeline: RunPipeline, deploy: Deploy
) -> None:
    function = deploy(
        "def handler(event, context):\n"
        "    return {'token': context.client_context.custom['sm_pipelines_token']}\n"
    )
    run = run_pipeline(pipeline(ask("Count", function, token="String")), name="told")
    assert run.state == "success", run.failures
    assert "-Count-" in run.outputs["Count"]["OutputParameters"]["token"]


def invocations(aws: LocalAWS) -> int:
    return aws.requests.counts().get("lambda:Invoke", 0)
