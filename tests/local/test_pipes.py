"""The input mode Pipe, as an algorithm sees it."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.pipes import record

from .calls import IMAGE, channel, keys, processing_input
from .test_channels import put, s3_channel

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Run = Callable[..., dict[str, Any]]

READ = """
def epoch(number, size=-1):
    with open(f"/opt/ml/input/data/train_{number}", "rb") as pipe:
        return pipe.read(size)
"""


@pytest.fixture
def piped(trained: Run, s3: "S3Client", bucket: str, job_folder: Path) -> Callable[..., list[str]]:
    """Run a script that reads the channel `train`; the lines of its log."""

    def run(script: str, objects: dict[str, str | bytes], **changes: Any) -> list[str]:
        put(s3, bucket, {f"data/{key}": body for key, body in objects.items()})
        source = changes.pop("source", {})
        uri = changes.pop("uri", f"s3://{bucket}/data/")
        job = trained(
            READ + script,
            InputDataConfig=[
                channel("code", f"s3://{bucket}/code/"),
                s3_channel("train", uri, source=source, InputMode="Pipe", **changes),
            ],
        )
        assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
        return (job_folder / "log.txt").read_text().splitlines()

    return run


def test_every_epoch_has_a_pipe_with_all_of_the_data(piped: Callable[..., list[str]]) -> None:
    log = piped("for n in range(3): print(epoch(n))", {"a": "1\n", "b": "2\n"})
    assert log == [r"b'1\n2\n'"] * 3


def test_a_pipe_that_nobody_opens_does_not_keep_the_job(piped: Callable[..., list[str]]) -> None:
    assert piped("print('done')", {"a": "1"}) == ["done"]


def test_an_algorithm_may_stop_reading_in_the_middle(piped: Callable[..., list[str]]) -> None:
    log = piped("print(epoch(0, 3)); print(len(epoch(1)))", {"a": "x" * 1_000_000})
    assert log == ["b'xxx'", "1000000"]


def test_an_algorithm_may_end_in_the_middle(piped: Callable[..., list[str]]) -> None:
    script = "pipe = open('/opt/ml/input/data/train_0', 'rb'); print(pipe.read(1))"
    assert piped(script, {"a": "x" * 1_000_000}) == ["b'x'"]


def test_the_configuration_says_that_a_channel_is_piped(
    piped: Callable[..., list[str]], job_folder: Path
) -> None:
    piped("", {"a": "1"}, RecordWrapperType="RecordIO")
    config = json.loads((job_folder / "ml/input/config/inputdataconfig.json").read_text())
    assert config["train"]["TrainingInputMode"] == "Pipe"
    assert config["train"]["RecordWrapperType"] == "RecordIO"


def test_compressed_objects_are_streamed_decompressed(piped: Callable[..., list[str]]) -> None:
    objects: dict[str, str | bytes] = {"a": gzip.compress(b"1"), "b": gzip.compress(b"2")}
    assert piped("print(epoch(0))", objects, CompressionType="Gzip") == ["b'12'"]


def test_each_object_becomes_a_record(piped: Callable[..., list[str]]) -> None:
    script = "print(epoch(0).hex())"
    log = piped(script, {"a": "12345", "b": "6789"}, RecordWrapperType="RecordIO")
    head = struct.Struct("<II")
    expected = head.pack(0xCED7230A, 5) + b"12345\0\0\0" + head.pack(0xCED7230A, 4) + b"6789"
    assert bytes.fromhex(log[0]) == expected


def test_a_record_has_a_longest_length() -> None:
    with pytest.raises(JobError, match="a record of 536870912 bytes; RecordIO has 536870911"):
        record(bytes(1 << 29))


def test_the_attributes_of_an_augmented_manifest_are_streamed_in_their_order(
    piped: Callable[..., list[str]], bucket: str
) -> None:
    lines = [
        {"label": {"class": 1}, "source-ref": f"s3://{bucket}/data/one", "more": 1},
        {"label": 2, "source-ref": f"s3://{bucket}/data/two"},
    ]
    objects: dict[str, str | bytes] = {
        "augmented": "".join(f"{json.dumps(line)}\n\n" for line in lines),
        "one": "image one;",
        "two": "image two;",
    }
    source = {
        "S3DataType": "AugmentedManifestFile",
        "AttributeNames": ["source-ref", "label"],
    }
    uri = f"s3://{bucket}/data/augmented"
    log = piped("print(epoch(0).decode())", objects, source=source, uri=uri)
    assert log == ['image one;{"class": 1}image two;2']


def test_a_line_without_the_attributes_fails_the_job(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"augmented": '{"label": 1}\n'})
    uri = f"s3://{bucket}/augmented"
    source = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["source-ref"]}
    job = trained(InputDataConfig=[s3_channel("train", uri, source=source, InputMode="Pipe")])
    assert job["FailureReason"] == (
        f"""ClientError: augmented manifest {uri}, line 1: '{{"label": 1}}'; it would be a JSON """
        "object with source-ref"
    )


def test_data_that_vanishes_fails_the_job_although_the_algorithm_succeeds(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"m.json": json.dumps([{"prefix": f"s3://{bucket}/data/"}, "gone"])})
    source = {"S3DataType": "ManifestFile"}
    job = trained(
        READ + "epoch(0)",
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            s3_channel("train", f"s3://{bucket}/m.json", source=source, InputMode="Pipe"),
        ],
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"ClientError: cannot read s3://{bucket}/data/gone")


def test_the_mode_of_the_job_is_that_of_the_channels_that_have_none(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    put(s3, bucket, {"data/a": "1"})
    trained(
        READ + "print(epoch(0))",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"},
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/", InputMode="File"),
            channel("train", f"s3://{bucket}/data/"),
        ],
    )
    assert (job_folder / "log.txt").read_text() == "b'1'\n"


def test_a_processing_input_can_be_piped(
    processed: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    put(s3, bucket, {"data/a": "1"})
    processed(
        "for n in range(2): print(open(f'/opt/ml/processing/raw_{n}').read())",
        ProcessingInputs=[
            processing_input("code", f"s3://{bucket}/code/script.py"),
            processing_input("raw", f"s3://{bucket}/data", S3InputMode="Pipe"),
        ],
    )
    assert (job_folder / "log.txt").read_text() == "1\n1\n"


def test_pipes_are_no_output(trained: Run, s3: "S3Client", bucket: str) -> None:
    put(s3, bucket, {"data/a": "1"})
    output = {"S3OutputPath": f"s3://{bucket}/models", "CompressionType": "NONE"}
    job = trained(
        "import os; os.mkfifo('/opt/ml/model/pipe')",
        OutputDataConfig=output,
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert keys(s3, bucket, "models") == []
