import re

import pytest
from rich.text import Text

from airflow_sm_pipelines.cli.checking import plain
from airflow_sm_pipelines.cli.checking.inspection import Inspection
from airflow_sm_pipelines.fidelity import LEVELS
from tests.cli.checking.cases import CACHED, GOOD, UNKNOWN_TYPE, inspected, text, training

FILE = "folder/definition.json"


def printed(inspection: Inspection, report: bool | None = None) -> list[str]:
    return [line.plain for line in plain.lines(inspection, report=report)]


def test_a_problem_is_one_line_of_file_path_and_message() -> None:
    (line,) = printed(inspected(UNKNOWN_TYPE))
    assert line.startswith(f"{FILE}: $.Steps[0].Type: unknown step type 'Trainign'; ")


def test_a_warning_is_the_same_and_says_so_at_its_end() -> None:
    line = printed(inspected(CACHED), report=False)[0]
    assert re.fullmatch(rf"{FILE}: \$\.Steps\[0\]\.CacheConfig: .*; .* \[warning\]", line)


def test_problems_go_before_warnings() -> None:
    no_arn = {"Arguments": {**training()["Arguments"], "RoleArn": "no arn"}}
    policy = {"CacheConfig": {"Enabled": True}}
    lines = printed(inspected(text(training(**policy, **no_arn))), report=False)
    assert [line.endswith("[warning]") for line in lines] == [False, True]


def test_the_report_is_counted_and_only_what_is_to_be_noted_is_shown() -> None:
    _, counts, *rows = printed(inspected(CACHED))
    assert re.fullmatch(rf"{FILE}: \d+ features: \d+ same, \d+ equivalent, 1 different", counts)
    (row,) = rows
    assert row.split()[:2] == ["different", "MlflowConfig"]
    assert row.endswith("  $.MlflowConfig  docs/semantics.md#mlflow")


def test_the_whole_report_has_a_row_for_every_feature_in_columns() -> None:
    inspection = inspected(CACHED)
    rows = [line for line in printed(inspection, report=True) if line.startswith("  ")]
    assert len(rows) == len(inspection.entries or ())
    levels = [row.split()[0] for row in rows]
    assert levels == sorted(levels, key=lambda level: [*LEVELS].index(level))  # type: ignore[arg-type]
    entries = {entry.feature: entry for entry in inspection.entries or ()}
    starts = {row.index(entries["Type=Training"].row.reason) for row in rows if "Type=" in row}
    assert starts == {
        row.index(entries["CacheConfig"].row.reason) for row in rows if "Cache" in row
    }


def test_further_places_are_counted() -> None:
    rows = printed(inspected(text(*(training(Name=name) for name in "ABC"))), report=True)
    (row,) = (row for row in rows if "Type=Training" in row)
    assert "  $.Steps[0] and 2 more  " in row


def test_without_a_report_nothing_of_it_is_printed() -> None:
    assert printed(inspected(GOOD), report=False) == []


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "a\u2028b"])
def test_nothing_in_a_definition_ends_a_line_or_moves_the_cursor(name: str) -> None:
    lines = printed(inspected(text(training(**{name: 1})), where=f"{name}.json"))
    assert lines
    assert all(re.search(r"[\x00-\x1f\u2028]", line) is None for line in lines)


@pytest.mark.parametrize(
    ("inspections", "told"),
    [
        ([inspected(GOOD)], "1 checked, no problems"),
        ([inspected(CACHED)] * 2, "2 checked, no problems, 2 warnings"),
        (
            [inspected(UNKNOWN_TYPE), Inspection(where="x", unreadable=("x: no",))],
            "2 checked, 1 problem, 1 not readable",
        ),
    ],
)
def test_the_total_counts_what_there_is(inspections: list[Inspection], told: str) -> None:
    assert plain.total(inspections) == told


def test_what_cannot_be_read_is_told_as_it_is() -> None:
    (line,) = plain.lines(Inspection(where="x", unreadable=("x: no; do",)), report=None)
    assert isinstance(line, Text)
    assert line.plain == "x: no; do"
