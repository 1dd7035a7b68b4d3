"""`airflow-sm up`."""

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from airflow_sm_pipelines.cli import home, seeding
from airflow_sm_pipelines.cli.background import LocalProcess
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import CommandError
from airflow_sm_pipelines.cli.extra import require_local_extra
from airflow_sm_pipelines.cli.options import Root
from airflow_sm_pipelines.cli.server import (
    HOST,
    USER,
    AirflowServer,
    choose_port,
    server_settings,
)

EPILOG = """\
[bold]Examples[/]

airflow-sm up

airflow-sm up --dags my/dags --port 9090
"""


def up(
    port: Annotated[
        int, typer.Option(help="The port of Airflow's UI; a free one is taken if it is in use.")
    ] = 8080,
    dags: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder with the DAG files.")
    ] = Path("dags"),
    root: Root = Path(".sm-local"),
) -> None:
    """Start Airflow and the local AWS, until Ctrl-C.

    Everything is bound to 127.0.0.1. Ctrl-C stops all that was started, running jobs included.
    """
    if not dags.is_dir():
        raise CommandError(f"{dags}: no such folder; name the one with the DAG files with --dags")
    require_local_extra()
    terminal = streams().out
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    with ExitStack() as stack:
        try:
            server = _start(stack, terminal, root.resolve(), dags.resolve(), port)
            while True:
                time.sleep(0.5)
                server.check()
        except KeyboardInterrupt:
            # From here on it ends; a second Ctrl-C would leave children.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            terminal.print("stopping Airflow, the local AWS and its jobs")


def _start(stack: ExitStack, terminal: Console, root: Path, dags: Path, port: int) -> AirflowServer:
    """Start both, hand them to `stack`, and tell where they are."""
    folder = root / "airflow"
    folder.mkdir(parents=True, exist_ok=True)
    terminal.print("starting the local AWS and Airflow; this takes about half a minute")
    local = LocalProcess(root=root, log=folder / "local-aws.log")
    # What stops it first: Ctrl-C may come while it is being started.
    stack.callback(local.stop)
    local.start()
    served = local.wait_until_ready()
    seeding.seed(served.environment, dags)
    ui_port = choose_port(port)
    key = home.fernet_key(root)
    server = AirflowServer(
        home=folder,
        address=f"http://{HOST}:{ui_port}",
        logs=folder,
        environment={
            **home.airflow_environment(folder, dags=dags, fernet_key=key),
            **server_settings(ui_port, secret=key),
            **home.local_role(),
            **served.environment,
        },
    )
    stack.callback(server.stop)
    if not home.is_migrated(folder):
        server.migrate()
        home.note_migrated(folder)
    server.start()
    server.wait_until_healthy()
    for line in (
        f"Airflow:    {server.address}  (user {USER}, password {server.password})",
        f"DAGs:       {dags}",
        f"local AWS:  {served.endpoint_url}  ({served.isolation})",
        f"jobs:       {served.root / 'jobs'}",
        f"logs:       {folder}",
        "Ctrl-C stops everything",
    ):
        terminal.print(line, markup=False, soft_wrap=True)
    return server


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
