"""Options that more than one command has."""

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[
    Path,
    typer.Option(
        "--local-root",
        metavar="DIR",
        help="Where jobs, logs and Airflow's home are kept; made when it is not there.",
    ),
]

Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="Name=Value",
        help="A pipeline parameter's value; may be given more than once.",
    ),
]

Connection = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="Run the jobs on AWS by this Airflow connection, from the variable "
        "AIRFLOW_CONN_<ID>. Without it a local AWS runs them.",
    ),
]

RoleArn = Annotated[
    str | None,
    typer.Option(metavar="ARN", help="The execution role of steps whose definition names none."),
]

SourceConnection = Annotated[
    str | None,
    typer.Option(
        "--connection",
        metavar="ID",
        help="The Airflow connection for s3:// and pipeline:; boto3's own credentials without.",
    ),
]

Region = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The AWS region for s3:// and pipeline:; the connection's without."
    ),
]
