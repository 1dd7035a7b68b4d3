"""Graphs that a naive translation gets wrong, each run to its end."""

import pytest

from .conftest import RunPipeline
from .steps import as_text, condition, get, pipeline, processing

FAILING = "raise SystemExit('no luck')"


def test_branch_not_taken_never_runs_though_it_waits_for_a_reader_of_the_outcome(
    run_pipeline: RunPipeline,
) -> None:
    reads = processing("Reads")
    reads["Arguments"]["Environment"] = {"OUTCOME": as_text(get("Steps.C.Outcome"))}
    run = run_pipeline(
        pipeline(
            condition(
                "C",
                holds=True,
                if_steps=[processing("A")],
                else_steps=[processing("B", DependsOn=["Reads"])],
            ),
            reads,
        ),
        name="outcome-reader",
    )
    assert run.state == "success"
    assert run.tasks == {
        "C": "success",
        "A": "success",
        "Reads": "success",
        "B": "skipped",
        "pipeline.end": "success",
    }
    assert run.outputs["Reads"]["Environment"] == {"OUTCOME": "true"}


def test_failed_step_above_a_skipped_leaf_fails_the_run(run_pipeline: RunPipeline) -> None:
    run = run_pipeline(
        pipeline(
            processing("Before"),  # D is skipped while F has yet to fail
            processing("F", FAILING, DependsOn=["Before"]),
            condition("C", holds=True, if_steps=[], else_steps=[processing("S")]),
            processing("D", DependsOn=["F", "S"]),
        ),
        name="skipped-leaf",
    )
    assert run.tasks["F"] == "failed"
    assert run.tasks["S"] == run.tasks["D"] == "skipped"
    assert run.tasks["pipeline.end"] == "upstream_failed"
    assert run.state == "failed"


@pytest.mark.parametrize("holds", [True, False])
def test_skip_reaches_steps_outside_the_branch(run_pipeline: RunPipeline, holds: bool) -> None:
    run = run_pipeline(
        pipeline(
            condition(
                "C",
                holds=holds,
                if_steps=[
                    condition(
                        "Inner",
                        holds=False,
                        if_steps=[processing("X")],
                        else_steps=[processing("Y")],
                    )
                ],
                else_steps=[processing("B")],
            ),
            processing("AfterY", DependsOn=["Y"]),
            processing("AfterBoth", DependsOn=["B", "Y"]),
        ),
        name="nested",
    )
    ran = {name for name, state in run.tasks.items() if state == "success"}
    assert ran == ({"C", "Inner", "Y", "AfterY"} if holds else {"C", "B"}) | {"pipeline.end"}
    assert run.state == "success"
