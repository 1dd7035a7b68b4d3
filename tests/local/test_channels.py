"""Which objects a script gets, by the types of channels."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from airflow_sm_pipelines.local.channels import LISTINGS, Channel, Share, shared

from .calls import channel, processing_input, resources

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Run = Callable[..., dict[str, Any]]

SERVICE = botocore.session.get_session().get_service_model("sagemaker")


def s3_channel(name: str, uri: str, *, source: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = channel(name, uri, **changes)
    made["DataSource"]["S3DataSource"].update(source)
    return made


def put(s3: "S3Client", bucket: str, objects: dict[str, str | bytes]) -> None:
    for key, body in objects.items():
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def tree(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def test_a_manifest_names_the_objects_of_a_channel(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    manifest = [{"prefix": f"s3://{bucket}/data/"}, "a/one.csv", "two.csv"]
    objects: dict[str, str | bytes] = {"m.json": json.dumps(manifest)}
    put(s3, bucket, {**objects, "data/a/one.csv": "1", "data/two.csv": "2", "data/three.csv": "3"})
    source = {"S3DataType": "ManifestFile"}
    job = trained(
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            s3_channel("train", f"s3://{bucket}/m.json", source=source),
        ]
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert tree(job_folder / "ml/input/data/train") == {"a/one.csv": "1", "two.csv": "2"}


def test_a_manifest_names_the_objects_of_a_processing_input(
    processed: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    manifest = [{"prefix": f"s3://{bucket}/data/"}, "two.csv"]
    put(s3, bucket, {"m.json": json.dumps(manifest), "data/two.csv": "2", "data/three.csv": "3"})
    processed(
        ProcessingInputs=[
            processing_input("code", f"s3://{bucket}/code/script.py"),
            processing_input("raw", f"s3://{bucket}/m.json", S3DataType="ManifestFile"),
        ]
    )
    assert tree(job_folder / "ml/processing/raw") == {"two.csv": "2"}


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ("no json", "not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("{}", "not a list with elements"),
        ('["a.csv"]', "its first element is 'a.csv'"),
        ('[{"prefix": "s3://b/"}, 1]', "1 is no string"),
    ],
)
def test_a_manifest_that_is_none_fails_the_job(
    trained: Run, s3: "S3Client", bucket: str, manifest: str, problem: str
) -> None:
    put(s3, bucket, {"m.json": manifest})
    uri = f"s3://{bucket}/m.json"
    job = trained(InputDataConfig=[s3_channel("t", uri, source={"S3DataType": "ManifestFile"})])
    assert job["FailureReason"] == (
        f"ClientError: manifest {uri}: {problem}; it would be "
        '[{"prefix": "s3://bucket/some/prefix/"}, "relative/key", ...]'
    )


def test_an_object_that_a_manifest_names_and_is_not_there_fails_the_job(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"m.json": json.dumps([{"prefix": f"s3://{bucket}/data/"}, "none.csv"])})
    source = {"S3DataType": "ManifestFile"}
    job = trained(
        InputDataConfig=[s3_channel("train", f"s3://{bucket}/m.json", source=source)],
    )
    assert job["FailureReason"].startswith(f"ClientError: cannot read s3://{bucket}/data/none.csv")


def test_a_manifest_without_objects_fails_the_job(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"m.json": json.dumps([{"prefix": f"s3://{bucket}/data/"}])})
    source = {"S3DataType": "ManifestFile"}
    uri = f"s3://{bucket}/m.json"
    job = trained(InputDataConfig=[s3_channel("train", uri, source=source)])
    assert job["FailureReason"] == (
        f"ClientError: No S3 objects found under S3 URL {uri!r} given in input data source"
    )


def test_a_key_of_a_manifest_may_not_lead_out_of_the_folder(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"m.json": json.dumps([{"prefix": f"s3://{bucket}/"}, "../../x"])})
    source = {"S3DataType": "ManifestFile"}
    job = trained(InputDataConfig=[s3_channel("train", f"s3://{bucket}/m.json", source=source)])
    assert "leads out of its input's folder" in job["FailureReason"]


@pytest.mark.parametrize("mode", ["File", "FastFile"])
def test_gzip_is_undone_in_the_modes_that_give_files(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path, mode: str
) -> None:
    put(s3, bucket, {"data/rows.csv": gzip.compress(b"1,2\n")})
    job = trained(
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            channel("train", f"s3://{bucket}/data/", CompressionType="Gzip", InputMode=mode),
        ]
    )
    assert job["TrainingJobStatus"] == "Completed"
    assert tree(job_folder / "ml/input/data/train") == {"rows.csv": "1,2\n"}


def test_gzip_of_a_processing_input_is_undone(
    processed: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    put(s3, bucket, {"data/rows.csv": gzip.compress(b"1,2\n")})
    processed(
        ProcessingInputs=[
            processing_input("code", f"s3://{bucket}/code/script.py"),
            processing_input("raw", f"s3://{bucket}/data", S3CompressionType="Gzip"),
        ]
    )
    assert tree(job_folder / "ml/processing/raw") == {"rows.csv": "1,2\n"}


def test_what_is_not_compressed_although_the_channel_says_so_fails_the_job(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"data/rows.csv": "1,2\n"})
    uri = f"s3://{bucket}/data/rows.csv"
    job = trained(InputDataConfig=[channel("train", uri, CompressionType="Gzip")])
    assert job["FailureReason"].startswith(
        f"ClientError: InputDataConfig[0]: {uri} is not what CompressionType Gzip says (Not a gz"
    )


def test_each_host_gets_its_share_of_a_sharded_channel(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    put(s3, bucket, {f"data/{letter}": letter for letter in "abcde"})
    sharded = {"S3DataDistributionType": "ShardedByS3Key"}
    job = trained(
        ResourceConfig={**resources(), "InstanceCount": 2},
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code/"),
            channel("all", f"s3://{bucket}/data/"),
            s3_channel("part", f"s3://{bucket}/data/", source=sharded),
        ],
    )
    assert job["TrainingJobStatus"] == "Completed"
    first, second = job_folder / "ml/input/data", job_folder / "algo-2/ml/input/data"
    assert "".join(tree(first / "part")) == "ace"
    assert "".join(tree(second / "part")) == "bd"
    assert "".join(tree(first / "all")) == "".join(tree(second / "all")) == "abcde"


def test_each_host_gets_its_share_of_a_sharded_processing_input(
    processed: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    put(s3, bucket, {f"data/{letter}": letter for letter in "abc"})
    processed(
        ProcessingResources={"ClusterConfig": {**resources(), "InstanceCount": 2}},
        ProcessingInputs=[
            processing_input("code", f"s3://{bucket}/code/script.py"),
            processing_input("raw", f"s3://{bucket}/data", S3DataDistributionType="ShardedByS3Key"),
        ],
    )
    assert "".join(tree(job_folder / "ml/processing/raw")) == "ac"
    assert "".join(tree(job_folder / "algo-2/ml/processing/raw")) == "b"


@pytest.mark.parametrize(
    ("change", "source", "reason"),
    [
        (
            {"RecordWrapperType": "RecordIO"},
            {},
            "InputDataConfig[0]: RecordWrapperType RecordIO needs the input mode Pipe",
        ),
        (
            {},
            {"S3DataType": "AugmentedManifestFile"},
            "InputDataConfig[0]: an AugmentedManifestFile needs the input mode Pipe; "
            "InputDataConfig[0]: AttributeNames: missing; an AugmentedManifestFile needs them",
        ),
        (
            {},
            {"S3DataType": "Converse"},
            "InputDataConfig[0]: S3DataType 'Converse' is not there in the local AWS; it would be "
            "one of S3Prefix, ManifestFile, AugmentedManifestFile",
        ),
    ],
)
def test_what_the_documentation_rules_out_fails_the_job(
    trained: Run, bucket: str, change: dict[str, str], source: dict[str, str], reason: str
) -> None:
    made = s3_channel("code", f"s3://{bucket}/code", source=source, **change)
    assert trained(InputDataConfig=[made])["FailureReason"] == f"ClientError: {reason}"


def test_every_type_of_data_of_the_service_is_known() -> None:
    types = {each for name in ("S3DataType", "ProcessingS3DataType") for each in enum(name)}
    assert types - {"Converse"} == set(LISTINGS)  # a format of foundation models' own training


def enum(shape: str) -> list[str]:
    found: list[str] = SERVICE.shape_for(shape).enum  # type: ignore[attr-defined]
    return found


def test_a_seed_shuffles_each_epoch_anew_and_always_alike() -> None:
    made = Channel(where="", name="train", uri="", seed=7)
    epochs = [shared(range(50), made, Share(), epoch=epoch) for epoch in (0, 1, 0)]
    assert epochs[0] == epochs[2] != epochs[1] != list(range(50))
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)


def test_what_is_shuffled_and_sharded_changes_hosts() -> None:
    made = Channel(where="", name="train", uri="", seed=7, sharded=True)
    for epoch in range(2):
        parts = [shared(range(50), made, Share(number, 2), epoch=epoch) for number in range(2)]
        assert sorted(parts[0] + parts[1]) == list(range(50))
    first = [set(shared(range(50), made, Share(0, 2), epoch=epoch)) for epoch in range(2)]
    assert first[0] != first[1]
