import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.errors import KeptError
from airflow_sm_pipelines.local.kept import Notes, Shelf

MOMENT = datetime(2026, 11, 22, 10, 30, 0, 123000, UTC)
VALUE: dict[str, Any] = {
    "Time": MOMENT,
    "Text": MOMENT.isoformat(),
    "Transitions": [{"At": MOMENT, "a/b~c": {"Time": MOMENT}}],
    "Numbers": [1, 2.5, None, True],
}


def test_times_come_back_as_times_and_texts_as_texts(tmp_path: Path) -> None:
    kept.write(tmp_path / "file.json", VALUE)
    assert kept.read(tmp_path / "file.json") == VALUE
    assert [each.name for each in tmp_path.iterdir()] == ["file.json"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it cannot be read"),
        ('{"Version": 1, "Times": [', "it cannot be read"),
        ("[" * 100_000, "it cannot be read"),
        ("[]", "Version is None; this local AWS reads 1"),
        ('{"Version": 2, "Times": []}', "Version is 2; this local AWS reads 1"),
        ('{"Kind": "of before"}', "Version is None"),
        ('{"Version": 1}', "Times does not fit"),
        ('{"Version": 1, "Times": ["/x"]}', "Times does not fit"),
        ('{"Version": 1, "Times": [5]}', "Times does not fit"),
        ('{"Version": 1, "Times": [""]}', "Times does not fit"),
        ('{"Version": 1, "a": "no time", "Times": ["/a"]}', "Times does not fit"),
    ],
)
def test_what_is_damaged_or_of_another_version_is_said(
    tmp_path: Path, content: str, problem: str
) -> None:
    file = tmp_path / "file.json"
    file.write_text(content)
    with pytest.raises(KeptError, match=problem):
        kept.read(file)


def test_what_is_no_utf8_is_said(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_bytes(b"\xff")
    with pytest.raises(KeptError, match="it cannot be read"):
        kept.read(tmp_path / "file.json")


@pytest.mark.parametrize("name", ["arn:aws:x/y", "../out", ".", "ü" * 100, "CASE"])
def test_a_shelf_keeps_values_by_any_name(tmp_path: Path, name: str) -> None:
    shelf = Shelf(tmp_path / "shelf")
    shelf.put(name, VALUE)
    assert list(shelf.all()) == [(name, VALUE)]
    shelf.remove(name)
    assert list(shelf.all()) == []
    assert [each.name for each in tmp_path.iterdir()] == ["shelf"]


def test_a_shelf_leaves_out_what_it_cannot_read_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("good", {"a": 1})
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "other.json").write_text(json.dumps({"Version": 1, "Times": [], "Name": 1}))
    assert list(shelf.all()) == [("good", {"a": 1})]
    assert "bad.json: left out: it cannot be read" in caplog.text
    assert "other.json: left out" in caplog.text
    assert (tmp_path / "bad.json").exists()


def test_notes_with_a_shelf_are_there_again(tmp_path: Path) -> None:
    Notes(Shelf(tmp_path)).put("a", {"b": 1})
    assert Notes(Shelf(tmp_path)).get("a") == {"b": 1}
    assert Notes().get("a") is None
