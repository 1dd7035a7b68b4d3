"""Tasks of EMR steps: killed, cleared, too long, deferred; without Airflow's processes."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.sdk import TaskInstanceState

from airflow_sm_pipelines import aws, jobs
from airflow_sm_pipelines.errors import JobFailedError, WaitInterruptedError
from airflow_sm_pipelines.features import TaskDeferralTimeout
from airflow_sm_pipelines.local import LocalAWS
from tests.fakes import FakeStore, until
from tests.test_operators import Run, dag_of

LONG = "sleep 60"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def emr(aws_environment: LocalAWS) -> Any:
    return aws.Connection("aws_default").client("emr")


@pytest.fixture
def cluster(emr: Any) -> Iterator[str]:
    kept = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    identifier: str = emr.run_job_flow(Name="shared", Instances=kept, StepConcurrencyLevel=5)[
        "JobFlowId"
    ]
    yield identifier
    emr.terminate_job_flows(JobFlowIds=[identifier])


def bash(script: str, cluster: str) -> dict[str, Any]:
    jar = {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]}
    arguments = {"ClusterId": cluster, "StepConfig": {"HadoopJarStep": jar}}
    return {"Name": "S", "Type": "EMR", "Arguments": arguments}


def run_of(script: str, cluster: str, store: FakeStore) -> Run:
    return Run(dag_of(bash(script, cluster)), store=store)


def states(emr: Any, cluster: str) -> list[str]:
    rows = emr.list_steps(ClusterId=cluster)["Steps"]
    return [row["Status"]["State"] for row in rows[::-1]]


def kill(emr: Any, cluster: str, run: Run, state: str) -> str:
    """Kill a task that waits for its step; what it says."""
    run.ti.state = TaskInstanceState(state)
    with ThreadPoolExecutor(max_workers=1) as worker:
        execution = worker.submit(run.execute)
        until(lambda: run.store and run.store.get(jobs.KEY, {}).get("identifier"))
        run.task.on_kill()
        error = execution.exception(timeout=60)
    assert isinstance(error, WaitInterruptedError)
    return str(error)


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "60")


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")


@pytest.mark.usefixtures("patience")
def test_a_task_that_a_user_has_ended_cancels_its_step(
    emr: Any, cluster: str, store: FakeStore
) -> None:
    told = kill(emr, cluster, run_of(LONG, cluster, store), "failed")
    assert told.startswith("the task was ended by a user; s-")
    until(lambda: states(emr, cluster) == ["CANCELLED"])


@pytest.mark.usefixtures("patience")
def test_a_worker_that_is_told_to_end_leaves_the_step_to_the_retry(
    emr: Any, cluster: str, store: FakeStore
) -> None:
    run = run_of(LONG, cluster, store)
    assert kill(emr, cluster, run, "running").endswith(" goes on")
    assert kill(emr, cluster, run.retry(), "running").endswith(" goes on")
    assert states(emr, cluster) == ["RUNNING"]


@pytest.mark.usefixtures("no_patience")
def test_a_wait_that_takes_too_long_cancels_the_step(
    emr: Any, cluster: str, store: FakeStore
) -> None:
    run = run_of(LONG, cluster, store)
    run.defer()
    with pytest.raises(TaskDeferralTimeout):
        run.time_out()
    until(lambda: states(emr, cluster) == ["CANCELLED"])


@pytest.mark.usefixtures("no_patience")
def test_a_clear_cancels_what_is_left_and_submits_another(
    emr: Any, cluster: str, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LEFT_SECONDS", 0.0)
    run = run_of(LONG, cluster, store)
    run.defer()
    run.clear().defer()
    until(lambda: states(emr, cluster) == ["CANCELLED", "RUNNING"])


@pytest.mark.usefixtures("no_patience")
def test_a_step_is_waited_for_by_a_trigger(emr: Any, cluster: str, store: FakeStore) -> None:
    handed_on = run_of("true", cluster, store).wait_deferred()
    assert handed_on["ClusterId"] == cluster
    assert handed_on["Status"]["State"] == "COMPLETED"


@pytest.mark.usefixtures("no_patience")
def test_a_task_is_resumed_by_the_event_alone(emr: Any, cluster: str, store: FakeStore) -> None:
    run = run_of("exit 4", cluster, store)
    with pytest.raises(TaskDeferred) as raised:
        run.execute()
    identifier = raised.value.trigger.identifier
    event = {"identifier": identifier, "status": "FAILED", "told_apart": {"ClusterId": cluster}}
    with pytest.raises(JobFailedError, match="is FAILED: Command exited with ret '4'"):
        run.task.resume_execution("resume", {"event": event}, run.context)


@pytest.mark.usefixtures("no_patience")
def test_the_trigger_of_a_task_that_a_user_has_ended_cancels_the_step(
    emr: Any, cluster: str, store: FakeStore
) -> None:
    trigger = run_of(LONG, cluster, store).defer()
    asyncio.run(trigger.on_kill())
    until(lambda: states(emr, cluster) == ["CANCELLED"])


@pytest.mark.usefixtures("patience")
def test_a_step_whose_cluster_ends_has_failed(emr: Any, store: FakeStore, cluster: str) -> None:
    run = run_of(LONG, cluster, store)
    with ThreadPoolExecutor(max_workers=1) as worker:
        execution = worker.submit(run.execute)
        until(lambda: states(emr, cluster) == ["RUNNING"])
        emr.terminate_job_flows(JobFlowIds=[cluster])
        error = execution.exception(timeout=60)
    assert isinstance(error, JobFailedError)
    assert (error.status, error.reason) == ("CANCELLED", "Job terminated")


@pytest.mark.usefixtures("patience")
def test_the_request_and_the_console_are_shown(emr: Any, cluster: str, store: FakeStore) -> None:
    run = run_of("true", cluster, store)
    run.execute()
    request = run.ti.xcoms["S", "Request"]
    assert request["JobFlowId"] == cluster
    assert request["Steps"][0]["ActionOnFailure"] == "CONTINUE"
