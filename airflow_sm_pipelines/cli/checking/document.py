"""Findings as one JSON document; `docs/check.md` describes its members."""

from collections.abc import Iterable

from airflow_sm_pipelines.cli.checking.inspection import Finding, Inspection
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.fidelity import Entry


def document(inspections: Iterable[Inspection], *, report: bool) -> dict[str, Json]:
    """The document; without the fidelity reports where `report` is false."""
    each = tuple(inspections)
    return {
        "version": VERSION,
        "summary": {
            "files": len(each),
            "problems": sum(len(one.problems) for one in each),
            "warnings": sum(len(one.warnings) for one in each),
            "unreadable": sum(bool(one.unreadable) for one in each),
        },
        "files": [_file(one, report=report) for one in each],
    }


def _file(inspection: Inspection, *, report: bool) -> dict[str, Json]:
    problems, warnings = set(inspection.problems), set(inspection.warnings)
    found: dict[str, Json] = {
        "file": inspection.where,
        "pipeline": inspection.name,
        "unreadable": "\n".join(inspection.unreadable) or None,
        "problems": [_finding(f) for f in inspection.findings if f.problem in problems],
        "warnings": [_finding(f) for f in inspection.findings if f.problem in warnings],
    }
    if report:
        entries = inspection.entries
        found["report"] = None if entries is None else [_entry(each) for each in entries]
    return found


def _finding(finding: Finding) -> dict[str, Json]:
    problem = finding.problem
    return {"path": problem.where, "message": problem.message, "kind": finding.kind}


def _entry(entry: Entry) -> dict[str, Json]:
    return {
        "feature": entry.feature,
        "level": entry.row.level,
        "reason": entry.row.reason,
        "docs": entry.row.link,
        "paths": list(entry.places),
    }


VERSION = 1
