"""What this machine can do for local jobs, as tables: `airflow-sm doctor` and `local doctor`.

Each function prints one table; where something is needed, it says whether it is there.
"""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from airflow_sm_pipelines.local.environments import default_cache, ready
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.sandbox import Probe, means

_GIGABYTE = 1e9
_LITTLE_GIGABYTES = 2.0


def print_isolation(console: Console) -> bool:
    """By which means jobs can have an /opt/ml of their own; whether there is any."""
    probes = means()
    _print_probes(console, "Isolation of local jobs, the best first", probes)
    return any(probe.works for probe in probes)


def print_engines(console: Console) -> None:
    """What could run an image itself."""
    from airflow_sm_pipelines.local.engines import probes

    title = "Containers, where images.toml asks for them"
    _print_probes(console, title, probes())


def print_programs(console: Console) -> None:
    """What some jobs need besides Python."""
    rows = table("Programs that some jobs need")
    for program in PROGRAMS:
        found = shutil.which(program.name)
        there = Text("there", "green") if found else Text("no", "yellow")
        note = found or f"install it: {program.remedy}"
        rows.add_row(program.name, there, f"{program.needed_for}; {note}")
    console.print(rows)


def print_environments(console: Console) -> None:
    """Which images have their environment, so that their jobs start without a network."""
    rows = table("Image environments")
    for name, lock in Images().locks().items():
        python = ready(lock, default_cache())
        if python:
            rows.add_row(name, Text("ready", "green"), str(python.parents[1]))
        else:
            note = "made when a job first needs it, from the network; airflow-sm local prepare"
            rows.add_row(name, Text("not made", "yellow"), note)
    console.print(rows)


def print_places(console: Console, root: Path) -> bool:
    """The room where jobs and environments are kept; whether there is enough to begin with."""
    rows = table("Disk")
    enough = True
    for name, folder in (("jobs and objects", root), ("environments", default_cache())):
        free = shutil.disk_usage(_existing(folder.absolute())).free / _GIGABYTE
        little = free < _LITTLE_GIGABYTES
        enough = enough and not little
        amount = Text(f"{free:.1f} GB free", "red" if little else "green")
        rows.add_row(name, amount, f"{folder}{MAKE_ROOM if little else ''}")
    console.print(rows)
    return enough


def table(title: str) -> Table:
    """A table of a name, a verdict and a note a row."""
    rows = Table(
        box=box.SIMPLE, title=title, title_justify="left", show_header=False, pad_edge=False
    )
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    rows.add_column(overflow="fold", style="dim")
    return rows


def _print_probes(console: Console, title: str, probes: Iterable[Probe]) -> None:
    rows = table(title)
    for probe in probes:
        works = Text("works", "green") if probe.works else Text("no", "yellow")
        # A remedy is for what does not work.
        reason = probe.reason if probe.works else f"{probe.reason}; {probe.remedy}"
        rows.add_row(probe.name, works, reason)
    console.print(rows)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that is not ours to bring."""

    name: str
    needed_for: str
    remedy: str


MAKE_ROOM = "; make room, or name another folder with --root or XDG_CACHE_HOME"

PROGRAMS = (
    Program(name="java", needed_for="Spark", remedy="sudo apt-get install default-jre-headless"),
    Program(name="node", needed_for="JavaScript functions", remedy="sudo apt-get install nodejs"),
)
