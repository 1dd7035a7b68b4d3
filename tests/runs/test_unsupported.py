"""Steps that no task can run yet."""

import json
from pathlib import Path

import pytest

from airflow_sm_pipelines import load
from airflow_sm_pipelines.definition.steps import STEP_TYPES

from .conftest import RunPipeline

PIPELINES = Path(__file__).parents[1] / "pipelines"
FILES = {
    "Cleanup": "cleanup",
    "ForEach": "for_each",
    "Lineage": "lineage",
}
"""Type of step -> a definition with one."""


def test_there_is_a_definition_for_each() -> None:
    assert set(FILES) == {name for name, row in STEP_TYPES.items() if not row.runs}


@pytest.mark.parametrize("step_type", ["Lineage", "ForEach"])
def test_an_unsupported_step_fails_the_run_at_once_and_says_why(
    run_pipeline: RunPipeline, step_type: str
) -> None:
    path = PIPELINES / f"{FILES[step_type]}.json"
    pipeline = load(path.read_bytes(), name="p")
    (first,) = [step for step in pipeline.steps if step.type == step_type][:1]
    run = run_pipeline(json.loads(path.read_text()), name=f"unsupported-{step_type.lower()}")
    assert run.state == "failed"
    assert run.tasks[first.name] == "failed"
    assert set(run.tasks.values()) == {"failed", "upstream_failed"}
    assert run.failures[first.name].startswith(
        f"{first.where}: step {first.name!r} is of type {step_type}, which is not supported"
    )
