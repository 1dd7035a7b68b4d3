"""Whether a step that judges its job may adopt an earlier one: what that job has found.

The job of a check is Completed whatever it has found, so that of a step that has failed is too. Two
things tell: the message with which the container has exited, which Describe has, and the report,
which a later job may have overwritten, since the reports of all runs often have the same place.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_sm_pipelines import baselines, objects
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import ExpressionError
from airflow_sm_pipelines.scope import RunScope

if TYPE_CHECKING:
    from botocore.client import BaseClient

Clients = Callable[[str], "BaseClient"]
"""A client for the name of a service."""


def objection(clients: Clients, step: Step, scope: RunScope, described: dict[str, Json]) -> str:
    """Why a job that has completed cannot stand for the step's; "" where it can."""
    if not STEP_TYPES[step.type].judges:
        return ""
    check = baselines.check_of(step, scope)
    if check.skip or not check.fails:
        return ""
    message = str(described.get("ExitMessage") or "")
    if message.startswith(VIOLATED):
        return f"it would fail the step: {message}"
    passed = message.startswith(PASSED)
    return _objection_of_report(clients("s3"), step, described, passed=passed)


def _objection_of_report(
    s3: "BaseClient", step: Step, described: dict[str, Json], *, passed: bool
) -> str:
    """What speaks against a job by its report, where its message does not."""
    uri = baselines.report_uri(described)
    report = objects.get(s3, uri)
    written = datetime.fromisoformat(report["LastModified"]) if report else None  # whole seconds
    if step.type in SILENT and (written is None or written < _began(described)):
        return ""
    if report is None or written is None:
        return "" if passed else f"what it has found is not known: no {uri}"
    if not _began(described) <= written <= _ended(described):
        return f"what it has found is not known: {uri} is another job's, written at {written}"
    try:
        found = baselines.listed(report["Body"], uri)
    except ExpressionError as error:
        return f"what it has found is not known: {error}"
    return f"it would fail the step: {len(found)} violations in {uri}" if found else ""


def _began(described: Mapping[str, Json]) -> datetime:
    """When the job was created, less what S3 leaves out of a time."""
    return datetime.fromisoformat(str(described["CreationTime"])) - timedelta(seconds=1)


def _ended(described: Mapping[str, Json]) -> datetime:
    """When the job became Completed, its reports written; nothing changes it after that."""
    told = (described.get(key) for key in ("LastModifiedTime", "ProcessingEndTime", "CreationTime"))
    return datetime.fromisoformat(str(next(filter(None, told))))


# The contract of Model Monitor's containers for /opt/ml/output/message, which becomes ExitMessage.
VIOLATED = "CompletedWithViolations"
PASSED = "Completed:"

SILENT = frozenset({"ClarifyCheck"})
"""Types of steps whose container writes no report where it finds nothing (decisions/checks.md)."""
