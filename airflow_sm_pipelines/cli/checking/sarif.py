"""Findings as SARIF 2.1.0, for code scanning and editors.

The members are those that the standard requires and that GitHub's code scanning reads.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from airflow_sm_pipelines import __version__
from airflow_sm_pipelines.cli.checking.inspection import KINDS, Inspection
from airflow_sm_pipelines.cli.checking.places import Places, Region
from airflow_sm_pipelines.cli.checking.plain import NOTEWORTHY
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import Problem
from airflow_sm_pipelines.fidelity import ROWS, Row


def log(inspections: Iterable[Inspection], *, report: bool, folder: Path) -> dict[str, Json]:
    """A SARIF log with one run; addresses of files below `folder` are relative to it.

    With `report`, what the fidelity report calls different or unsupported are notes.
    """
    each = tuple(inspections)
    rules = _rules(report=report)
    index = {str(rule["id"]): number for number, rule in enumerate(rules)}
    unreadable: list[Json] = [_notification(one, folder) for one in each if one.unreadable]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "airflow-sm",
                        "semanticVersion": __version__,
                        "rules": list(rules),
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not unreadable,
                        "toolExecutionNotifications": unreadable,
                    }
                ],
                "results": [
                    result for one in each for result in _results(one, index, folder, report)
                ],
            }
        ],
    }


def _rules(*, report: bool) -> list[dict[str, Json]]:
    rules = [
        _rule(
            f"definition/{name}",
            level="error" if kind.problem else "warning",
            short=kind.short,
            long=kind.long,
        )
        for name, kind in KINDS.items()
    ]
    if report:
        rules += [
            _rule(_row_id(row), level="note", short=f"{row.title}: {row.level}", long=row.text)
            for row in ROWS
            if row.level in NOTEWORTHY
        ]
    return rules


def _rule(name: str, *, level: str, short: str, long: str) -> dict[str, Json]:
    return {
        "id": name,
        "shortDescription": {"text": short},
        "fullDescription": {"text": long},
        "help": {"text": long},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["sagemaker", "airflow"]},
    }


def _results(
    inspection: Inspection, index: dict[str, int], folder: Path, report: bool
) -> Iterator[dict[str, Json]]:
    told = list(_told(inspection, report=report))
    if not told:
        return
    places = Places(inspection.text)
    uri = address(inspection.where, folder)
    for rule, level, problem in told:
        yield {
            "ruleId": rule,
            "ruleIndex": index[rule],
            "level": level,
            "message": {"text": problem.message},
            "locations": [_location(uri, problem, places.at(problem.where, problem.message))],
            "partialFingerprints": {"primaryLocationLineHash": _fingerprint(rule, problem)},
        }


def _told(inspection: Inspection, *, report: bool) -> Iterator[tuple[str, str, Problem]]:
    """Rule, level and problem of each result."""
    for finding in inspection.findings:
        level = "error" if KINDS[finding.kind].problem else "warning"
        yield f"definition/{finding.kind}", level, finding.problem
    for entry in inspection.entries or () if report else ():
        if entry.row.level in NOTEWORTHY:
            for place in entry.places:
                yield _row_id(entry.row), "note", Problem(place, entry.row.reason)


def _location(uri: str, problem: Problem, region: Region) -> dict[str, Json]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {
                "startLine": region.line,
                "startColumn": region.column,
                "endLine": region.end_line,
                "endColumn": region.end_column,
            },
        },
        "logicalLocations": [{"fullyQualifiedName": problem.where, "kind": "member"}],
    }


def _notification(inspection: Inspection, folder: Path) -> dict[str, Json]:
    return {
        "level": "error",
        "message": {"text": "\n".join(inspection.unreadable)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": address(inspection.where, folder)}}}
        ],
    }


def address(where: str, folder: Path) -> str:
    """The URI of a definition: relative to `folder` where it is a file below, with slashes."""
    if "://" in where or where.startswith("pipeline:"):
        return where
    path = (folder / where).resolve()
    try:
        return quote(path.relative_to(folder.resolve()).as_posix())
    except ValueError:
        return path.as_uri()


def _fingerprint(rule: str, problem: Problem) -> str:
    """The same for the same finding, on whatever line it stands."""
    return hashlib.sha256(f"{rule}\n{problem}".encode()).hexdigest()[:32]


def _row_id(row: Row) -> str:
    return f"fidelity/{row.anchor}"


SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
