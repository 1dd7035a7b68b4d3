"""What a test gets of a run."""

from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.testing import PipelineRun, StepRun
from airflow_sm_pipelines.testing.runs import told


def ended(state: str, *, job: str = "", reason: str = "") -> dict[str, Any]:
    return {"State": state, "JobName": job, "Reason": reason, "Response": {}}


@pytest.fixture
def run(tmp_path: Path) -> PipelineRun:
    """A run with a step of each end; the job of the second one has left a log."""
    (tmp_path / "job-b").mkdir()
    (tmp_path / "job-b" / "log.txt").write_text("first\nlast\n")
    requests = (
        {"Operation": "CreateTrainingJob", "Effect": True},
        {"Operation": "CreateTrainingJob", "Effect": False},
        {"Operation": "DescribeTrainingJob", "Effect": False},
    )
    answer = {
        "State": "failed",
        "Failures": {"B": ["B: it broke", "the last lines"]},
        "Steps": {
            "A": ended("success", job="job-a"),
            "B": ended("failed", job="job-b", reason="AlgorithmError: it broke"),
            "C": ended("upstream_failed"),
            "D": ended("skipped"),
            "E": ended("waiting"),
        },
    }
    types = dict.fromkeys("ABCDE", "Training")
    return told(answer, name="pipeline", types=types, jobs=tmp_path, requests=requests)


def test_steps_have_the_words_of_sagemaker(run: PipelineRun) -> None:
    assert (run.status, run.succeeded) == ("Failed", False)
    assert run.statuses == {
        "A": "Succeeded",
        "B": "Failed",
        "C": "NotExecuted",
        "D": "NotExecuted",
        "E": "NotExecuted",
    }
    assert run.failures == ("B: it broke", "the last lines")


def test_created_are_the_requests_that_have_made_something(run: PipelineRun) -> None:
    assert run.created == ["CreateTrainingJob"]


def test_the_report_ends_a_failed_step_with_its_log(run: PipelineRun) -> None:
    assert run.report().splitlines() == [
        "pipeline: Failed",
        "  A  Succeeded    job-a",
        "  B  Failed       job-b",
        "    AlgorithmError: it broke",
        f"    {run.steps['B'].log}:",
        "    first",
        "    last",
        "  C  NotExecuted",
        "  D  NotExecuted",
        "  E  NotExecuted",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"OutputParameters": {"n": 1}}, {"n": 1}),
        ({"OutputParameters": [{"Name": "n", "Value": "1"}]}, {"n": "1"}),
    ],
)
def test_output_parameters_are_by_name(given: dict[str, Any], expected: dict[str, Any]) -> None:
    step = StepRun(name="S", type="Lambda", status="Succeeded", properties=given)
    assert step.output_parameters == expected
