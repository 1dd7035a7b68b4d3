"""The commands that a job finds on its PATH besides those of its own environment.

They are the scripts of the shared environment (`torchrun`, `papermill`, `spark-submit`), run by the
job's own interpreter so that they see what the job has installed, and `PROGRAMS`: commands that
only AWS's images have. A folder of them is made once per environment and kept with it.
"""

import hashlib
import os
import shlex
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parent
_HEAD_BYTES = 512

# Those of the overlay come first in any case.
_OWN = ("python", "pip", "activate", "Activate")


def commands(python: Path, cache: Path) -> Path:
    """The folder of the commands that belong to the environment of `python`."""
    source = python.parent
    folder = cache / "commands" / _key(source)
    if not folder.exists():
        made = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}")
        made.mkdir(parents=True)
        for name, line in _lines(source):
            _write(made / name, line)
        try:
            made.rename(folder)
        except OSError:  # another server was faster
            shutil.rmtree(made)
    return folder


def _lines(source: Path) -> Iterator[tuple[str, str]]:
    """Every command: its name, and what a shell runs for it."""
    for script in sorted(source.iterdir()) if _is_environment(source) else ():
        if not script.name.startswith(_OWN) and script.is_file() and os.access(script, os.X_OK):
            runs = f"{_PYTHON} " if _is_python(script) else ""
            yield script.name, f"{runs}{shlex.quote(str(script))}"
    for name, program in PROGRAMS.items():
        yield name, f"{_PYTHON} -I {shlex.quote(str(_HERE / program))}"


def _is_environment(source: Path) -> bool:
    """Whether it is the folder of a virtual environment; a system's is on any PATH."""
    return (source.parent / "pyvenv.cfg").exists()


def _is_python(script: Path) -> bool:
    """Whether a script names a Python to run it; where that path is long, in its second line."""
    with script.open("rb") as file:
        head = file.read(_HEAD_BYTES).splitlines()[:2]
    return bool(head) and head[0].startswith(b"#!") and any(b"python" in line for line in head)


def _key(source: Path) -> str:
    """What the folder depends on: the environment, the time of its last change, and ourselves."""
    about = [str(source), source.stat().st_mtime_ns, str(_HERE), sorted(PROGRAMS.items())]
    return hashlib.sha256(repr(about).encode()).hexdigest()[:16]


def _write(path: Path, line: str) -> None:
    path.write_text(f'#!/bin/sh\nexec {line} "$@"\n')
    path.chmod(0o755)


_PYTHON = '"$VIRTUAL_ENV/bin/python"'

# Command -> our program that does what it does in AWS's images.
PROGRAMS = {
    "amazon_sagemaker_scheduler": "notebook_job.py",
    "smspark-submit": "spark_job.py",
}
