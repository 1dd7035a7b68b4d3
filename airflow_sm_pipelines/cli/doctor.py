"""`airflow-sm doctor`."""

import os
import platform
from importlib import metadata
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

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
    healthy = [_print_versions(terminal), _print_isolation(terminal)]
    _print_environments(terminal)
    if connection is not None:
        healthy.append(_print_connection(terminal, connection))
    raise typer.Exit(0 if all(healthy) else FAILED)


def _print_versions(console: Console) -> bool:
    table = _table("Versions")
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


def _print_isolation(console: Console) -> bool:
    from airflow_sm_pipelines.local.sandbox import means

    probes = means()
    table = _table("Isolation of local jobs, the best first")
    for probe in probes:
        works = Text("works", "green") if probe.works else Text("no", "yellow")
        # A remedy is for what does not work.
        reason = probe.reason if probe.works else f"{probe.reason}; {probe.remedy}"
        table.add_row(probe.name, works, reason)
    console.print(table)
    return any(probe.works for probe in probes)


def _print_environments(console: Console) -> None:
    from airflow_sm_pipelines.local.environments import default_cache

    folder = default_cache() / "envs"
    table = _table("Image environments")
    for ready in sorted(folder.glob("*/ready")):
        table.add_row(ready.parent.name, Text("ready", "green"), str(ready.parent))
    if not table.row_count:
        table.add_row("none", "", "each is made when a job first needs it")
    console.print(table)


def _print_connection(console: Console, connection: str) -> bool:
    # Airflow tells of every client that it makes; it reads this while it is imported.
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    from botocore.exceptions import BotoCoreError, ClientError

    from airflow_sm_pipelines.aws import Connection
    from airflow_sm_pipelines.cli import service_models
    from airflow_sm_pipelines.cli.permissions import answers

    service_models.share()
    clients = Connection(connection).client
    table = _table(f"Connection {connection}")
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
    table = _table("Permissions")
    for answer in found:
        note = answer.reason if answer.needed else f"not needed; {answer.reason}".rstrip("; ")
        table.add_row(answer.action, Text(answer.verdict, VERDICT_STYLES[answer.verdict]), note)
    console.print(table)
    return not any(answer.needed and answer.verdict == "denied" for answer in found)


def _table(title: str) -> Table:
    table = Table(
        box=box.SIMPLE, title=title, title_justify="left", show_header=False, pad_edge=False
    )
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold", style="dim")
    return table


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
