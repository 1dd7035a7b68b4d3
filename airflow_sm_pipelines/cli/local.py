"""`airflow-sm local`."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from airflow_sm_pipelines.cli import local_doctor, seeding
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import CommandError
from airflow_sm_pipelines.cli.extra import require_local_extra

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

EPILOG = """\
[bold]Examples[/]

airflow-sm local

airflow-sm local --port 0 --root /tmp/aws

airflow-sm local --port 0 -- python pipeline.py

airflow-sm local doctor: what this machine can do for local jobs, and how to get more

airflow-sm local prepare xgboost: makes the environment of an image, of all without a name, so that
its jobs need no network

[bold]Exit code[/]

0 it was stopped, or that of COMMAND; of doctor 1 where no job could run, of prepare 1 where an \
environment could not be made
"""


WAKE_SECONDS = 0.2

Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Where it listens; 0.0.0.0 is all addresses. It runs code for whoever reaches it.",
    ),
]

Seed = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Upload the objects that local.toml files below this folder name."
    ),
]

Lambdas = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A lambdas.toml: functions that are files here."),
]


def local(
    command: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[doctor | prepare [NAME...] | -- COMMAND...]",
            help="Serve only while this command runs, which gets the variables. doctor and prepare "
            "serve nothing.",
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port; 0 takes a free one.")] = 4599,
    seed: Seed = None,
    lambdas: Lambdas = None,
    root: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Where it keeps all it has; made when it is not there."),
    ] = Path(".sm-local"),
    least_free_mib: Annotated[
        int, typer.Option(help="What uploads and jobs leave free on the disk, in MiB.")
    ] = 512,
) -> None:
    """Serve the local AWS alone, until Ctrl-C, and print the variables that lead to it."""
    require_local_extra()
    if command and command[0] in ("doctor", "prepare"):
        raise typer.Exit(_look(command, root, port))
    from airflow_sm_pipelines.executions.runner import AirflowRunner
    from airflow_sm_pipelines.local import LocalAWS

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with LocalAWS(
        root,
        host=host,
        port=port,
        least_free_bytes=least_free_mib << 20,
        lambdas=lambdas,
        runner=AirflowRunner(),
    ) as aws:
        _serve_while(command, aws, seed)


def _serve_while(command: Sequence[str] | None, aws: "LocalAWS", seed: Path | None) -> None:
    """Serve while a command runs, or until the user ends it."""
    try:
        if seed:
            seeding.seed(aws.environment, seed)
        if command:
            raise typer.Exit(_run(command, aws))
        _serve(streams().out, aws)
    except KeyboardInterrupt:
        streams().err.print("stopping the local AWS and its jobs")


def _look(words: Sequence[str], root: Path, port: int) -> int:
    """Do what needs no server; the exit code."""
    match words:
        case ["doctor"]:
            return local_doctor.doctor(root, port)
        case ["prepare", *names]:
            return local_doctor.prepare(names)
    raise CommandError(f"{' '.join(words)}: doctor takes no word; to run a program write its path")


def _serve(console: Console, aws: "LocalAWS") -> None:
    """Tell where the server is, and wait for the user to end it."""
    for line in (
        f"# local AWS: {aws.endpoint_url}",
        f"# isolation of jobs: {aws.isolation}",
        f"# jobs: {aws.root / 'jobs'}",
        f"# objects: {aws.root / 's3'}",
        *exports(aws.environment),
        "# Ctrl-C stops it and its jobs",
    ):
        console.print(line, markup=False, soft_wrap=True)
    # Not signal.pause(): a signal that reaches another thread would not wake this one.
    while True:
        time.sleep(WAKE_SECONDS)


def exports(environment: Mapping[str, str]) -> list[str]:
    """The variables as lines for a shell."""
    return [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]


def _run(command: Sequence[str], aws: "LocalAWS") -> int:
    # A profile of the user's would be looked for, and may not be there.
    own = {name: value for name, value in os.environ.items() if name != "AWS_PROFILE"}
    shown = aws.shown(command) if shutil.which(command[0]) else command
    try:
        return subprocess.run(shown, env={**own, **aws.environment}, check=False).returncode
    except OSError as error:
        raise CommandError(f"{command[0]}: {error.strerror}; name a program") from error


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
