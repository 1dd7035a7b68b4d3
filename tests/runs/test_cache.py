"""Cached steps in whole runs: what a second run adopts, and how sensors stand in a graph."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from airflow_sm_pipelines.features import HAS_RETRY_POLICIES

from .conftest import Run, RunPipeline
from .steps import as_text, condition, get, pipeline, processing

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

KEPT: dict[str, Any] = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


@pytest.fixture
def jobs(aws_environment: "LocalAWS") -> Any:
    """The names of all processing jobs that there are."""
    client = boto3.client("sagemaker", endpoint_url=aws_environment.endpoint_url)

    def names() -> set[str]:
        pages = client.get_paginator("list_processing_jobs").paginate()
        return {
            job["ProcessingJobName"] for page in pages for job in page["ProcessingJobSummaries"]
        }

    return names


def name_of(run: Run, step: str) -> str:
    return str(run.outputs[step]["ProcessingJobName"])


def test_a_second_run_adopts_the_job_of_the_first(run_pipeline: RunPipeline, jobs: Any) -> None:
    reads = processing("Reads")
    reads["Arguments"]["Environment"] = {"JOB": get("Steps.Kept.ProcessingJobName")}
    steps = pipeline(processing("Kept", **KEPT), reads)
    first = run_pipeline(steps, name="cached")
    before = jobs()
    second = run_pipeline(steps, name="cached")
    assert first.state == second.state == "success"
    assert second.outputs["Kept"] == first.outputs["Kept"]
    assert second.outputs["Reads"]["Environment"] == {"JOB": name_of(first, "Kept")}
    assert jobs() - before == {name_of(second, "Reads")}


def test_a_run_that_is_started_without_the_cache_does_all_again(run_pipeline: RunPipeline) -> None:
    steps = pipeline(processing("Kept", **KEPT))
    first = run_pipeline(steps, name="switched-off")
    second = run_pipeline(steps, name="switched-off", **{"sm_pipelines.cache": False})
    assert name_of(first, "Kept") != name_of(second, "Kept")
    assert second.state == "success"


@pytest.mark.parametrize("holds", [True, False])
def test_the_branch_not_taken_skips_its_sensors(run_pipeline: RunPipeline, holds: bool) -> None:
    run = run_pipeline(
        pipeline(
            condition(
                "C",
                holds=holds,
                if_steps=[processing("A", **KEPT)],
                else_steps=[processing("B", **KEPT, DependsOn=["Reads"])],
            ),
            processing("Reads", Arguments={"Environment": {"O": as_text(get("Steps.C.Outcome"))}}),
            processing("AfterA", **KEPT, DependsOn=["A"]),
        ),
        name=f"cached-branch-{holds}",
    )
    ran = {name for name, state in run.tasks.items() if state == "success"}
    taken = {"A", "A.cache", "AfterA", "AfterA.cache"} if holds else {"B", "B.cache"}
    assert ran == {"C", "Reads", "pipeline.end"} | taken
    assert {state for name, state in run.tasks.items() if name not in ran} == {"skipped"}
    assert run.state == "success"


@pytest.mark.parametrize(("script", "mended"), [("pass", "skipped"), ("exit(1)", "success")])
def test_a_cached_step_with_a_trigger_runs_on_what_it_waits_for(
    run_pipeline: RunPipeline, script: str, mended: str
) -> None:
    run = run_pipeline(
        pipeline(
            processing("A", script),
            processing("Mend", **KEPT, DependsOn=[{"Step": "A", "Trigger": "Failed"}]),
            processing("After", DependsOn=["Mend"]),
        ),
        name=f"cached-trigger-{mended}",
    )
    assert run.tasks["Mend.cache"] == run.tasks["Mend"] == run.tasks["After"] == mended
    assert run.state == "success"


def test_a_failed_cached_step_is_taken_by_a_step_with_a_trigger(run_pipeline: RunPipeline) -> None:
    run = run_pipeline(
        pipeline(
            processing("Kept", "exit(1)", **KEPT),
            processing("Mend", DependsOn=[{"Step": "Kept", "Trigger": "Failed"}]),
            processing("Use", DependsOn=["Kept"], **KEPT),
        ),
        name="cached-failing",
    )
    assert (run.tasks["Kept"], run.tasks["Mend"]) == ("failed", "success")
    assert run.tasks["Use.cache"] == run.tasks["Use"] == "upstream_failed"
    assert run.state == "success"


def test_a_failed_job_is_never_adopted(run_pipeline: RunPipeline) -> None:
    steps = pipeline(processing("Kept", "exit(1)", **KEPT))
    states = [run_pipeline(steps, name="cached-failed").state for _ in range(2)]
    assert states == ["failed", "failed"]


@pytest.mark.skipif(
    not HAS_RETRY_POLICIES, reason="Airflow's runner of single tasks is another before 3.3"
)
@pytest.mark.parametrize(
    ("cleared", "kept", "adopts"),
    [
        (["Kept"], True, False),
        (["Kept"], False, False),
        (["Kept.cache", "Kept"], False, True),
    ],
    ids=["the step", "the step, its record gone", "the sensor too"],
)
def test_clearing_the_step_alone_runs_its_job_and_clearing_the_sensor_too_looks_again(
    pipelines: Path,
    aws_environment: "LocalAWS",
    jobs: Any,
    cleared: list[str],
    kept: bool,
    adopts: bool,
) -> None:
    from airflow_sm_pipelines import load_dags

    name = f"cleared-{len(cleared)}-{kept}"
    (pipelines / f"{name}.json").write_text(json.dumps(pipeline(processing("Kept", **KEPT))))
    load_dags(pipelines)[name].test()
    dag = load_dags(pipelines)[name]
    run = dag.test()
    before = jobs()
    clear(run, cleared)
    if not kept:
        forget(run)
    for task_id in cleared:
        start(run, dag.task_dict[task_id])
    assert len(jobs() - before) == (0 if adopts else 1)


def clear(run: Any, task_ids: list[str]) -> None:
    """Clear tasks of a run, as the API does."""
    from airflow.models.taskinstance import TaskInstance, clear_task_instances
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        rows = select(TaskInstance).where(
            TaskInstance.dag_id == run.dag_id,
            TaskInstance.run_id == run.run_id,
            TaskInstance.task_id.in_(task_ids),
        )
        clear_task_instances(list(session.scalars(rows)), session)


def forget(run: Any) -> None:
    """Delete what the run's tasks have stored, as Airflow does after some time."""
    from airflow.models.task_state_store import TaskStateStoreModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(TaskStateStoreModel).where(TaskStateStoreModel.run_id == run.run_id))


def start(run: Any, task: Any) -> None:
    """Run a task that was cleared, as the scheduler and a worker do."""
    from airflow.sdk.definitions.dag import _run_task
    from airflow.utils.session import create_session
    from airflow.utils.state import TaskInstanceState

    with create_session() as session:
        ti = next(
            ti for ti in run.get_task_instances(session=session) if ti.task_id == task.task_id
        )
        ti.try_number += 1
        ti.state = TaskInstanceState.SCHEDULED
        session.commit()
        session.expunge_all()
    _run_task(ti=ti, task=task, run_triggerer=True)
