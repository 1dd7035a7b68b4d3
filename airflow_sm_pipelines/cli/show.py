"""`airflow-sm show`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from airflow_sm_pipelines import diagrams
from airflow_sm_pipelines.cli import source
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import CommandError
from airflow_sm_pipelines.cli.options import Region, SourceConnection
from airflow_sm_pipelines.diagrams.kinds import KINDS

EPILOG = """\
[bold]Examples[/]

airflow-sm show definition.json

airflow-sm show definition.json --mermaid >> README.md

airflow-sm show definition.json --svg pipeline.svg

[bold]Exit code[/]

0 shown, 1 the definition has problems, 2 a file cannot be read or written
"""


def show(
    file: Annotated[
        str,
        typer.Argument(
            help="A pipeline definition: a JSON file, s3://bucket/key, pipeline:NAME, or - for "
            "standard input."
        ),
    ],
    mermaid: Annotated[
        bool, typer.Option("--mermaid", help="Print a Mermaid flowchart instead of the tree.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write an SVG image to this file instead.")
    ] = None,
    connection: SourceConnection = None,
    region: Region = None,
) -> None:
    """Show which step of a pipeline waits for which.

    Prints a tree: a step waits for the one above it in its column, or for those that are named
    behind `after`. Steps of a branch and of a ForEach step stand in a group of their own.
    """
    chart = diagrams.chart(source.read(file, connection=connection, region=region))
    terminal = streams()
    if svg is not None:
        _write(svg, diagrams.svg(chart))
        terminal.err.print(Text(f"{svg}: written"), soft_wrap=True)
    if mermaid:
        terminal.out.out(diagrams.mermaid(chart), highlight=False, end="")
    if not mermaid and svg is None:
        _print_tree(terminal.out, chart)


def _print_tree(console: Console, chart: diagrams.Chart) -> None:
    for line in diagrams.tree(chart, console.width):
        text = Text.assemble(*((span.text, _look(span.style)) for span in line))
        console.print(text, soft_wrap=True)


def _look(style: str) -> str:
    """The terminal's style for a style of the tree."""
    return KINDS[style].terminal if style in KINDS else STYLES[style]


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; name a file that can be written") from error


STYLES = {"rail": "dim", "note": "", "title": "bold"}
