from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.objects import Objects, files, join, relative, split

from .calls import keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.mark.parametrize(
    ("key", "prefix", "expected"),
    [
        ("data/a.csv", "data/", "a.csv"),
        ("data/a.csv", "data", "a.csv"),
        ("data/sub/a.csv", "data", "sub/a.csv"),
        ("data/a.csv", "data/a.csv", "a.csv"),
        ("data/training/a.csv", "data/train", "training/a.csv"),
        ("a.csv", "", "a.csv"),
        ("data/", "data/", ""),
    ],
)
def test_a_key_lands_where_its_prefix_is_stripped(key: str, prefix: str, expected: str) -> None:
    assert relative(key, prefix) == expected


@given(st.text("ab/", max_size=8), st.text("ab/", max_size=8))
def test_every_key_of_a_prefix_ends_with_where_it_lands(prefix: str, rest: str) -> None:
    assert (prefix + rest).endswith(relative(prefix + rest, prefix))


def test_a_prefix_becomes_a_folder(s3: "S3Client", bucket: str, tmp_path: Path) -> None:
    for key in ("in/", "in/a", "in/empty/", "in/sub/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert Objects(s3).download(f"s3://{bucket}/in/", tmp_path) == 2
    assert (tmp_path / "sub/b").read_text() == "in/sub/b"
    assert (tmp_path / "empty").is_dir()


def test_more_objects_than_one_page_has_are_all_found(
    s3: "S3Client", bucket: str, tmp_path: Path
) -> None:
    for number in range(1001):
        s3.put_object(Bucket=bucket, Key=f"in/{number}", Body=b"")
    assert Objects(s3).download(f"s3://{bucket}/in", tmp_path) == 1001


def test_a_key_cannot_lead_out_of_its_folder(s3: "S3Client", bucket: str, tmp_path: Path) -> None:
    s3.put_object(Bucket=bucket, Key="in/../../out", Body=b"")
    with pytest.raises(JobError, match="leads out of its input's folder"):
        Objects(s3).download(f"s3://{bucket}/in/", tmp_path / "a" / "b")


def test_a_folder_becomes_objects_without_its_links(
    s3: "S3Client", bucket: str, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "sub/a")
    (tmp_path / "folder").symlink_to(tmp_path / "sub")
    Objects(s3).upload_folder(tmp_path, f"s3://{bucket}/out/")
    assert keys(s3, bucket) == ["out/sub/a"]


def test_a_bucket_that_is_not_there_is_said(s3: "S3Client", tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(JobError, match="ClientError: cannot upload to s3://no-such-bucket/a"):
        Objects(s3).upload(tmp_path / "a", "s3://no-such-bucket/a")


def test_objects_exist_where_a_key_starts_with_the_uri(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="in/a", Body=b"")
    uris = [f"s3://{bucket}", f"s3://{bucket}/i", f"s3://{bucket}/b", "s3://no-such-bucket/in"]
    assert [Objects(s3).exist(uri) for uri in uris] == [True, True, False, False]


@pytest.mark.parametrize(
    "uri",
    ["bucket/key", "https://bucket/key", "s3://", "s3:///key", "s3://no bucket/key", "s3://ü/key"],
)
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(JobError, match="is no S3 URI; it would be s3://bucket/key"):
        split(uri)


def test_split_and_join_are_each_others_inverse() -> None:
    assert split("s3://bucket") == ("bucket", "")
    assert split(join("s3://bucket/a/", "b")) == ("bucket", "a/b")


def test_files_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).touch()
    assert [file.name for file in files(tmp_path)] == ["a", "b", "c"]
