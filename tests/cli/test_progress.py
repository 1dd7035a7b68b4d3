"""What a run shows while it runs: lines in a file, a table on a terminal."""

import io
import re

import pytest
from rich.console import Console
from rich.text import Text

from airflow_sm_pipelines.cli import results
from airflow_sm_pipelines.cli.progress import LineView, Progress, TableView, view

STEPS = [("Train", "Training"), ("CheckMse", "Condition")]


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=80, color_system=None)


def text(of: Console) -> str:
    assert isinstance(of.file, io.StringIO)
    return of.file.getvalue()


@pytest.mark.parametrize(("terminal", "kind"), [(True, TableView), (False, LineView)])
def test_a_terminal_gets_a_table_and_a_file_gets_lines(
    terminal: bool, kind: type[LineView | TableView]
) -> None:
    assert isinstance(view(console(terminal=terminal)), kind)


def test_a_file_gets_one_line_for_each_change() -> None:
    out = console(terminal=False)
    with LineView(out) as lines:
        progress = Progress.of(STEPS, lines)
        lines.phase("starting")
        lines.watch(progress.steps.values())
        progress.start("Train")
        progress.start("Train")  # back from waiting for its job
        progress.retry("Train", "no capacity")
        progress.start("Train")
        progress.end("Train", "success", job_name="job-1")
        progress.end("Train", "success")
        progress.end("CheckMse", "skipped")
    told = re.sub(r"\d\d:\d\d:\d\d", "TIME", text(out))
    assert re.sub(r"\d+\.\d", "0.0", told).splitlines() == [
        "TIME  starting",
        "TIME  Train    running",
        "TIME  Train    retrying   no capacity",
        "TIME  Train    running",
        "TIME  Train    success   0.0",
        "TIME  CheckMse skipped",
    ]


def test_a_terminal_gets_every_step_with_its_state() -> None:
    out = console(terminal=True)
    with TableView(out) as table:
        progress = Progress.of(STEPS, table)
        table.watch(progress.steps.values())
        progress.start("Train")
    shown = text(out)
    assert re.search(r"Train +Training +running", shown)
    assert re.search(r"CheckMse +Condition +waiting", shown)


def test_the_job_and_what_it_produced_stay_when_the_state_is_told_again() -> None:
    progress = Progress.of(STEPS, LineView(console(terminal=False)))
    progress.start("Train")
    progress.end("Train", "success", job_name="job-1", produced=["s3://b/model.tar.gz"])
    progress.end("Train", "failed")
    step = progress.steps["Train"]
    assert (step.job_name, step.produced) == ("job-1", ("s3://b/model.tar.gz",))


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    out = console(terminal=False)
    progress = Progress.of([("[red]x[/red]", "Fail")], LineView(out))
    progress.start("[red]x[/red]")
    results.print_results(out, progress.steps.values(), title=Text("[b]t"))
    results.print_failures(out, {"x": ["[red]x[/red]: [bold]no"]})
    assert text(out).count("[red]x[/red]") == 3
    assert "[b]t: " not in text(out)
