"""`airflow-sm doctor`."""

import os
import platform
from importlib import metadata
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from airflow_sm_pipelines.cli import machine
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import FAILED

EPILOG = """\
[bold]Examples[/]

airflow-sm doctor

airflow-sm doctor --connection aws_default

[bold]Exit code[/]

0 nothing is missing, 1 something is
"""


def doctor(
    connection: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Also look at what this Airflow connection may do."),
    ] = None,
) -> None:
    """Tell what this machine has, and what a connection may do."""
    terminal = streams().out
    healthy = [_print_versions(terminal), machine.print_isolation(terminal)]
    machine.print_environments(terminal)
    if connection is not None:
        healthy.append(_print_connection(terminal, connection))
    raise typer.Exit(0 if all(healthy) else FAILED)


def _print_versions(console: Console) -> bool:
    table = machine.table("Versions")
    table.add_row("python", platform.python_version(), "")
    complete = True
    for distribution in DISTRIBUTIONS:
        try:
            table.add_row(distribution, metadata.version(distribution), "")
        except metadata.PackageNotFoundError:
            complete = False
            table.add_row(distribution, Text("missing", "red"), "pip install " + EXTRA)
    console.print(table)
    return complete


def _print_connection(console: Console, connection: str) -> bool:
    # Airflow tells of every client that it makes; it reads this while it is imported.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    from botocore.exceptions import BotoCoreError, ClientError

    from airflow_sm_pipelines.aws import Connection
    from airflow_sm_pipelines.cli import service_models
    from airflow_sm_pipelines.cli.permissions import answers

    service_models.share()
    clients = Connection(connection).client
    table = machine.table(f"Connection {connection}")
    try:
        sts: Any = clients("sts")
        identity = sts.get_caller_identity()
    except (ClientError, BotoCoreError) as error:
        table.add_row("identity", Text("none", "red"), str(error))
        console.print(table)
        return False
    sagemaker = clients("sagemaker")
    region = sagemaker.meta.region_name
    table.add_row("identity", identity["Arn"], "")
    table.add_row("region", region, "")
    table.add_row("endpoint", sagemaker.meta.endpoint_url, "")
    console.print(table)

    found = tuple(answers(clients, account=identity["Account"], region=region, arn=identity["Arn"]))
    table = machine.table("Permissions")
    for answer in found:
        note = answer.reason if answer.needed else f"not needed; {answer.reason}".rstrip("; ")
        table.add_row(answer.action, Text(answer.verdict, VERDICT_STYLES[answer.verdict]), note)
    console.print(table)
    return not any(answer.needed and answer.verdict == "denied" for answer in found)


EXTRA = "'airflow-sm-pipelines[local]'"

DISTRIBUTIONS = (
    "airflow-sm-pipelines",
    "apache-airflow",
    "apache-airflow-task-sdk",
    "apache-airflow-providers-amazon",
    "boto3",
    "botocore",
    "moto",
    "uv",
)

VERDICT_STYLES = {"allowed": "green", "denied": "bold red", "unknown": "yellow"}
