"""Continuous upload: a folder whose files reach S3 while a job writes them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.following import following
from airflow_sm_pipelines.local.objects import Objects, files, join

Version = tuple[int, int]

LOOK_SECONDS = 1.0


@contextmanager
def mirror(objects: Objects, folder: Path, uri: str, *, uploaded: bool = False) -> Iterator[None]:
    """Upload what is new or changed below `folder` until the block ends, then once more.

    `uploaded`: what is there at the beginning comes from S3.
    """
    copy = _Copy(objects, folder, uri, versions=_versions(folder) if uploaded else {})
    try:
        with following(copy.follow, name=f"mirror {uri}"):
            yield
    finally:
        copy.update()


class _Copy:
    """A folder in S3 that follows one on disk."""

    def __init__(
        self, objects: Objects, folder: Path, uri: str, *, versions: dict[Path, Version]
    ) -> None:
        self._objects = objects
        self._folder = folder
        self._uri = uri
        self._uploaded = versions

    def follow(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_SECONDS):
            # A file may vanish while the job runs; what is still wrong at its end is raised then.
            with suppress(JobError, OSError):
                self.update()

    def update(self) -> None:
        """Upload the files whose time or size has changed."""
        for file, version in _versions(self._folder).items():
            if self._uploaded.get(file) != version:
                name = file.relative_to(self._folder).as_posix()
                self._objects.upload(file, join(self._uri, name))
                self._uploaded[file] = version


def _versions(folder: Path) -> dict[Path, Version]:
    """The files below `folder`, each with its time and its size."""
    statuses = ((file, file.stat()) for file in files(folder))
    return {file: (status.st_mtime_ns, status.st_size) for file, status in statuses}
