"""`airflow-sm local doctor` and `airflow-sm local prepare`: what this machine can do, and more."""

import socket
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from airflow_sm_pipelines.cli import machine
from airflow_sm_pipelines.cli.console import streams
from airflow_sm_pipelines.cli.errors import FAILED, CommandError
from airflow_sm_pipelines.cli.extra import require_local_extra
from airflow_sm_pipelines.errors import did_you_mean
from airflow_sm_pipelines.local.environments import BuildError, build, default_cache, ready
from airflow_sm_pipelines.local.images import Images

HOST = "127.0.0.1"


def doctor(root: Path, port: int) -> int:
    """Tell what this machine can do for local jobs and how to get more.

    The exit code: 1 where no job could run, or where there is hardly room for one.
    """
    require_local_extra()
    console = streams().out
    isolated = machine.print_isolation(console)
    machine.print_engines(console)
    machine.print_environments(console)
    machine.print_programs(console)
    roomy = machine.print_places(console, root)
    rows = machine.table("Port")
    taken = _taken(port)
    verdict = Text("taken", "yellow") if taken else Text("free", "green")
    note = f"{taken}; another one: airflow-sm local --port 0" if taken else ""
    rows.add_row(str(port), verdict, note)
    console.print(rows)
    return 0 if isolated and roomy else FAILED


def prepare(names: Sequence[str]) -> int:
    """Make the environments of these images, of all without names; the exit code.

    After that their jobs need no network, but for what they install themselves.
    """
    require_local_extra()
    terminal = streams()
    locks = Images().locks()
    for name in names:
        if name not in locks:
            hint = did_you_mean(name, locks)
            raise CommandError(f"{name}: no image{hint}; one of: {', '.join(locks)}")
    failed = False
    for name in names or locks:
        if ready(locks[name], default_cache()):
            terminal.out.print(f"{name}: is ready", markup=False)
            continue
        terminal.out.print(f"{name}: being made; this takes a minute or two", markup=False)
        try:
            made = build(locks[name], default_cache())
            terminal.out.print(f"{name}: {made}", markup=False, soft_wrap=True)
        except BuildError as error:
            failed = True
            terminal.err.print(f"{name}: {error}", markup=False, soft_wrap=True)
    return FAILED if failed else 0


def _taken(port: int) -> str:
    """Why a server cannot listen on the port, or ""."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        return str(error.strerror)
    return ""
