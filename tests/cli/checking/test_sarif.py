"""The structure that the SARIF 2.1.0 standard requires and that code scanning reads."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.cli.checking.inspection import KINDS, Inspection
from airflow_sm_pipelines.cli.checking.sarif import address, log
from tests.cli.checking.cases import CACHED, UNKNOWN_TYPE, inspected

ABSENT = Inspection(where="absent.json", unreadable=("absent.json: no such file; name another",))
FOLDER = Path("/checkout")


def run(*inspections: Inspection, report: bool = False) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(
        json.dumps(log(inspections, report=report, folder=FOLDER), allow_nan=False)
    )
    assert (made["version"], list(made)) == ("2.1.0", ["$schema", "version", "runs"])
    only: dict[str, Any]
    (only,) = made["runs"]
    return only


def test_every_result_is_of_a_rule_at_a_place_of_a_relative_file() -> None:
    made = run(inspected(UNKNOWN_TYPE), inspected(CACHED))
    problem, warning = made["results"]
    assert (problem["ruleId"], problem["level"]) == ("definition/form", "error")
    assert (warning["ruleId"], warning["level"]) == ("definition/caution", "warning")
    assert problem["message"]["text"].startswith("unknown step type 'Trainign'; ")
    (location,) = problem["locations"]
    assert location["physicalLocation"]["artifactLocation"] == {"uri": "folder/definition.json"}
    line = UNKNOWN_TYPE.splitlines().index('      "Type": "Trainign",') + 1
    assert location["physicalLocation"]["region"] == {
        "startLine": line,
        "startColumn": 15,
        "endLine": line,
        "endColumn": 25,
    }
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "$.Steps[0].Type"


@pytest.mark.parametrize("report", [False, True])
def test_rules_are_described_and_results_index_them(report: bool) -> None:
    made = run(inspected(UNKNOWN_TYPE), inspected(CACHED), report=report)
    rules = made["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        texts = [rule[key]["text"] for key in ("shortDescription", "fullDescription", "help")]
        assert all(texts)
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
    assert made["results"]
    for result in made["results"]:
        rule = rules[result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        assert rule["defaultConfiguration"]["level"] == result["level"]


def test_every_kind_of_finding_is_a_rule() -> None:
    rules = {rule["id"]: rule for rule in run()["tool"]["driver"]["rules"]}
    assert rules.keys() == {f"definition/{kind}" for kind in KINDS}
    levels = {kind: rules[f"definition/{kind}"]["defaultConfiguration"]["level"] for kind in KINDS}
    assert levels == {name: "error" if kind.problem else "warning" for name, kind in KINDS.items()}


def test_with_a_report_what_is_different_is_a_note_at_each_place() -> None:
    notes = [r for r in run(inspected(CACHED), report=True)["results"] if r["level"] == "note"]
    told = {note["ruleId"]: note["locations"][0]["logicalLocations"][0] for note in notes}
    assert told.keys() == {"fidelity/mlflow"}
    assert told["fidelity/mlflow"]["fullyQualifiedName"] == "$.MlflowConfig"


def test_the_same_finding_has_the_same_fingerprint_on_another_line() -> None:
    (here,) = run(inspected(UNKNOWN_TYPE))["results"]
    (there,) = run(inspected(f"\n\n{UNKNOWN_TYPE}"))["results"]
    region = [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in (here, there)]
    assert region[1] == region[0] + 2
    assert here["partialFingerprints"] == there["partialFingerprints"]
    assert re.fullmatch("[0-9a-f]{32}", here["partialFingerprints"]["primaryLocationLineHash"])


def test_what_cannot_be_read_is_a_notification_and_no_success() -> None:
    (invocation,) = run(ABSENT)["invocations"]
    assert invocation["executionSuccessful"] is False
    (notification,) = invocation["toolExecutionNotifications"]
    assert notification["message"]["text"] == "absent.json: no such file; name another"
    assert run(inspected(CACHED))["invocations"][0]["executionSuccessful"] is True


@pytest.mark.parametrize(
    ("where", "uri"),
    [
        ("a/b.json", "a/b.json"),
        ("./a/../b.json", "b.json"),
        ("/checkout/a.json", "a.json"),
        ("/elsewhere/a.json", "file:///elsewhere/a.json"),
        ("a b/ü#.json", "a%20b/%C3%BC%23.json"),
        ("s3://bucket/a.json", "s3://bucket/a.json"),
        ("pipeline:Name", "pipeline:Name"),
    ],
)
def test_the_address_of_a_file_is_relative_with_slashes(where: str, uri: str) -> None:
    assert address(where, FOLDER) == uri
