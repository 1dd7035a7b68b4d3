from typing import Any

import pytest

from airflow_sm_pipelines import validation
from airflow_sm_pipelines.cli.checking.inspection import KINDS, Inspection, inspect
from airflow_sm_pipelines.cli.errors import CommandError
from airflow_sm_pipelines.errors import Problem
from airflow_sm_pipelines.sources import Source
from airflow_sm_pipelines.validation import Findings
from tests.cli.checking.cases import CACHED, GOOD, TOO_LONG, TWICE, UNKNOWN_TYPE, inspected


def kinds(inspection: Inspection) -> list[str]:
    return [finding.kind for finding in inspection.findings]


def test_a_right_definition_has_no_findings_and_a_report() -> None:
    inspection = inspected(GOOD)
    assert inspection.findings == ()
    assert inspection.name == "p"
    assert "Type=Training" in {entry.feature for entry in inspection.entries or ()}


@pytest.mark.parametrize(
    ("definition", "kind", "where"),
    [
        ("{", "text", "$"),
        (UNKNOWN_TYPE, "form", "$.Steps[0].Type"),
        (TWICE, "graph", "$.Steps[1].Name"),
        (TOO_LONG, "value", "$.Steps[0].Arguments.RoleArn"),
        (CACHED, "caution", "$.Steps[0].CacheConfig"),
    ],
)
def test_a_finding_is_of_its_kind_and_has_its_place(definition: str, kind: str, where: str) -> None:
    inspection = inspected(definition)
    assert (kind, where) in [(each.kind, each.problem.where) for each in inspection.findings]


def test_what_is_doubtful_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    doubt = Problem("$.Steps[0].Arguments", "odd; be sure")
    monkeypatch.setattr(validation, "validate", lambda _: Findings(warnings=(doubt,)))
    inspection = inspected(GOOD)
    assert (kinds(inspection), inspection.warnings, inspection.problems) == (
        ["doubtful-value"],
        [doubt],
        [],
    )


def test_a_definition_that_is_not_read_whole_still_gets_every_problem() -> None:
    wrong = UNKNOWN_TYPE.replace('"Version": "2020-12-01"', '"Version": "1999"')
    both = TOO_LONG.replace('"Steps": [', f'"Steps": [{UNKNOWN_TYPE.partition("[")[2][:-4]},')
    assert kinds(inspected(wrong)) == ["form", "form"]
    assert kinds(inspected(both)) == ["form", "value"]


def test_a_definition_with_problems_of_form_has_no_report() -> None:
    assert inspected(UNKNOWN_TYPE).entries is None
    assert inspected(TOO_LONG).entries is not None


def test_what_cannot_be_read_says_why() -> None:
    def find(_: str) -> Source:
        raise CommandError("absent.json: No such file; name another")

    inspection = inspect("absent.json", find)
    assert inspection.unreadable == ("absent.json: No such file; name another",)
    assert inspection.where == "absent.json"


def test_a_fault_in_one_definition_is_told_and_does_not_rise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def validate(_: Any) -> Findings:
        raise KeyError("x")

    monkeypatch.setattr(validation, "validate", validate)
    (told,) = inspected(GOOD).unreadable
    assert told == "folder/definition.json: cannot be checked, KeyError: 'x'; report this"


def test_bytes_that_are_no_text_are_a_problem() -> None:
    assert kinds(inspected(b"\xff\xfe\x00")) == ["text"]
    assert kinds(inspected(b"")) == ["text"]


def test_every_kind_is_a_problem_or_a_warning() -> None:
    warnings = {name for name, kind in KINDS.items() if not kind.problem}
    assert warnings == {"doubtful-value", "caution"}
