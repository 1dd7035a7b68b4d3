from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.objects import Objects, files, join, relative, split
from airflow_sm_pipelines.local.s3.store import Store

from .s3.puts import keys, put, read


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "s3")
    made.create_bucket("bucket")
    yield made
    made.close()


@pytest.fixture
def objects(store: Store) -> Objects:
    return Objects(store)


@pytest.fixture
def job(tmp_path: Path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    return folder


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


def test_a_prefix_becomes_a_folder(store: Store, objects: Objects, job: Path) -> None:
    for key in ("in/", "in/a", "in/empty/", "in/sub/b"):
        put(store, key, key.encode())
    assert objects.download("s3://bucket/in/", job) == 2
    assert (job / "sub/b").read_text() == "in/sub/b"
    assert (job / "empty").is_dir()


def test_more_objects_than_one_page_has_are_all_found(
    store: Store, objects: Objects, job: Path
) -> None:
    for number in range(1001):
        put(store, f"in/{number}")
    assert objects.download("s3://bucket/in", job) == 1001


def test_a_key_cannot_lead_out_of_its_folder(store: Store, objects: Objects, job: Path) -> None:
    put(store, "in/../../out")
    with pytest.raises(JobError, match="leads out of its input's folder"):
        objects.download("s3://bucket/in/", job / "a" / "b")


def test_a_folder_becomes_objects_without_its_links(
    store: Store, objects: Objects, job: Path
) -> None:
    (job / "sub").mkdir()
    (job / "sub/a").write_text("a")
    (job / "link").symlink_to(job / "sub/a")
    (job / "folder").symlink_to(job / "sub")
    objects.upload_folder(job, "s3://bucket/out/")
    assert keys(store) == ["out/sub/a"]


def test_what_a_job_does_to_its_files_does_nothing_to_the_objects(
    store: Store, objects: Objects, job: Path
) -> None:
    put(store, "in/a", b"object")
    objects.download("s3://bucket/in/", job)
    objects.upload(job / "a", "s3://bucket/out/a")
    with (job / "a").open("r+b") as file:
        file.write(b"changed")
    assert [read(store, key) for key in ("in/a", "out/a")] == [b"object", b"object"]


def test_a_bucket_that_is_not_there_is_said(objects: Objects, job: Path) -> None:
    (job / "a").touch()
    with pytest.raises(JobError) as refused:
        objects.upload(job / "a", "s3://no-such-bucket/a")
    assert str(refused.value) == (
        "ClientError: cannot upload to s3://no-such-bucket/a: An error occurred (NoSuchBucket) "
        "when calling the PutObject operation: The specified bucket does not exist"
    )


def test_objects_exist_where_a_key_starts_with_the_uri(store: Store, objects: Objects) -> None:
    put(store, "in/a")
    uris = ["s3://bucket", "s3://bucket/i", "s3://bucket/b", "s3://no-such-bucket/in"]
    assert [objects.exist(uri) for uri in uris] == [True, True, False, False]


@pytest.mark.parametrize(
    "uri",
    ["bucket/key", "https://bucket/key", "s3://", "s3:///key", "s3://no bucket/key", "s3://ü/key"],
)
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(JobError, match="is no S3 URI; it would be s3://bucket/key"):
        split(uri)


@pytest.mark.parametrize(
    "address",
    [
        "https://models-1.s3.amazonaws.com/a/model.tar.gz",
        "https://models-1.s3-us-east-1.amazonaws.com/a/model.tar.gz",
        "https://models-1.s3.eu-west-1.amazonaws.com/a/model.tar.gz",
        "https://s3.amazonaws.com/models-1/a/model.tar.gz",
        "https://s3.cn-north-1.amazonaws.com.cn/models-1/a/model.tar.gz",
    ],
)
def test_the_address_of_an_object_at_aws_is_its_uri(address: str) -> None:
    assert split(address) == ("models-1", "a/model.tar.gz")


def test_split_and_join_are_each_others_inverse() -> None:
    assert split("s3://bucket") == ("bucket", "")
    assert split(join("s3://bucket/a/", "b")) == ("bucket", "a/b")


def test_files_are_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / name).touch()
    assert [file.name for file in files(tmp_path)] == ["a", "b", "c"]
