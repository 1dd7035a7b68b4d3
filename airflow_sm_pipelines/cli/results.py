"""The end of a run on the terminal: the table of results, the failures, where to look."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from airflow_sm_pipelines.cli.progress import StepProgress, duration, state_text


def print_results(console: Console, steps: Iterable[StepProgress], *, title: Text) -> None:
    """The table: step, state, seconds, job, and below the job's name what it produced."""
    steps = tuple(steps)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title, title_justify="left")
    table.add_column("Step", overflow="fold", min_width=12)
    table.add_column("State", no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    table.add_column("Job, and what it produced", overflow="fold")
    for step in steps:
        lines = [Text(step.job_name, style="bold")] if step.job_name else []
        lines += [Text(line) for line in step.produced]
        table.add_row(
            Text(step.name), state_text(step.state), duration(step.seconds), Text("\n").join(lines)
        )
    console.print(table)


def print_failures(console: Console, failures: Mapping[str, Iterable[str]]) -> None:
    """For each failed step what is wrong with it."""
    for lines in failures.values():
        first, *rest = lines
        console.print(Text(first, style="red"), soft_wrap=True)
        for line in rest:
            console.print(Text(line), soft_wrap=True)
        console.print()


def print_places(console: Console, places: Mapping[str, Path | str]) -> None:
    """Where to look: a name and a place a line."""
    width = max(map(len, places))
    for name, place in places.items():
        label = Text(name.ljust(width + 2), style="dim")
        console.print(label.append(str(place), style="default"), soft_wrap=True)
