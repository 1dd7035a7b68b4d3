"""Tasks that defer, in Airflow's own test runner, which gives each trigger an event loop."""

import pytest

from .conftest import RunPipeline
from .steps import as_text, get, pipeline, processing


def test_deferred_steps_share_a_poller_across_event_loops(
    run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")
    after = processing("After")
    after["Arguments"]["Environment"] = {"JOB": as_text(get("Steps.Before.ProcessingJobName"))}
    run = run_pipeline(pipeline(processing("Before"), after), name="deferred")
    assert run.state == "success"
    before = run.outputs["Before"]["ProcessingJobName"]
    assert run.outputs["After"]["Environment"] == {"JOB": before}


def test_failure_of_a_deferred_step_fails_the_run(
    run_pipeline: RunPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")
    failing = processing("Failing", "raise SystemExit('no luck')")
    run = run_pipeline(pipeline(failing, processing("After", DependsOn=["Failing"])), name="fails")
    assert run.tasks["Failing"] == "failed"
    assert run.tasks["After"] == "upstream_failed"
    assert run.state == "failed"
