"""What a training job leaves in S3: the model, and other output."""

import tarfile
from pathlib import Path

from airflow_sm_pipelines.local.job import Fields, Job
from airflow_sm_pipelines.local.objects import Objects, files, join

# Most models hardly shrink; the highest speed loses little space and saves most of the time.
_COMPRESSION = 1


def model_uri(output: Fields, job_name: str) -> str:
    """S3ModelArtifacts of a job: a tar file, or a prefix where it is not compressed."""
    return _output_uri(output, job_name, "model" if _plain(output) else "model.tar.gz")


def upload(objects: Objects, job: Job, *, always: bool) -> None:
    """Upload /opt/ml/model and /opt/ml/output/data.

    A completed job always has a model, an empty one too; of a failed or stopped job what
    there is.
    """
    output = job.request["OutputDataConfig"]
    folders = {"model": job.ml / "model", "output": job.ml / "output" / "data"}
    for name, folder in folders.items():
        if not (files(folder) or (always and name == "model")):
            continue
        if _plain(output):
            objects.upload_folder(folder, _output_uri(output, job.name, name))
        else:
            packed = _packed(folder, job.folder / f"{name}.tar.gz")
            objects.upload(packed, _output_uri(output, job.name, packed.name))
            packed.unlink()


def _plain(output: Fields) -> bool:
    return output.get("CompressionType") == "NONE"


def _output_uri(output: Fields, job_name: str, name: str) -> str:
    return join(output["S3OutputPath"], f"{job_name}/output/{name}")


def _packed(folder: Path, archive: Path) -> Path:
    """`archive`, made of what is in `folder`, without the folder itself."""
    with tarfile.open(archive, "w:gz", compresslevel=_COMPRESSION) as tar:
        for each in sorted(folder.iterdir()):
            tar.add(each, arcname=each.name)
    return archive
