"""What a run tells of its steps."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_sm_pipelines import naming
from airflow_sm_pipelines.cli.progress import Progress
from airflow_sm_pipelines.errors import JobFailedError
from airflow_sm_pipelines.executions.runner import DEPLOYMENT
from airflow_sm_pipelines.executions.telling import Teller

STEPS = [("Train", "Training"), ("CheckMse", "Condition")]


@dataclass
class Run:
    """What is known of a run."""

    responses: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    errors: Mapping[str, BaseException] = field(default_factory=dict)
    hits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def told(run: Run, *changes: tuple[str, str]) -> list[dict[str, Any]]:
    """What is told of `Train` while it goes through states, without the times."""
    teller = Teller(io.StringIO(), run)
    progress = Progress.of(STEPS, teller)
    for how, what in changes:
        getattr(progress, how)("Train", *filter(None, [what]))
    assert isinstance(teller.stream, io.StringIO)
    events = [json.loads(line) for line in teller.stream.getvalue().splitlines()]
    return [{key: event[key] for key in event if key != "Time"} for event in events]


def test_a_step_tells_what_it_hands_on() -> None:
    response = {"TrainingJobName": "job"}
    assert told(Run(responses={"Train": response}), ("start", ""), ("end", "success")) == [
        {"Step": "Train", "Status": "Executing", "Attempt": 0, "Response": response},
        {"Step": "Train", "Status": "Succeeded", "Attempt": 0, "Response": response},
    ]


def test_each_retry_is_another_attempt() -> None:
    events = told(Run(), ("start", ""), ("retry", "no capacity"), ("start", ""), ("end", "success"))
    assert [(each["Status"], each["Attempt"]) for each in events] == [
        ("Executing", 0),
        ("Executing", 1),
        ("Executing", 1),
        ("Succeeded", 1),
    ]


def test_a_failure_tells_the_reason_of_the_job() -> None:
    failed = JobFailedError(
        step="Train", noun="TrainingJob", job_name="job", status="Failed", reason="because"
    )
    (event,) = told(Run(errors={"Train": failed}), ("end", "failed"))
    assert (event["Status"], event["Reason"]) == ("Failed", "because")
    (event,) = told(Run(errors={"Train": ValueError("other")}), ("end", "failed"))
    assert event["Reason"] == "other"


def test_a_step_that_was_not_started_is_not_told() -> None:
    assert told(Run(), ("end", "skipped"), ("end", "upstream_failed")) == []


def test_an_adopted_job_tells_its_execution_where_it_is_of_one() -> None:
    origin = {"dag_id": "Abalone", "run_id": "manual__2026"}
    source = naming.execution_id(deployment=DEPLOYMENT, **origin)
    for name, expected in (
        (f"pipelines-{source}-Train-key-3-1", source),
        ("pipelines-x-Train", ""),
    ):
        hit = {"job_name": name, **origin}
        (event,) = told(Run(hits={"Train": hit}), ("end", "success"))
        assert event.get("Source", "") == expected
    (event,) = told(Run(hits={"Train": {"job_name": "x", "run_id": ""}}), ("end", "success"))
    assert "Source" not in event
