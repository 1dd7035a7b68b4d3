import json
import re
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.cli.checking.document import document
from airflow_sm_pipelines.cli.checking.inspection import KINDS, Inspection
from tests.cli.checking.cases import CACHED, UNKNOWN_TYPE, inspected

ABSENT = Inspection(where="absent.json", unreadable=("absent.json: no such file; name another",))


def written(*, report: bool = True) -> dict[str, Any]:
    made = document([inspected(CACHED), inspected(UNKNOWN_TYPE), ABSENT], report=report)
    again: dict[str, Any] = json.loads(json.dumps(made))
    assert again == made
    return again


def test_the_document_has_a_version_and_counts() -> None:
    made = written()
    assert made["version"] == 1
    assert made["summary"] == {"files": 3, "problems": 1, "warnings": 1, "unreadable": 1}


def test_a_file_has_its_problems_and_warnings_with_path_message_and_kind() -> None:
    cached, unknown, absent = written()["files"]
    (warning,) = cached["warnings"]
    assert (warning["path"], warning["kind"]) == ("$.Steps[0].CacheConfig", "caution")
    assert "ExpireAfter is missing" in warning["message"]
    (problem,) = unknown["problems"]
    assert (problem["path"], problem["kind"]) == ("$.Steps[0].Type", "form")
    assert (cached["pipeline"], cached["problems"], cached["unreadable"]) == ("p", [], None)
    assert absent == {
        "file": "absent.json",
        "pipeline": None,
        "unreadable": "absent.json: no such file; name another",
        "problems": [],
        "warnings": [],
        "report": None,
    }


def test_the_report_has_every_feature_and_is_null_where_the_form_is_wrong() -> None:
    cached, unknown, _ = written()["files"]
    (entry,) = (each for each in cached["report"] if each["feature"] == "CacheConfig")
    assert entry == {
        "feature": "CacheConfig",
        "level": "equivalent",
        "reason": entry["reason"],
        "docs": "docs/semantics.md#cacheconfig",
        "paths": ["$.Steps[0].CacheConfig"],
    }
    assert unknown["report"] is None


def test_without_a_report_the_member_is_not_there() -> None:
    assert all("report" not in file for file in written(report=False)["files"])


def test_the_page_names_every_member_and_every_kind() -> None:
    page = (Path(__file__).parents[3] / "docs" / "check.md").read_text(encoding="utf-8")
    named = set(re.findall("`([a-z-]+)`", page))
    assert set(KINDS) <= named
    assert members(written()) <= named


def members(value: Any) -> set[str]:
    """Every key in a JSON value."""
    match value:
        case dict():
            return set(value).union(*(members(member) for member in value.values()))
        case list():
            return set().union(*map(members, value))
    return set()
