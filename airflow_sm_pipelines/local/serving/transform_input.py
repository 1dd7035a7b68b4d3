"""The objects that a transform job reads, on disk."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.fetching import fetch
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
    _FETCHERS.get(source["S3DataType"], _refuse)(objects, source, folder)
    gzipped = asked.get("CompressionType") == "Gzip"
    return [
        Source(name=file.relative_to(folder).as_posix(), file=file, gzipped=gzipped)
        for file in files(folder)
    ]


def _fetch_prefix(objects: Objects, source: Fields, folder: Path) -> None:
    if not objects.download(source["S3Uri"], folder):
        raise _missing(source["S3Uri"])


def _fetch_manifest(objects: Objects, source: Fields, folder: Path) -> None:
    prefix, names = _manifest(objects, folder.with_name("manifest"), source["S3Uri"])
    for name in names:
        if ".." in Path(name).parts or not (folder / name).is_relative_to(folder):
            raise JobError(f"ClientError: {source['S3Uri']}: {name!r} leads out of its prefix")
        if not fetch(objects, f"{prefix}{name}", folder / name):
            raise _missing(f"{prefix}{name}")


def _refuse(objects: Objects, source: Fields, folder: Path) -> None:
    raise JobError(
        f"ClientError: S3DataType {source['S3DataType']!r} is none of a transform job's; it would "
        f"be {' or '.join(_FETCHERS)}"
    )


def _missing(uri: str) -> JobError:
    return JobError(
        f"ClientError: No S3 objects found under S3 URL {uri!r} given in input data source"
    )


def _manifest(objects: Objects, file: Path, uri: str) -> tuple[str, list[str]]:
    """The prefix and the names of a manifest: `[{"prefix": "s3://..."}, "name", ...]`."""
    if not fetch(objects, uri, file):
        raise _missing(uri)
    try:
        content: Any = json.loads(file.read_bytes())
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


_FETCHERS: dict[str, Callable[[Objects, Fields, Path], None]] = {
    "S3Prefix": _fetch_prefix,
    "ManifestFile": _fetch_manifest,
}
