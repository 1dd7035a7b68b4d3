"""The command line, `airflow-sm`.

Each command is a module with a function of its name and its `EPILOG`. What costs time to import
(Airflow four seconds, boto3 and moto one) is imported where a command has come to need it.
"""

import os
import sys
import traceback
from typing import Annotated

import typer

from airflow_sm_pipelines import __version__
from airflow_sm_pipelines.cli import check, doctor, local, run, show, up
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import FAILED, CommandError
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.sandbox import SandboxError

TRACEBACK = "AIRFLOW_SM_TRACEBACK"

app = typer.Typer(
    name="airflow-sm",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line of this process, and exit."""
    try:
        app()
    except CommandError as error:
        _print(*error.lines)
        sys.exit(error.exit_code)
    except (LocalError, SandboxError) as error:
        _print(*str(error).splitlines())
        sys.exit(FAILED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        _print(f"{type(error).__name__}: {error}", f"for the traceback set {TRACEBACK}=1")
        sys.exit(FAILED)


def _print(*lines: str) -> None:
    terminal = streams().err
    for line in lines:
        terminal.print(line, markup=False, soft_wrap=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        streams().out.print(f"airflow-sm {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Amazon SageMaker pipeline definitions as Apache Airflow DAGs."""


for _command in (run, check, show, up, local, doctor):
    _name = _command.__name__.rpartition(".")[2]
    app.command(_name, epilog=_command.EPILOG)(getattr(_command, _name))
