"""The code of script mode, which is in /opt/ml/code before the job's process starts."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .calls import keys
from .models import SCRIPT_MODE, packed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Run = Callable[..., dict[str, Any]]

PROGRAM = "print('trained', flush=True)"


@pytest.fixture
def script_mode(trained: Run, s3: "S3Client", bucket: str) -> Run:
    """Run a training job in script mode to its end, with this object as its code."""

    def run(
        content: bytes, *, written: str = "{}", alone: bool = False, **algorithm: Any
    ) -> dict[str, Any]:
        s3.put_object(Bucket=bucket, Key="source.tar.gz", Body=content)
        uri = f"s3://{bucket}/source.tar.gz"
        return trained(
            AlgorithmSpecification={
                "TrainingImage": SCRIPT_MODE,
                "TrainingInputMode": "File",
                **algorithm,
            },
            Environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"} if alone else {},
            HyperParameters={
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": written.format(uri),
            },
        )

    return run


@pytest.mark.parametrize("written", ["{}", '"{}"'], ids=["text", "JSON"])
def test_code_is_there_although_the_job_cannot_ask_for_it(
    script_mode: Run, job_folder: Path, written: str
) -> None:
    code = packed({"train.py": PROGRAM, "more/own.py": ""})
    job = script_mode(code, written=written, alone=True)
    assert job["TrainingJobStatus"] == "Completed"
    assert (job_folder / "log.txt").read_text() == "trained\n"
    assert (job_folder / "ml/code/more/own.py").exists()


def test_of_code_that_is_no_archive_the_job_tells_what_is_wrong(
    script_mode: Run, job_folder: Path
) -> None:
    job = script_mode(packed({"train.py": PROGRAM * 1000})[:-20])
    assert job["TrainingJobStatus"] == "Failed"
    assert "source.tar.gz: not a tar.gz archive (" in job["FailureReason"]
    assert not [each for each in job_folder.iterdir() if each.name.startswith(".code")]


def test_code_that_would_leave_its_folder_does_not(
    script_mode: Run, job_folder: Path, s3: "S3Client", bucket: str, name: str
) -> None:
    job = script_mode(packed({"train.py": PROGRAM, "../../escaped": "here"}))
    assert job["TrainingJobStatus"] == "Failed"
    assert not (job_folder / "escaped").exists()
    assert not (job_folder / "ml/escaped").exists()
    assert keys(s3, bucket, f"models/{name}/output/output") == []


def test_a_job_with_an_entry_point_of_its_own_finds_no_code(
    script_mode: Run, job_folder: Path
) -> None:
    code = packed({"train.py": PROGRAM})
    job = script_mode(code, ContainerEntrypoint=["ls", "/opt/ml/code"])
    assert job["TrainingJobStatus"] == "Completed"
    assert (job_folder / "log.txt").read_text() == ""
