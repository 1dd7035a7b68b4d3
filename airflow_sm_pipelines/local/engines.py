"""Docker and Podman: jobs in their real images, where `images.toml` asks for it.

Nothing here is used unless a rule says `container`, or the file `isolation = "container"`. What
runs a container is `contain.py`, a process like any other of a job's. To add an engine: a row of
`ENGINES`.
"""

import functools
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.attempts import attempt
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.sandbox import Probe

IMAGE = "AIRFLOW_SM_CONTAINER_IMAGE"
"""The variable by which `contain.py` is told what to run; the container does not see it."""

PORT = "AIRFLOW_SM_CONTAINER_PORT"
"""The variable that has the port of this machine which leads to port 8080 of the container."""

ENTRYPOINT = "{entrypoint}"  # as the first word of a command: what the image runs by itself
OWN_IMAGE = "{image}"  # in a rule: the image that the job names

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A program with Docker's command line, and how one gets it."""

    name: str
    remedy: str


class EngineError(LocalError):
    """There is no engine that runs containers here; the text says how to get one."""


@functools.cache
def program() -> str:
    """The path of the first engine that answers; each is asked once per process."""
    failed = []
    for engine in ENGINES:
        probed = probe(engine)
        if probed.works:
            return str(shutil.which(engine.name))
        failed.append(f"{engine.name}: {probed.reason}; {probed.remedy}")
    raise EngineError("containers: no engine answers\n  " + "\n  ".join(failed))


def probes() -> list[Probe]:
    """Every engine, and what asking it showed."""
    return [probe(engine) for engine in ENGINES]


def probe(engine: Engine) -> Probe:
    """Ask an engine for the version of what runs its containers."""
    path = shutil.which(engine.name)
    failure = _failure(path) if path else f"there is no program {engine.name} on PATH"
    if failure:
        return Probe(engine.name, works=False, reason=failure, remedy=engine.remedy)
    return Probe(engine.name, works=True, reason=f"{path} answers", remedy="")


def command(environment: Mapping[str, str], ml: Path, argv: Sequence[str]) -> list[str]:
    """What runs `argv` in the container that `environment` names, or [] where it names none.

    The directory `ml` is its /opt/ml. The process ends with the thread that starts it.
    """
    if IMAGE not in environment:
        return []
    python = (sys.executable, "-I", "-S")
    launcher = (*python, str(_FOLDER / "launch.py"), "nothing", str(ml.resolve()), "--")
    container = (*python, str(_FOLDER / "contain.py"), program(), str(ml.resolve()), "--")
    return [*launcher, *container, *argv]


def _failure(path: str) -> str:
    """Why an engine cannot run containers, or ""."""
    said = attempt([path, "info"])
    return "" if said is None else said or f"`{path} info` failed"


ENGINES = (
    Engine(
        name="docker",
        remedy="install it (`sudo apt-get install docker.io`), start it (`sudo systemctl start "
        "docker`) and join its group (`sudo usermod -aG docker $USER`, then log in again)",
    ),
    Engine(name="podman", remedy="install it (`sudo apt-get install podman`); it needs no service"),
)
