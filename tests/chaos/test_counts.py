"""The counts find what they are there to find."""

from datetime import UTC, datetime, timedelta

import pytest

from .counts import Made, Row, StepRun, count, table
from .world import Ended

TASKS = {"Train": "success", "pipeline.end": "success"}
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
REHEARSED = Ended("chain", "rehearsal", "success", TASKS)


def made(run: str, status: str = "Completed", *, name: str = "job") -> Made:
    return Made(StepRun("chain", run, "Train"), name, status)


def counted(*jobs: Made, state: str = "success", **tasks: str) -> Row:
    ended = Ended("chain", "run-1", state, {**TASKS, **tasks})
    return count(REHEARSED, ended=[ended], made=[made("rehearsal"), *jobs])


def test_one_job_for_a_step_run_is_right() -> None:
    row = counted(made("run-1"))
    assert row.broken == ()
    assert (row.runs, row.step_runs, row.made) == (1, 1, 1)


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("doubled", counted(made("run-1"), made("run-1", name="job-2"))),
        ("lost", counted()),
        ("lost", counted(made("run-1", "Failed"))),
        ("wrong", counted(made("run-1"), state="failed")),
        ("wrong", counted(made("run-1"), Train="failed")),
        ("unfinished", counted(made("run-1", "InProgress"))),
        ("stopped", counted(made("run-1", "Stopped"))),
    ],
)
def test_what_is_broken_is_found_and_told(field: str, row: Row) -> None:
    (line,) = getattr(row, field)
    assert line in row.broken
    assert line.startswith("chain run-1")


def test_doubled_job_is_told_with_the_names_of_all() -> None:
    row = counted(made("run-1"), made("run-1", name="job-2"))
    assert row.doubled == ("chain run-1 Train: 2 for 1: job (Completed), job-2 (Completed)",)


def test_more_jobs_at_once_than_allowed_are_found() -> None:
    def job(step: str, began: int, ended: int | None) -> Made:
        where = StepRun("chain", "run-1", step)
        end = None if ended is None else BEGAN + timedelta(seconds=ended)
        return Made(where, step, "Completed", BEGAN + timedelta(seconds=began), end)

    jobs = [job("A", 0, 10), job("B", 5, 20), job("C", 10, 15), job("D", 14, None)]
    row = count(REHEARSED, ended=[], made=jobs, at_once=2)
    assert row.crowded == ("chain run-1: 3 jobs at once: B, C, D",)
    assert count(REHEARSED, ended=[], made=jobs, at_once=3).crowded == ()


def test_table_adds_up() -> None:
    told = table([counted(made("run-1")), counted(made("run-1"), made("run-1", name="job-2"))])
    heads, *_, last = told.splitlines()
    assert heads.split()[:5] == ["pipeline", "runs", "step", "runs", "made"]
    assert last.split() == ["all", "2", "2", "3", "1", "0", "0", "0", "0", "0"]
