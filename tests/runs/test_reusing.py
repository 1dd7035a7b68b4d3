"""Runs that reuse what steps have handed on in a run before."""

from functools import partial

from airflow_sm_pipelines.executions.reusing import reuse

from .conftest import RunPipeline
from .steps import as_text, get, pipeline, processing


def test_a_step_is_reused_one_is_skipped_and_jobs_have_other_names_each_time(
    run_pipeline: RunPipeline,
) -> None:
    before = processing("Before", CacheConfig={"Enabled": True})
    between = processing("Between")
    between["Arguments"]["Environment"] = {"JOB": as_text(get("Steps.Before.ProcessingJobName"))}
    after = processing("After", DependsOn=["Between"])
    kept = {"Before": {"ProcessingJobName": "of-before"}}
    run = run_pipeline(
        pipeline(before, between, after),
        name="reuses",
        change=partial(reuse, kept=kept, skipped=["After"], times=2),
    )
    assert run.state == "success"
    assert run.tasks == {
        "Before.cache": "success",
        "Before": "success",
        "Between": "success",
        "After": "skipped",
        "pipeline.end": "success",
    }
    assert run.outputs["Before"] == kept["Before"]
    assert run.outputs["Between"]["Environment"] == {"JOB": "of-before"}
    assert run.outputs["Between"]["ProcessingJobName"].endswith("-5-1")
