"""What a training job leaves in S3: the model, and other output."""

import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from airflow_sm_pipelines.local.hosts import Host
from airflow_sm_pipelines.local.job import Fields, Job
from airflow_sm_pipelines.local.objects import Objects, join

# Most models hardly shrink; the highest speed loses little space and saves most of the time.
_COMPRESSION = 1


def model_uri(output: Fields, job_name: str) -> str:
    """S3ModelArtifacts of a job: a tar file, or a prefix where it is not compressed."""
    return _output_uri(output, job_name, "model" if _plain(output) else "model.tar.gz")


def upload(objects: Objects, job: Job, *, always: bool, hosts: Sequence[Host] = ()) -> None:
    """Upload what is in /opt/ml/model and /opt/ml/output/data, of several hosts put together.

    A completed job always has a model, an empty one too; of a failed or stopped job what there is.
    """
    output = job.request["OutputDataConfig"]
    mls = [host.ml for host in hosts] or [job.ml]
    for name, below in FOLDERS.items():
        found = _together([ml / below for ml in mls])
        if not (any(path.is_file() for path in found.values()) or (always and name == "model")):
            continue
        uri = _output_uri(output, job.name, name)
        if _plain(output):
            _upload_files(objects, found, uri)
        else:
            packed = _packed(found, job.folder / f"{name}.tar.gz")
            objects.upload(packed, f"{uri}.tar.gz")
            packed.unlink()


def _together(folders: Sequence[Path]) -> dict[str, Path]:
    """What is in the folders, by its path there; where names clash, the first folder wins."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            found.setdefault(path.relative_to(folder).as_posix(), path)
    return dict(sorted(found.items()))


def _upload_files(objects: Objects, found: Mapping[str, Path], uri: str) -> None:
    """Upload the files; links are not followed."""
    for name, path in found.items():
        if path.is_file() and not path.is_symlink():
            objects.upload(path, join(uri, name))


def _plain(output: Fields) -> bool:
    return output.get("CompressionType") == "NONE"


def _output_uri(output: Fields, job_name: str, name: str) -> str:
    return join(output["S3OutputPath"], f"{job_name}/output/{name}")


def _packed(found: Mapping[str, Path], archive: Path) -> Path:
    """`archive`, made of what was found, under its name there."""
    with tarfile.open(archive, "w:gz", compresslevel=_COMPRESSION) as tar:
        for name, path in found.items():
            tar.add(path, arcname=name, recursive=False)
    return archive


# What S3 has -> where hosts write it.
FOLDERS = {"model": "model", "output": "output/data"}
