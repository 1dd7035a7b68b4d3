"""Executions that reuse what steps have handed on before: selective ones, and retries."""

import json
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS

from .conftest import (
    SUCCEEDED,
    WAIT,
    began,
    begun,
    created,
    definition,
    ended,
    final,
    listed,
    processing,
)

CHECK = {
    "Name": "Check",
    "Type": "Condition",
    "DependsOn": ["First"],
    "Arguments": {
        "Conditions": [],
        "IfSteps": [{**processing("Inside"), "DependsOn": ["Second"]}],
        "ElseSteps": [],
    },
}
LAST = {**processing("Last"), "DependsOn": ["Inside"]}
FAILED = {"Status": "Failed"}


def done(step: str, **response: str) -> list[dict[str, Any]]:
    return [began(step), ended(step, Response=response)]


def ordered(server: LocalAWS, arn: str) -> dict[str, Any]:
    """What the program of an execution has got."""
    file = server.root / "executions" / arn.rpartition("/")[2] / "order.json"
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def select(*names: str, source: str = "") -> dict[str, Any]:
    config: dict[str, Any] = {"SelectedSteps": [{"StepName": name} for name in names]}
    if source:
        config["SourcePipelineExecutionArn"] = source
    return {"SelectiveExecutionConfig": config}


@pytest.fixture(scope="module")
def nested(sm: Any) -> str:
    """A pipeline of First -> Check(Inside) -> Last, where Inside waits for Second as well."""
    return created(sm, definition(CHECK, LAST))


@pytest.fixture(scope="module")
def source(sm: Any, nested: str) -> str:
    """An execution of it that has failed at Last."""
    outcome = [began("Check"), ended("Check", Response={"Outcome": True})]
    before = [*done("First", a="1"), *done("Second", b="2"), *outcome, *done("Inside", c="3")]
    arn = begun(sm, nested, *before, began("Last"), ended("Last", "Failed"), FAILED)
    final(sm, arn)
    return arn


def test_selected_steps_run_what_is_before_them_is_reused_and_the_rest_is_skipped(
    server: LocalAWS, sm: Any, nested: str, source: str
) -> None:
    selection = select("Last", source=source)
    arn = begun(sm, nested, *done("Second"), *done("Last"), SUCCEEDED, **selection)
    final(sm, arn)
    order = ordered(server, arn)
    assert order["Kept"] == {"First": {"a": "1"}, "Second": {"b": "2"}, "Inside": {"c": "3"}}
    assert order["Skipped"] == ["Ask", "Fail"]
    last, second = listed(sm, arn)
    assert second["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert "SelectiveExecutionResult" not in last
    described = sm.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert selection.items() <= described.items()


def test_steps_that_need_no_other_need_no_source(server: LocalAWS, sm: Any, nested: str) -> None:
    arn = begun(sm, nested, SUCCEEDED, **select("First"))
    final(sm, arn)
    order = ordered(server, arn)
    assert order["Kept"] == {}
    assert order["Skipped"] == ["Ask", "Check", "Fail", "Inside", "Last", "Second"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["Lost"], "SelectedSteps: the pipeline has no step Lost."),
        (["First", "Last"], "SelectedSteps: Check, Inside lies between selected steps"),
        (
            ["Inside"],
            r"Invalid SourcePipelineExecutionArn: null. The selected steps \['Inside'\] have "
            r"dependencies on \['First', 'Second'\]",
        ),
    ],
)
def test_a_selection_that_cannot_be_run_is_refused(
    sm: Any, nested: str, names: list[str], message: str
) -> None:
    with pytest.raises(ClientError, match=f"ValidationException.*{message}"):
        begun(sm, nested, SUCCEEDED, **select(*names))


def test_a_source_without_what_is_needed_is_refused(sm: Any, nested: str) -> None:
    going = begun(sm, nested, *done("First"), began("Second"), WAIT)
    with pytest.raises(ClientError, match=f"{going} is in progress"):
        begun(sm, nested, SUCCEEDED, **select("Inside", source=going))
    sm.stop_pipeline_execution(PipelineExecutionArn=going)
    final(sm, going)
    with pytest.raises(ClientError, match=f"{going} has no outputs of .*Second"):
        begun(sm, nested, SUCCEEDED, **select("Inside", source=going))


def test_a_source_of_another_pipeline_is_refused(sm: Any, nested: str, source: str) -> None:
    with pytest.raises(ClientError, match=f"{source} is of another pipeline"):
        begun(sm, created(sm), SUCCEEDED, **select("First", source=source))


def test_a_retry_keeps_what_has_succeeded(server: LocalAWS, sm: Any) -> None:
    pipeline = created(sm)
    second = ended("Second", "Failed", Reason="no"), ended("Second", Attempt=1)
    tries = [{**FAILED, "times": 0}, {**second[1], "times": 1}]
    do = [*done("First", a="1"), began("Second"), {**second[0], "times": 0}, *tries, SUCCEEDED]
    arn = begun(sm, pipeline, *do[:-1], {**SUCCEEDED, "times": 1})
    assert final(sm, arn)["PipelineExecutionStatus"] == "Failed"
    first = listed(sm, arn)[1]
    token = uuid4().hex
    for _ in range(2):
        answer = sm.retry_pipeline_execution(
            PipelineExecutionArn=arn,
            ClientRequestToken=token,
            ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
        )
        assert answer["PipelineExecutionArn"] == arn
    described = final(sm, arn)
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in described
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    order = ordered(server, arn)
    assert (order["Kept"], order["Times"]) == ({"First": {"a": "1"}}, 1)
    again, kept = listed(sm, arn)
    assert kept == first
    assert (again["StepStatus"], again.get("FailureReason")) == ("Succeeded", None)


def test_what_has_not_failed_or_has_by_a_fail_step_is_not_retried(sm: Any) -> None:
    pipeline = created(sm)
    succeeded = begun(sm, pipeline, SUCCEEDED)
    final(sm, succeeded)
    with pytest.raises(ClientError, match=r"ConflictException.* is Succeeded; only one that is"):
        sm.retry_pipeline_execution(PipelineExecutionArn=succeeded)
    failed = begun(sm, pipeline, began("Fail"), ended("Fail", "Failed"), FAILED)
    final(sm, failed)
    with pytest.raises(ClientError, match="has ended by a Fail step; it cannot be retried"):
        sm.retry_pipeline_execution(PipelineExecutionArn=failed)
