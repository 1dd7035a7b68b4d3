"""`airflow-sm check`."""

from pathlib import Path
from typing import Annotated

import typer

from airflow_sm_pipelines import definition
from airflow_sm_pipelines.cli import source
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import CommandError

EPILOG = """\
[bold]Examples[/]

airflow-sm check definition.json

airflow-sm check dags/pipelines/*/*.json

[bold]Exit code[/]

0 all are right, 1 there are problems, 2 a file cannot be read
"""


def check(
    files: Annotated[list[Path], typer.Argument(help="Pipeline definitions, JSON files.")],
) -> None:
    """Check pipeline definitions, without AWS and without running anything.

    Prints every problem of every file as `file: place in the file: what is wrong; what would be
    right`, then the warnings.
    """
    terminal = streams()
    code = 0
    warnings: list[str] = []
    for file in files:
        try:
            pipeline = source.read(file)
        except CommandError as error:
            code = max(code, error.exit_code)
            for line in error.lines:
                terminal.out.print(line, markup=False, soft_wrap=True)
        else:
            warnings += (f"{file}: {problem}" for problem in definition.warnings(pipeline))
    for line in warnings:
        terminal.out.print(f"warning: {line}", markup=False, soft_wrap=True)
    if code == 0:
        terminal.out.print(f"{len(files)} checked, no problems", soft_wrap=True)
    raise typer.Exit(code)
