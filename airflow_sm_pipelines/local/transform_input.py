"""The objects that a transform job reads, on disk."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Fields, Job
from airflow_sm_pipelines.local.objects import Objects, files


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One object: its name below the input's prefix, where it is now, whether it is packed."""

    name: str
    file: Path
    gzipped: bool

    def open(self) -> BinaryIO:
        """Its content, unpacked."""
        if self.gzipped:
            return cast(BinaryIO, gzip.open(self.file))
        return self.file.open("rb")


def sources(objects: Objects, job: Job) -> list[Source]:
    """Fetch every object that the request names."""
    asked = job.request["TransformInput"]
    source = asked["DataSource"]["S3DataSource"]
    folder = job.folder / "input"
    folder.mkdir()
    for uri, target in _downloads(objects, job, source, folder):
        if not objects.download(uri, target):
            raise JobError(
                f"ClientError: No S3 objects found under S3 URL {uri!r} given in input data source"
            )
    gzipped = asked.get("CompressionType") == "Gzip"
    return [
        Source(name=file.relative_to(folder).as_posix(), file=file, gzipped=gzipped)
        for file in files(folder)
    ]


def _downloads(
    objects: Objects, job: Job, source: Fields, folder: Path
) -> Iterator[tuple[str, Path]]:
    """What to download, and into which folder."""
    if source["S3DataType"] == "S3Prefix":
        yield source["S3Uri"], folder
        return
    if source["S3DataType"] != "ManifestFile":
        raise JobError(
            f"ClientError: S3DataType {source['S3DataType']!r} is none of a transform job's; it "
            "would be S3Prefix or ManifestFile"
        )
    prefix, names = _manifest(objects, job.folder / "manifest", source["S3Uri"])
    for name in names:
        target = (folder / name).parent
        if ".." in Path(name).parts or not target.is_relative_to(folder):
            raise JobError(f"ClientError: {source['S3Uri']}: {name!r} leads out of its prefix")
        target.mkdir(parents=True, exist_ok=True)
        yield f"{prefix}{name}", target


def _manifest(objects: Objects, folder: Path, uri: str) -> tuple[str, list[str]]:
    """The prefix and the names of a manifest: `[{"prefix": "s3://..."}, "name", ...]`."""
    folder.mkdir()
    objects.download(uri, folder)
    found = files(folder)
    try:
        content: Any = json.loads(found[0].read_bytes()) if len(found) == 1 else None
        first, *names = content
        prefix = first["prefix"]
        if not all(isinstance(each, str) for each in (prefix, *names)):
            raise TypeError("a name is no text")
    except (ValueError, TypeError, KeyError) as error:
        raise JobError(
            f'ClientError: {uri}: no manifest ({error}); it would be [{{"prefix": "s3://..."}}, '
            '"key", ...]'
        ) from error
    return prefix, names
