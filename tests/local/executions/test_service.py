"""StartPipelineExecution and what is asked of executions, run by a program of the tests."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.executions.engine import AT_ONCE, DIED

from .conftest import (
    ACCOUNT,
    ROLE,
    SUCCEEDED,
    WAIT,
    SmallRunner,
    began,
    begun,
    client_of,
    created,
    definition,
    ended,
    final,
    has_begun,
    listed,
)

Start = Callable[..., str]


def test_an_execution_is_described_as_the_service_does(
    sm: Any, start: Start, pipeline: str
) -> None:
    arn = start(SUCCEEDED)
    described = final(sm, arn)
    place = f"{ACCOUNT}:pipeline/{pipeline.lower()}"
    id_ = arn.removeprefix(f"{place}/execution/")
    assert len(id_) == 12
    assert described["PipelineArn"] == place
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["RoleArn"] == ROLE
    milliseconds = int(described["CreationTime"].timestamp() * 1000)
    assert described["PipelineExecutionDisplayName"] == f"execution-{milliseconds}"


def test_what_is_given_for_one_execution_goes_before_what_the_pipeline_has(sm: Any) -> None:
    four = {"MaxParallelExecutionSteps": 4}
    pipeline = created(sm, ParallelismConfiguration={"MaxParallelExecutionSteps": 2})
    arn = begun(sm, pipeline, SUCCEEDED)
    assert final(sm, arn)["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    given = {
        "PipelineExecutionDisplayName": "mine",
        "PipelineExecutionDescription": "of today",
        "ParallelismConfiguration": four,
    }
    assert given.items() <= final(sm, begun(sm, pipeline, SUCCEEDED, **given)).items()


def test_the_program_gets_the_pipeline_and_an_order(server: LocalAWS, start: Start) -> None:
    arn = start(SUCCEEDED, ParallelismConfiguration={"MaxParallelExecutionSteps": 3})
    folder = server.root / "executions" / arn.rpartition("/")[2]
    pipeline = json.loads((folder / "pipeline.json").read_text())
    assert (pipeline["RoleArn"], pipeline["PipelineDefinition"]) == (ROLE, definition())
    assert pipeline["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    order = json.loads((folder / "order.json").read_text())
    assert order["PipelineExecutionArn"] == arn
    assert json.loads(order["Parameters"]["Do"]) == [SUCCEEDED]
    final(client_of(server), arn)
    assert (folder / "log.txt").read_text() == "at work\n"
    assert not (folder / "work").exists()


def test_only_steps_that_started_are_listed_the_newest_first(sm: Any, start: Start) -> None:
    job = f"{ACCOUNT}:processing-job/job"
    done = ended("First", Response={"ProcessingJobArn": job})
    arn = start(began("First"), done, began("Second"), ended("Second"), SUCCEEDED)
    final(sm, arn)
    second, first = listed(sm, arn)
    assert (second["StepName"], first["StepName"]) == ("Second", "First")
    assert first["StepDisplayName"] == "The First"
    assert first["StepStatus"] == "Succeeded"
    assert first["StartTime"] <= first["EndTime"] <= second["StartTime"]
    assert first["Metadata"] == {"ProcessingJob": {"Arn": job}}
    assert second["Metadata"] == {}
    assert listed(sm, arn, SortOrder="Ascending") == [first, second]


def test_steps_are_listed_page_by_page(sm: Any, start: Start) -> None:
    arn = start(began("First"), ended("First"), began("Second"), ended("Second"), SUCCEEDED)
    final(sm, arn)
    pages = sm.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, PaginationConfig={"PageSize": 1}
    )
    names = [[each["StepName"] for each in page["PipelineExecutionSteps"]] for page in pages]
    assert names == [["Second"], ["First"]]


def test_a_step_that_runs_tells_its_job(server: LocalAWS, sm: Any, start: Start) -> None:
    server.scripts.add({"Kind": "ProcessingJob", "Moments": [{"Status": "Completed"}]})
    arn = start(began("First"), WAIT)
    has_begun(sm, arn, "First")
    name = f"pipelines-{arn.rpartition('/')[2]}-First-0123456789-3-1"
    cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    job = sm.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": "python:3"},
        ProcessingResources={"ClusterConfig": cluster},
    )["ProcessingJobArn"]
    (step,) = listed(sm, arn)
    assert (step["StepStatus"], "EndTime" in step) == ("Executing", False)
    assert step["Metadata"] == {"ProcessingJob": {"Arn": job}}
    sm.stop_pipeline_execution(PipelineExecutionArn=arn)
    final(sm, arn)
    (stopped,) = listed(sm, arn)
    assert (stopped["StepStatus"], stopped["Metadata"]) == ("Stopped", step["Metadata"])


def test_a_step_that_fails_fails_the_execution(sm: Any, start: Start) -> None:
    arn = start(began("Fail"), ended("Fail", "Failed", Reason="no"), {"Status": "Failed"})
    described = final(sm, arn)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    (step,) = listed(sm, arn)
    assert (step["StepStatus"], step["FailureReason"]) == ("Failed", "no")
    assert step["Metadata"] == {"Fail": {"ErrorMessage": "no"}}


def test_an_adopted_job_names_the_execution_that_it_is_of(
    sm: Any, start: Start, pipeline: str
) -> None:
    arn = start(began("First"), ended("First", Source="abcdefghijkl", Attempt=2), SUCCEEDED)
    final(sm, arn)
    (step,) = listed(sm, arn)
    source = f"{ACCOUNT}:pipeline/{pipeline.lower()}/execution/abcdefghijkl"
    assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": source}
    assert step["AttemptCount"] == 2


def test_a_callback_is_listed_as_its_answer_is(server: LocalAWS, sm: Any, start: Start) -> None:
    sqs = client_of(server, "sqs")
    queue = sqs.create_queue(QueueName=f"q-{uuid4().hex[:8]}")["QueueUrl"]
    arn = start(began("Ask"), WAIT)
    has_begun(sm, arn, "Ask")
    token = uuid4().hex[:10]
    message = {"token": token, "pipelineExecutionArn": arn, "arguments": {}}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message))
    (asked,) = listed(sm, arn)
    assert (asked["StepName"], asked["StepStatus"]) == ("Ask", "Executing")
    assert asked["Metadata"]["Callback"]["CallbackToken"] == token
    outputs = [{"Name": "labels", "Value": "s3://b/l"}]
    sm.send_pipeline_execution_step_success(CallbackToken=token, OutputParameters=outputs)
    (answered,) = listed(sm, arn)
    assert answered["StepStatus"] == "Succeeded"
    assert answered["Metadata"]["Callback"]["OutputParameters"] == outputs
    sm.stop_pipeline_execution(PipelineExecutionArn=arn)
    final(sm, arn)


def test_a_program_that_ends_without_a_word_has_failed(
    server: LocalAWS, sm: Any, start: Start
) -> None:
    arn = start(began("First"), {"exit": 3})
    described = final(sm, arn)
    log = server.root / "executions" / arn.rpartition("/")[2] / "log.txt"
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == (
        f"InternalServerError: the program has ended, exit code: 3; see {log}"
    )
    assert listed(sm, arn)[0]["StepStatus"] == "Failed"


def test_an_execution_is_stopped_and_cannot_be_when_it_has_ended(sm: Any, start: Start) -> None:
    arn = start(began("First"), WAIT)
    has_begun(sm, arn, "First")
    assert sm.stop_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionArn"] == arn
    assert final(sm, arn)["PipelineExecutionStatus"] == "Stopped"
    with pytest.raises(ClientError, match="ConflictException") as refused:
        sm.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert "is Stopped; only an execution that is Executing" in str(refused.value)


def test_those_for_which_there_is_no_room_wait_without_a_step(
    server: LocalAWS, sm: Any, start: Start
) -> None:
    arns = [start(began("First"), WAIT) for _ in range(AT_ONCE)]
    waiting = start(began("First"), SUCCEEDED)
    for arn in arns:
        has_begun(sm, arn, "First")
    described = sm.describe_pipeline_execution(PipelineExecutionArn=waiting)
    assert described["PipelineExecutionStatus"] == "Executing"
    assert listed(sm, waiting) == []
    sm.stop_pipeline_execution(PipelineExecutionArn=waiting)
    described = sm.describe_pipeline_execution(PipelineExecutionArn=waiting)
    assert described["PipelineExecutionStatus"] == "Stopped"
    for arn in arns:
        sm.stop_pipeline_execution(PipelineExecutionArn=arn)
        final(sm, arn)


def test_the_same_token_is_the_same_execution(sm: Any, start: Start) -> None:
    token = uuid4().hex
    arn = start(SUCCEEDED, ClientRequestToken=token)
    assert start(SUCCEEDED, ClientRequestToken=token) == arn
    with pytest.raises(ClientError, match=f"token '{token}' has been used for a different"):
        start(ClientRequestToken=token)
    final(sm, arn)


def test_all_parameters_are_listed_as_text(sm: Any) -> None:
    declared: dict[str, dict[str, Any]] = {
        "Count": {"Type": "Integer", "DefaultValue": 2},
        "Fast": {"Type": "Boolean", "DefaultValue": True},
        "Where": {"Type": "String"},
    }
    pipeline = created(sm, definition(**declared))
    given = {"Do": "[]", "Count": "3", "Where": "here"}
    parameters = [{"Name": name, "Value": value} for name, value in given.items()]
    arn = sm.start_pipeline_execution(PipelineName=pipeline, PipelineParameters=parameters)[
        "PipelineExecutionArn"
    ]
    answer = sm.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    values = {each["Name"]: each["Value"] for each in answer["PipelineParameters"]}
    assert values == {**given, "Fast": "true"}
    final(sm, arn)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "parameter Count: missing; it has no default"),
        ({"Count": "many"}, "parameter Count: the string 'many' where an integer is expected"),
        ({"Count": "1", "Cuont": "1"}, "parameter Cuont: unknown; did you mean 'Count'?"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(
    server: LocalAWS, sm: Any, given: dict[str, str], message: str
) -> None:
    pipeline = created(sm, definition(Count={"Type": "Integer"}))
    parameters = [{"Name": name, "Value": value} for name, value in given.items()]
    with pytest.raises(ClientError) as refused:
        sm.start_pipeline_execution(PipelineName=pipeline, PipelineParameters=parameters)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]
    assert sm.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"] == []


def test_a_definition_that_cannot_be_run_is_refused(sm: Any) -> None:
    pipeline = created(sm, '{"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "No"}]}')
    with pytest.raises(ClientError, match=r"Unable to parse pipeline definition. .*'No'"):
        begun(sm, pipeline)


@pytest.mark.parametrize(
    "request_",
    [
        {"PipelineVersionId": 1},
        {"MlflowExperimentName": "mine"},
    ],
    ids=lambda request: next(iter(request)),
)
def test_what_would_change_what_is_run_is_refused(start: Start, request_: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"ValidationException.* is not there in the local AWS: "):
        start(SUCCEEDED, **request_)


def test_a_pipeline_is_named_by_its_arn_too(sm: Any, pipeline: str) -> None:
    arn = begun(sm, f"{ACCOUNT}:pipeline/{pipeline.lower()}", SUCCEEDED)
    assert final(sm, arn)["PipelineArn"] == f"{ACCOUNT}:pipeline/{pipeline.lower()}"


def test_what_is_not_there_is_not_found(sm: Any, pipeline: str) -> None:
    with pytest.raises(ClientError, match=r"ResourceNotFound.*pipeline/nothing' does not exist"):
        begun(sm, "nothing")
    arn = f"{ACCOUNT}:pipeline/{pipeline}/execution/nothing"
    for operation in (
        sm.describe_pipeline_execution,
        sm.describe_pipeline_definition_for_execution,
        sm.list_pipeline_parameters_for_execution,
        sm.stop_pipeline_execution,
    ):
        with pytest.raises(ClientError, match=r"ResourceNotFound.*/nothing' does not exist"):
            operation(PipelineExecutionArn=arn)


def test_the_definition_of_an_execution_is_that_of_its_start(
    sm: Any, start: Start, pipeline: str
) -> None:
    arn = start(SUCCEEDED)
    sm.update_pipeline(PipelineName=pipeline, PipelineDefinition='{"Version": "2020-12-01"}')
    answer = sm.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert answer["PipelineDefinition"] == definition()
    final(sm, arn)


def test_executions_are_listed_the_newest_first(sm: Any, start: Start, pipeline: str) -> None:
    arns = [start(SUCCEEDED), start({"Status": "Failed", "Reason": "because"})]
    for arn in arns:
        final(sm, arn)
    rows = sm.list_pipeline_executions(PipelineName=pipeline)["PipelineExecutionSummaries"]
    assert [row["PipelineExecutionArn"] for row in rows] == arns[::-1]
    assert [row["PipelineExecutionStatus"] for row in rows] == ["Failed", "Succeeded"]
    assert rows[0]["PipelineExecutionFailureReason"] == "because"
    late = sm.list_pipeline_executions(
        PipelineName=pipeline, CreatedAfter=rows[0]["StartTime"] - timedelta(milliseconds=1)
    )
    assert [row["PipelineExecutionArn"] for row in late["PipelineExecutionSummaries"]] == arns[1:]


def test_an_execution_can_be_renamed(sm: Any, start: Start) -> None:
    arn = start(SUCCEEDED)
    sm.update_pipeline_execution(PipelineExecutionArn=arn, PipelineExecutionDisplayName="better")
    assert final(sm, arn)["PipelineExecutionDisplayName"] == "better"


def test_a_pipeline_is_deleted_with_its_executions_but_not_while_one_is_in_progress(
    sm: Any, start: Start, pipeline: str
) -> None:
    arn = start(WAIT)
    with pytest.raises(ClientError, match=r"ConflictException.* is in progress; stop it first"):
        sm.delete_pipeline(PipelineName=pipeline)
    sm.stop_pipeline_execution(PipelineExecutionArn=arn)
    final(sm, arn)
    sm.delete_pipeline(PipelineName=pipeline)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sm.describe_pipeline_execution(PipelineExecutionArn=arn)


def test_executions_are_there_again_and_those_in_progress_have_failed(tmp_path: Path) -> None:
    with LocalAWS(tmp_path, runner=SmallRunner()) as server:
        sm = client_of(server)
        pipeline = created(sm)
        token = uuid4().hex
        done = begun(
            sm, pipeline, began("First"), ended("First"), SUCCEEDED, ClientRequestToken=token
        )
        before = final(sm, done), listed(sm, done)
        going = begun(sm, pipeline, began("First"), WAIT)
        has_begun(sm, going, "First")
    with LocalAWS(tmp_path, runner=SmallRunner()) as server:
        sm = client_of(server)
        after = final(sm, done), listed(sm, done)
        for each in (before, after):
            each[0].pop("ResponseMetadata")
        assert after == before
        described = sm.describe_pipeline_execution(PipelineExecutionArn=going)
        assert described["PipelineExecutionStatus"] == "Failed"
        assert described["FailureReason"] == DIED
        assert listed(sm, going)[0]["StepStatus"] == "Failed"
        again = [began("First"), ended("First"), SUCCEEDED]
        assert begun(sm, pipeline, *again, ClientRequestToken=token) == done
