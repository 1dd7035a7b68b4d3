"""One object of S3 as one file, or as what is packed in it."""

import tarfile
import tempfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from airflow_sm_pipelines.local.objects import Objects


def fetch(objects: Objects, uri: str, file: Path) -> bool:
    """Make `file` of the object with exactly this URI; whether there is one.

    A bucket that is not there is a `JobError`.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    # What is fetched by a prefix are also objects whose keys go on after it.
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".fetched-") as folder:
        objects.download(uri, Path(folder))
        fetched = Path(folder) / PurePosixPath(uri).name
        if not fetched.is_file():
            return False
        fetched.replace(file)
    return True


def unpack(archive: IO[bytes], folder: Path) -> None:
    """Unpack a tar file, and let nothing out of `folder`; raises what is in `DAMAGED`."""
    with tarfile.open(fileobj=archive) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(folder, filter="data")
        else:  # Python 3.11.3 and before
            tar.extractall(folder, members=[each for each in tar if _stays(each)])


def _stays(member: tarfile.TarInfo) -> bool:
    """Whether a member is a plain file or folder below where it is unpacked."""
    path = Path(member.name)
    return (member.isfile() or member.isdir()) and not path.is_absolute() and ".." not in path.parts


DAMAGED = (tarfile.TarError, EOFError, OSError, zlib.error)
"""How a tar file fails that is none, or is damaged."""
