"""One object of S3 as one file."""

import tempfile
from pathlib import Path, PurePosixPath

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
