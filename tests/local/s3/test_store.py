import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.local.errors import AwsError, LocalError
from airflow_sm_pipelines.local.s3.index import Details
from airflow_sm_pipelines.local.s3.store import Store

from .puts import keys, put, read

TOLD = Details(etag="e", headers={"content-type": "text/csv"}, metadata={"a": "b"}, tags={"t": "1"})
# Keys that no file can have, or not all of them at once.
ODD = [
    "../out",
    "../../../../tmp/out",
    "/absolute",
    "a",
    "a/",
    "a/b",
    "a/b/c",
    "a//b",
    "a/./b",
    "a/../b",
    ".",
    "..",
    "nul\0byte",
    "x" * 1024,
    "deep/" + "y" * 1000,
    "ü +%41?&",
    "A",
    "%2e",
    ".store/index.sqlite",
    "line\nbreak",
]


def test_an_object_is_a_file_named_by_its_key(store: Store, folder: Path) -> None:
    put(store, "data/train.csv", b"1,2")
    assert (folder / "data/train.csv").read_bytes() == b"1,2"


def test_every_key_is_kept_and_listed_by_its_name(store: Store) -> None:
    for key in ODD:
        put(store, key, key.encode())
    assert keys(store) == sorted(ODD)
    assert {key: read(store, key) for key in ODD} == {key: key.encode() for key in ODD}


def test_every_key_is_there_after_a_restart(store: Store, tmp_path: Path) -> None:
    for key in ODD:
        put(store, key, key.encode(), TOLD)
    store.close()
    again = Store(tmp_path / "s3")
    assert keys(again) == sorted(ODD)
    assert {again.get("bucket", key).details.headers["content-type"] for key in ODD} == {"text/csv"}
    again.close()


def test_no_key_leads_out_of_the_folders_of_the_store(store: Store, tmp_path: Path) -> None:
    for key in ODD:
        put(store, key)
    assert {each.name for each in tmp_path.iterdir()} == {"s3"}
    assert {each.name for each in (tmp_path / "s3").iterdir()} == {"bucket", ".store"}


NAMES = st.text(st.sampled_from("ab/.A-"), min_size=1, max_size=6)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(NAMES, unique=True), st.text("ab/.", max_size=2), st.text("ab/.A-", max_size=4))
def test_any_keys_in_any_order_are_kept_apart(
    store: Store, names: list[str], prefix: str, after: str
) -> None:
    for name in names:
        put(store, name, name.encode())
    assert keys(store) == sorted(names)
    expected = sorted(name for name in names if name.startswith(prefix) and name > after)
    assert keys(store, prefix, after) == expected
    for name in names:
        assert read(store, name) == name.encode()
        assert store.delete("bucket", name)
    assert keys(store) == []


def test_keys_that_differ_in_case_only_are_kept_apart_on_any_file_system(tmp_path: Path) -> None:
    store = Store(tmp_path / "s3", case_counts=False)
    store.create_bucket("bucket")
    for key in ("readme", "README"):
        put(store, key, key.encode())
    paths = [found.path.lower() for found in store.walk("bucket")]
    assert len(set(paths)) == 2
    store.close()


def test_a_file_that_somebody_puts_there_is_an_object(store: Store, folder: Path) -> None:
    (folder / "by").mkdir()
    (folder / "by/hand.txt").write_text("hello")
    assert keys(store) == ["by/hand.txt"]
    stored = store.get("bucket", "by/hand.txt")
    assert (stored.size, stored.details.etag[-2:]) == (5, "-1")


def test_what_was_told_of_a_file_does_not_hold_for_another(store: Store, folder: Path) -> None:
    put(store, "a", b"one", TOLD)
    assert store.get("bucket", "a").details == TOLD
    (folder / "a").write_bytes(b"other")
    changed = store.get("bucket", "a").details
    assert changed.etag != "e"
    assert changed.headers == {}


def test_a_folder_that_somebody_makes_is_a_bucket(store: Store, folder: Path) -> None:
    folder.with_name("made-by-hand").mkdir()
    assert [bucket.name for bucket in store.buckets()] == ["bucket", "made-by-hand"]


def test_links_are_not_followed(store: Store, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    (folder / "link").symlink_to(outside)
    (folder / "file").symlink_to(outside / "secret")
    assert keys(store) == []
    put(store, "link/a", b"mine")
    put(store, "file", b"mine too")
    assert (read(store, "link/a"), read(store, "file")) == (b"mine", b"mine too")
    assert [each.name for each in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "x"


def test_folders_that_become_empty_go_with_their_last_object(store: Store, folder: Path) -> None:
    put(store, "a/b/c")
    store.delete("bucket", "a/b/c")
    assert list(folder.iterdir()) == []
    assert folder.is_dir()


def test_who_reads_an_object_reads_on_while_it_is_replaced(store: Store) -> None:
    put(store, "a", b"old")
    content, _ = store.open("bucket", "a")
    put(store, "a", b"new")
    with content:
        assert content.read() == b"old"
    assert read(store, "a") == b"new"


def test_a_bucket_with_something_in_it_is_not_deleted(store: Store, folder: Path) -> None:
    put(store, "a/", b"")
    with pytest.raises(AwsError, match="BucketNotEmpty"):
        store.delete_bucket("bucket")
    store.delete("bucket", "a/")
    (folder / "link").symlink_to(folder)
    with pytest.raises(AwsError, match="BucketNotEmpty"):
        store.delete_bucket("bucket")
    (folder / "link").unlink()
    (folder / "empty").mkdir()
    store.delete_bucket("bucket")
    assert not folder.exists()


def test_a_key_may_have_1024_bytes(store: Store) -> None:
    put(store, "ü" * 512)
    with pytest.raises(AwsError, match="KeyTooLongError"):
        put(store, "x" * 1025)
    assert store.find("bucket", "x" * 5000) is None


def test_what_was_being_written_is_gone_after_a_restart(store: Store, tmp_path: Path) -> None:
    store.close()
    with store.incoming() as file:
        file.write_bytes(b"half")
        Store(tmp_path / "s3", case_counts=True).close()
        assert not file.exists()


def test_an_index_that_is_in_use_is_not_taken_for_damaged(store: Store, tmp_path: Path) -> None:
    put(store, "a", b"", TOLD)
    with pytest.raises(LocalError, match="belongs to one local AWS at a time"):
        Store(tmp_path / "s3")
    assert store.get("bucket", "a").details == TOLD


@pytest.mark.parametrize("damage", [b"no database", b""])
def test_a_damaged_index_is_put_aside_and_the_objects_stay(
    store: Store, tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, "a", b"content", TOLD)
    store.close()
    index = tmp_path / "s3/.store/index.sqlite"
    index.write_bytes(damage)
    again = Store(tmp_path / "s3")
    assert read(again, "a") == b"content"
    put(again, "b", b"", TOLD)
    assert again.get("bucket", "b").details == TOLD
    again.close()
    kept = [each.name for each in index.parent.glob("*.unread-*")]
    assert len(kept) == bool(damage)
    assert ("types, metadata and tags of objects are lost" in caplog.text) == bool(damage)


def test_an_index_of_another_version_is_put_aside(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(store, "a", b"content", TOLD)
    store.close()
    with closing(sqlite3.connect(tmp_path / "s3/.store/index.sqlite")) as index:
        index.execute("PRAGMA user_version = 99")
    again = Store(tmp_path / "s3")
    assert read(again, "a") == b"content"
    again.close()
    assert "version 99; this local AWS reads 1" in caplog.text


def test_a_name_that_is_no_text_is_no_key(store: Store, folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))).write_text("")
    assert keys(store) == []
