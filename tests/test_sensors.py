import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, TaskDeferred

from airflow_sm_pipelines import build_dag, load
from airflow_sm_pipelines.hits import HIT
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.triggers import JobTrigger
from tests.answering import answers
from tests.caching.runs import FAILURES, CachedRun, KeptClients, told_by
from tests.fakes import context
from tests.fidelity.cases import STEPS

TRAINING: dict[str, Any] = {"Type": "Training", **STEPS["Training"]}
GOING = {"Status": "InProgress", "Seconds": 2}
COMPLETED = {"Status": "Completed"}


@pytest.fixture
def play(aws_environment: LocalAWS) -> Iterator[Any]:
    """What sets the moments of the training jobs that are created from now on."""

    def moments(*moments: dict[str, Any]) -> None:
        aws_environment.scripts.add({"Kind": "TrainingJob", "Moments": [*moments]})

    moments(COMPLETED)
    yield moments
    aws_environment.scripts.replace()


@pytest.fixture
def client(aws_environment: LocalAWS) -> Any:
    return KeptClients().client("sagemaker")


@pytest.fixture
def start(play: Any) -> Any:
    """A run of the same pipeline with a cached training step, of its own name."""
    pipeline = uuid4().hex

    def started(run_id: str, step: dict[str, Any] = TRAINING, **keys: Any) -> CachedRun:
        return CachedRun(step, pipeline=pipeline, run_id=run_id, **keys)

    return started


def with_(**arguments: Any) -> dict[str, Any]:
    return {**TRAINING, "Arguments": {**TRAINING["Arguments"], **arguments}}


def names(client: Any) -> set[str]:
    """The names of all training jobs."""
    pages = client.get_paginator("list_training_jobs").paginate()
    return {job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]}


# Hits


def test_a_hit_hands_the_earlier_jobs_properties_on_and_creates_nothing(
    start: Any, client: Any, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    caplog.set_level("INFO")
    first = start("first").go()
    before = names(client)
    second = start("second")
    capsys.readouterr()
    assert second.look()["job_name"] == first["TrainingJobName"]
    (hit,) = told_by(capsys, "hit")
    dag_id = second.dag.dag_id
    origin = f"created at {first['CreationTime']} by run first of DAG {dag_id}"
    assert hit == f"TrainingJob {first['TrainingJobName']}, {origin}"
    assert second.step() == first
    assert names(client) == before
    assert f"{origin} is adopted; nothing is created" in caplog.text


def test_step_and_sensor_say_which_job_was_adopted(start: Any) -> None:
    first = start("first").go()
    second = start("second")
    second.go()
    assert second.xcoms["S", HIT] == second.xcoms["S.cache", HIT]
    assert second.found == {
        "job_name": first["TrainingJobName"],
        "job_arn": first["TrainingJobArn"],
        "created": first["CreationTime"],
        "identifier": "",
        "told_apart": {},
        "dag_id": second.dag.dag_id,
        "run_id": "first",
        "execution_id": "",
        "looked_at": second.found["looked_at"],
        "clear_number": 0,
    }


def test_a_job_without_tags_is_adopted_from_a_run_unknown(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__TAGS", "False")
    first = start("first").go()
    second = start("second")
    found = second.look()
    assert (found["run_id"], found["dag_id"]) == ("", "")
    assert second.step() == first


def test_the_jobs_own_name_in_its_arguments_does_not_matter(start: Any) -> None:
    own = {"Std:Join": {"On": "/", "Values": ["in", {"Get": "Execution.TrainingJobName"}]}}
    step = with_(HyperParameters={"folder": own})
    first = start("first", step).go()
    assert first["HyperParameters"] == {"folder": f"in/{first['TrainingJobName']}"}
    assert start("second", step).go() == first


def test_a_step_of_another_name_or_pipeline_is_no_hit(start: Any) -> None:
    start("first").go()
    assert CachedRun(TRAINING, pipeline=uuid4().hex, run_id="second").look() is None


def test_a_job_of_another_airflow_in_the_account_is_a_hit(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start("run").go()
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEPLOYMENT", "another")
    assert start("run").go() == first


# Misses


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_job_that_did_not_complete_is_no_hit(start: Any, play: Any, status: str) -> None:
    play({"Status": status, "FailureReason": "no luck"})
    with pytest.raises(FAILURES, match="no luck"):
        start("first").go()
    assert start("second").look() is None
    play(COMPLETED)
    third = start("third").go()
    assert start("fourth").look()["job_name"] == third["TrainingJobName"]


def test_a_switch_turns_the_cache_off_for_a_run(
    start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first = start("first").go()
    off = start("second", params={"sm_pipelines.cache": False})
    assert off.look() is None
    assert told_by(capsys, "miss")[-1] == "this run was started without the step cache"
    assert off.step()["TrainingJobName"] != first["TrainingJobName"]


def test_a_step_that_can_never_hit_says_so_and_is_not_looked_for(
    start: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://?endpoint_url=http%3A%2F%2F127.0.0.1%3A1")
    step = with_(Environment={"RUN": {"Get": "Execution.PipelineExecutionId"}})
    assert start("first", step).look() is None
    assert told_by(capsys, "miss") == [
        "this step can never hit; Environment contains $.Steps[0].Arguments.Environment.RUN.Get"
    ]


def test_a_value_that_cannot_be_had_is_a_miss_and_the_steps_own_failure(
    start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    step = with_(HyperParameters={"a": {"Std:JsonGet": {"S3Uri": "s3://no/such", "Path": "a"}}})
    run = start("first", step)
    assert run.look() is None
    (miss,) = told_by(capsys, "miss")
    assert miss.endswith("; the step says so too")
    with pytest.raises(AirflowFailException):
        run.step()


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "AccessDeniedException"), (400, "ThrottlingException"), (503, "ServiceUnavailable")],
)
@pytest.mark.parametrize("step", [TRAINING, {"Type": "EMR", **STEPS["EMR"]}])
def test_a_list_that_aws_does_not_give_is_a_miss_with_a_warning(
    step: dict[str, Any],
    status: int,
    code: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = {"__type": code, "message": "not now"}
    definition = {
        "Version": "2020-12-01",
        "Steps": [{**step, "Name": "S", "CacheConfig": {"Enabled": True}}],
    }
    with answers(monkeypatch, status, **body):
        extra = json.loads(os.environ["AIRFLOW_CONN_ANSWERING"])
        extra["extra"]["config_kwargs"] = {"retries": {"total_max_attempts": 1}}
        monkeypatch.setenv("AIRFLOW_CONN_ANSWERING", json.dumps(extra))
        dag = build_dag(load(json.dumps(definition), name="p"), aws_conn_id="answering")
        running = context(dag=dag, task_id="S.cache", dag_id="p")
        sensor: Any = dag.task_dict["S.cache"]
        sensor.execute(running)
    assert running["ti"].xcoms == {}
    (miss,) = told_by(capsys, "miss")
    assert miss.startswith("the cache cannot be looked at: ")


def test_a_job_that_is_gone_when_the_step_starts_is_created(start: Any) -> None:
    run = start("first")
    run.look()
    run.xcoms["S.cache", HIT] = {"job_name": "gone", "job_arn": "arn", "created": "then"}
    assert run.step()["TrainingJobName"] != "gone"


# Two runs at once


def test_two_runs_at_once_run_two_jobs(
    start: Any, play: Any, client: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    play(GOING, COMPLETED)
    first = start("first")
    name = first.begin()
    second = start("second")
    assert second.look() is None
    assert f"{name} does the same and is in progress" in capsys.readouterr().out
    assert second.step()["TrainingJobName"] != name


def test_with_wait_for_twin_two_runs_at_once_run_one_job(
    start: Any, play: Any, client: Any
) -> None:
    play(GOING, COMPLETED)
    name = start("first").begin()
    before = names(client)
    second = start("second", wait_for_twin=True)
    assert second.wait()["job_name"] == name
    assert second.step()["TrainingJobName"] == name
    assert names(client) == before


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_twin_that_fails_is_a_miss(
    start: Any, play: Any, capsys: pytest.CaptureFixture[str], status: str
) -> None:
    play(GOING, {"Status": status})
    name = start("first").begin()
    second = start("second", wait_for_twin=("S",))
    assert second.wait() is None
    assert told_by(capsys, "miss")[-1] == f"{name}, which was waited for, is {status}"
    play(COMPLETED)
    assert second.step()["TrainingJobName"] != name


def deferred(run: CachedRun) -> JobTrigger:
    """The trigger of a sensor that waits for a twin."""
    with pytest.raises(TaskDeferred) as raised:
        run.look()
    trigger: Any = raised.value.trigger
    return JobTrigger(**json.loads(json.dumps(trigger.serialize()[1])))


def test_ending_a_sensor_that_waits_stops_nothing(start: Any, play: Any, client: Any) -> None:
    play(GOING, COMPLETED)
    name = start("first").begin()
    trigger = deferred(start("second", wait_for_twin=True))
    asyncio.run(trigger.on_kill())
    assert client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"


def test_a_twin_that_goes_on_beyond_the_timeout_is_a_miss(
    start: Any, play: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    play(GOING, COMPLETED)
    start("first").begin()
    second = start("second", wait_for_twin=True)
    assert second.time_out() is None
    told = told_by(capsys, "miss")[-1]
    assert told == "the job that was waited for goes on beyond execution_timeout"


def test_a_twin_that_is_being_stopped_is_not_waited_for(
    start: Any, aws_environment: LocalAWS, client: Any
) -> None:
    script = {"Kind": "TrainingJob", "Moments": [GOING, COMPLETED], "StopSeconds": 1}
    aws_environment.scripts.add(script)
    name = start("first").begin()
    client.stop_training_job(TrainingJobName=name)
    assert start("second", wait_for_twin=True).look() is None


# Clearing


def test_clearing_the_step_alone_ignores_the_hit(start: Any) -> None:
    first = start("first").go()
    second = start("second")
    assert second.go() == first
    second.clear("S")
    own = second.step()
    assert own["TrainingJobName"] != first["TrainingJobName"]
    assert second.step() == own  # a try after the worker died
    second.clear("S")
    assert second.step()["TrainingJobName"] not in {
        own["TrainingJobName"],
        first["TrainingJobName"],
    }


def test_clearing_the_step_alone_ignores_the_hit_also_where_no_record_is_kept(start: Any) -> None:
    first = start("first").go()
    second = start("second")
    second.go()
    second.clear("S")
    second.store.clear()
    assert second.step()["TrainingJobName"] != first["TrainingJobName"]


def test_clearing_the_step_alone_ignores_the_hit_also_where_airflow_has_lost_count(
    start: Any,
) -> None:
    first = start("first").go()
    second = start("second")
    second.go()
    second.clear("S")
    second.run.clear_number = 0
    assert second.step()["TrainingJobName"] != first["TrainingJobName"]


def test_a_try_after_the_worker_died_adopts_again(start: Any) -> None:
    first = start("first").go()
    second = start("second")
    second.look()
    assert second.step() == second.step() == first


def test_clearing_the_sensor_and_the_step_looks_again(start: Any) -> None:
    first = start("first").go()
    second = start("second")
    second.go()
    second.clear("S.cache", "S")
    assert second.go() == first


def test_clearing_another_task_meanwhile_changes_nothing(start: Any) -> None:
    first = start("first").go()
    second = start("second")
    second.look()
    second.clear()
    assert second.step() == first


def test_clearing_the_sensor_finds_what_came_since(start: Any) -> None:
    start("first").go()
    second = start("second")
    second.go()
    third = start("third", params={"sm_pipelines.cache": False}).go()
    second.clear("S.cache", "S")
    assert second.go() == third
