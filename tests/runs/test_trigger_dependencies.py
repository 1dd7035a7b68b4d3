"""Steps that run on how another has ended."""

from typing import Any

import pytest

from .conftest import Play, RunPipeline
from .steps import condition, pipeline, processing

FAILING = "raise SystemExit('no luck')"
STOPS = {"Kind": "ProcessingJob", "Name": "*-Load-*", "Moments": [{"Status": "Stopped"}]}


def on(step: str, trigger: str) -> list[dict[str, str]]:
    return [{"Step": step, "Trigger": trigger}]


def watched(script: str) -> dict[str, Any]:
    return pipeline(
        processing("Load", script),
        processing("Use", DependsOn=["Load"]),
        processing("OnFailed", DependsOn=on("Load", "Failed")),
        processing("OnStopped", DependsOn=on("Load", "Stopped")),
        processing("OnAny", DependsOn=on("Load", "Any")),
        processing("AfterFailed", DependsOn=["OnFailed"]),
    )


@pytest.mark.parametrize(
    ("script", "ran", "state_of_use"),
    [
        ("pass", {"Load", "Use", "OnAny"}, "success"),
        (FAILING, {"OnFailed", "AfterFailed", "OnAny"}, "upstream_failed"),
    ],
)
def test_a_step_runs_when_another_has_ended_as_its_trigger_says(
    run_pipeline: RunPipeline, script: str, ran: set[str], state_of_use: str
) -> None:
    run = run_pipeline(watched(script), name="triggers")
    assert {name for name, state in run.tasks.items() if state == "success"} == ran | {
        "pipeline.end"
    }
    assert run.tasks["Use"] == state_of_use
    assert run.tasks["OnStopped"] == "skipped"
    # SageMaker: CompletedWithFailures, "a pipeline whose steps run on a failed upstream step".
    assert run.state == "success"


def test_a_stopped_job_is_told_from_a_failed_one(run_pipeline: RunPipeline, play: Play) -> None:
    play(STOPS)
    run = run_pipeline(watched("pass"), name="stopped")
    assert run.tasks == {
        "Load": "failed",
        "Use": "upstream_failed",
        "OnFailed": "skipped",
        "OnStopped": "success",
        "OnAny": "success",
        "AfterFailed": "skipped",
        "pipeline.end": "success",
    }


def test_a_failure_that_no_step_has_run_on_fails_the_run(run_pipeline: RunPipeline) -> None:
    run = run_pipeline(
        pipeline(
            processing("Load", FAILING),
            condition(
                "C",
                holds=True,
                if_steps=[],
                else_steps=[processing("Mend", DependsOn=on("Load", "Failed"))],
            ),
            processing("Other", DependsOn=on("Load", "Stopped")),
        ),
        name="untaken",
    )
    assert run.tasks["Mend"] == run.tasks["Other"] == "skipped"
    assert run.tasks["pipeline.end"] == "failed"
    assert run.failures["pipeline.end"] == (
        "failed, and no step has run on that: Load; see their tasks"
    )
    assert run.state == "failed"


def test_a_step_that_has_not_started_counts_for_no_trigger(run_pipeline: RunPipeline) -> None:
    run = run_pipeline(
        pipeline(
            processing("Load", FAILING),
            processing("Use", DependsOn=["Load"]),
            processing("OnAny", DependsOn=on("Use", "Any")),
        ),
        name="not-started",
    )
    assert run.tasks["Use"] == "upstream_failed"
    assert run.tasks["OnAny"] == "skipped"
    assert run.state == "failed"
