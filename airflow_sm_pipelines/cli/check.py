"""`airflow-sm check`."""

import json
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from airflow_sm_pipelines.cli import source
from airflow_sm_pipelines.cli.checking import plain
from airflow_sm_pipelines.cli.checking.document import document
from airflow_sm_pipelines.cli.checking.inspection import Inspection, inspect
from airflow_sm_pipelines.cli.checking.sarif import log
from airflow_sm_pipelines.cli.console import Streams, streams
from airflow_sm_pipelines.cli.errors import FAILED, REFUSED
from airflow_sm_pipelines.cli.options import Region, SourceConnection
from airflow_sm_pipelines.definition.node import Json

EPILOG = """\
[bold]Examples[/]

airflow-sm check definition.json

airflow-sm check dags/pipelines/*/*.json --no-report

airflow-sm check dags/pipelines/*/*.json --format sarif > definitions.sarif

[bold]Exit code[/]

0 all are right, 1 there are problems, 2 a file cannot be read
"""


class Format(StrEnum):
    """How findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"


Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES...",
        help="Pipeline definitions: JSON files, s3://bucket/key, pipeline:NAME, or - for "
        "standard input.",
    ),
]

Formatted = Annotated[
    Format, typer.Option("--format", help="Text for people, or one document for programs.")
]

Report = Annotated[
    bool | None,
    typer.Option(
        "--report/--no-report",
        help="The whole fidelity report, or none. Without this option text counts it and "
        "shows what is different or unsupported, JSON has it, SARIF does not.",
        show_default=False,
    ),
]


def check(
    files: Files,
    format_: Formatted = Format.TEXT,
    report: Report = None,
    connection: SourceConnection = None,
    region: Region = None,
) -> None:
    """Check pipeline definitions, without AWS and without running anything.

    Prints every problem of every file as `file: place in the file: what is wrong; what would be
    right`, then the warnings, then how faithfully the definition is run here.
    """
    find = partial(source.find, connection=connection, region=region)
    inspections = (inspect(file, find) for file in files)
    terminal = streams()
    if format_ is Format.TEXT:
        found = _print_each(terminal, inspections, report=report)
    else:
        found = list(inspections)
        written = (
            document(found, report=report is not False)
            if format_ is Format.JSON
            else log(found, report=bool(report), folder=Path.cwd())
        )
        _print_document(terminal, written)
    raise typer.Exit(max(map(_exit_code, found)))


def _print_each(
    terminal: Streams, inspections: Iterator[Inspection], *, report: bool | None
) -> list[Inspection]:
    """Print what is found as soon as it is."""
    found: list[Inspection] = []
    for inspection in inspections:
        found.append(inspection)
        for line in plain.lines(inspection, report=report):
            terminal.out.print(line, soft_wrap=True)
    terminal.out.print(plain.total(found), soft_wrap=True)
    return found


def _print_document(terminal: Streams, written: dict[str, Json]) -> None:
    terminal.out.out(json.dumps(written, indent=2, ensure_ascii=False), highlight=False)


def _exit_code(inspection: Inspection) -> int:
    if inspection.unreadable:
        return REFUSED
    return FAILED if inspection.problems else 0
