"""The root directory of a job's process: its own working directory, as in a container.

The containers of AWS's images start in `/`, so scripts unpack a model to `..` and open it in `.`.
Where a mount namespace can do it, the working directory of a job is `/`, with the machine in it.
"""

import functools
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from airflow_sm_pipelines.local.attempts import attempt


def words(launcher: tuple[str, ...], root: Path) -> Sequence[str]:
    """What makes the launcher show `root` as /; nothing where that is not possible."""
    return ("root", str(root.resolve())) if _possible(launcher) else ()


def clear(root: Path) -> None:
    """Remove the mount points of a command that has seen `root` as /, and has ended."""
    for name in os.listdir("/"):
        place = root / name
        with suppress(OSError):  # not empty: it is the command's
            place.unlink() if place.is_symlink() else place.rmdir()


@functools.cache
def _possible(launcher: tuple[str, ...]) -> bool:
    """Whether a command that is run so starts in the root; it is tried once per process."""
    with tempfile.TemporaryDirectory(prefix="airflow-sm-probe-") as folder:
        root, ml = Path(folder).resolve() / "root", Path(folder).resolve() / "ml"
        root.mkdir()
        ml.mkdir()
        options = ("namespace", str(ml), "root", str(root), "--")
        return attempt([*launcher, *options, "sh", "-c", 'test "$(pwd -P)" = /']) is None
