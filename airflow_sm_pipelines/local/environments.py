"""Python environments for jobs: shared ones made by uv, on each of which a job lays its own.

An environment is made once per lock file, interpreter and user, and kept below the user's cache
directory. But for cached bytecode it is never changed after that: a job that runs `pip install`
(script mode and the SDK's FrameworkProcessor do) gets an overlay, which is a virtual environment of
its own that sees the shared packages through a `.pth` file. pip installs into the overlay, finds
what is shared already there, and refuses to uninstall it ("outside environment"); a newer version
in the overlay comes first on `sys.path`. An overlay is a handful of small files, made in about a
millisecond. (PIP_TARGET does not look at what is there and downloads numpy and pandas again;
PIP_PREFIX uninstalls the shared version.)
"""

import fcntl
import functools
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from airflow_sm_pipelines.local.errors import LocalError

log = logging.getLogger(__name__)

# Modules that scripts import in AWS's images.
TOOLKITS = Path(__file__).parent / "toolkits"

_READY = "ready"
# Where it has no pip, the wheel that its ensurepip would install: importable as it is.
_DESCRIBE = """
import glob, importlib.util, json, os, site, sys
pip = []
if importlib.util.find_spec("pip") is None:
    there = importlib.util.find_spec("ensurepip")
    folders = [os.path.join(path, "_bundled") for path in there.submodule_search_locations]
    folders.append("/usr/share/python-wheels")
    pip = [wheel for folder in folders for wheel in glob.glob(os.path.join(folder, "pip-*.whl"))]
packages = site.getsitepackages() + pip[:1]
print(json.dumps([sys._base_executable, list(sys.version_info[:2]), packages]))
"""


class BuildError(LocalError):
    """An environment could not be made, or an interpreter does not run."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs: its path, the one it was made from, and where its packages are.

    pip is among them: where the environment has none, as one made by uv, the one of ensurepip.
    """

    python: Path
    base: Path
    version: str
    packages: tuple[str, ...]


def default_cache() -> Path:
    """Where environments are kept: `$XDG_CACHE_HOME`, or `~/.cache`, and our name."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "airflow-sm-pipelines"


def build(lock: Path, cache: Path) -> Path:
    """The interpreter of the environment that `lock` describes; made when it is not there.

    Safe against other threads and processes that want the same one: they wait. The environment is
    built where it stays, since its scripts hold absolute paths; what an interrupted build left is
    made again.
    """
    if python := ready(lock, cache):
        return python
    home = _home(lock, cache)
    with _locked(home):
        if not _is_ready(home):
            log.info("making the environment %s in %s", lock.stem, home)
            _make(home, lock)
    return home / "bin" / "python"


def ready(lock: Path, cache: Path) -> Path | None:
    """The interpreter of the environment that `lock` describes, or None where it is not made."""
    home = _home(lock, cache)
    return home / "bin" / "python" if _is_ready(home) else None


@functools.cache
def describe(python: Path) -> Interpreter:
    """What `python` says about itself. It is run once per process, in about 20 ms."""
    command = [str(python), "-I", "-c", _DESCRIBE]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(f"{python}: does not run ({_reason(error)})") from error
    base, (major, minor), packages = json.loads(said)
    return Interpreter(python, Path(base), f"{major}.{minor}", tuple(packages))


def overlay(interpreter: Interpreter, folder: Path) -> Path:
    """Make `folder` a virtual environment on top of `interpreter`; returns its interpreter."""
    commands = folder / "bin"
    packages = folder / "lib" / f"python{interpreter.version}" / "site-packages"
    commands.mkdir(parents=True)
    packages.mkdir(parents=True)
    (folder / "lib64").symlink_to("lib")
    (folder / "pyvenv.cfg").write_text(
        f"home = {interpreter.base.parent}\n"
        "include-system-site-packages = false\n"
        f"version = {interpreter.version}\n"
    )
    python = commands / "python"
    python.symlink_to(interpreter.base)
    for name in ("python3", f"python{interpreter.version}"):
        (commands / name).symlink_to("python")
    for name in ("pip", "pip3"):
        _write_command(commands / name, f'exec "{python}" -m pip "$@"')
    # Last on the path: what the image or the job itself has of these comes first.
    lines = [_path_line(path) for path in interpreter.packages] + [f"{TOOLKITS}\n"]
    (packages / "image.pth").write_text("".join(lines))
    return python


def _path_line(path: str) -> str:
    """The line of a .pth file for a folder of packages, or for a wheel."""
    return f"{path}\n" if path.endswith(".whl") else f"import site; site.addsitedir({path!r})\n"


def _home(lock: Path, cache: Path) -> Path:
    return cache / "envs" / f"{lock.stem}-{_key(lock)}"


def _key(lock: Path) -> str:
    """What an environment depends on: the pins, and the interpreter it is made with."""
    interpreter = f"{sys.version}{sys.base_prefix}".encode()
    return hashlib.sha256(lock.read_bytes() + interpreter).hexdigest()[:16]


def _is_ready(home: Path) -> bool:
    # The interpreter is a link; it dangles after the Python it was made with is uninstalled.
    return (home / _READY).exists() and (home / "bin" / "python").exists()


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        file = home.with_name(f"{home.name}.lock").open("w")
    except OSError as error:
        raise BuildError(f"{home}: {error.strerror}; set XDG_CACHE_HOME to a folder") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(home: Path, lock: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    import uv  # not above: where environments are is asked by those who have no uv as well

    program = uv.find_uv_bin()
    # --python is the interpreter we run in: a version that is not there would be downloaded.
    _run([program, "venv", "--quiet", "--python", sys.executable, str(home)], lock)
    # Bytecode is left to the first import: compiling all of it takes 12 s, what is imported 3 s.
    # Where PyTorch's wheels for CPUs are, uv knows; it asks there for nothing else.
    install = [program, "pip", "install", "--quiet", "--torch-backend", "cpu", "-r", str(lock)]
    _run([*install, "--python", str(home / "bin" / "python")], lock)
    (home / _READY).touch()


def _run(command: list[str], lock: Path) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH"):
        environment.pop(name, None)
    try:
        subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise BuildError(f"{lock}: uv could not make the environment: {_reason(error)}") from error


def _reason(error: OSError | subprocess.CalledProcessError) -> str:
    match error:
        case subprocess.CalledProcessError():
            return str(error.stderr).strip() or f"exit code {error.returncode}"
        case _:
            return str(error.strerror)


def _write_command(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
