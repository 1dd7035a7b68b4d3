"""Whether a step that judges its job may adopt an earlier one: what that job has found.

The job of a check is Completed whatever it has found, so that of a step that has failed is too. Two
things tell: the message with which the container has exited, which Describe has, and the report.
The outputs of all runs often have one place, so an object counts for the job alone that wrote it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

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
    made = baselines.properties(described, check, {}).get(CALCULATED)
    if not made:
        return "what it has found is not known: it has no output"
    return _objection_of_report(clients("s3"), described, str(made))


def _objection_of_report(s3: "BaseClient", described: dict[str, Json], made: str) -> str:
    """As `objection`, by what a job has written: the report, and `made`, which it writes always."""
    uri = baselines.report_uri(described)
    report = objects.get(s3, uri)
    # This is asked for last: a job that overwrites both meanwhile is seen.
    if not _is_of(described, objects.head(s3, made)):
        return f"what it has found is not known: {made} is not, or no longer, what it has written"
    if report is None or not _is_of(described, report):
        return ""  # nothing was found, or the report of an earlier job would be another
    try:
        found = baselines.listed(report["Body"], uri)
    except ExpressionError as error:
        return f"what it has found is not known: {error}"
    return f"it would fail the step: {len(found)} violations in {uri}" if found else ""


def _is_of(described: Mapping[str, Json], found: Mapping[str, Any] | None) -> bool:
    """Whether an object was written from the creation of a job until it was Completed.

    S3 tells whole seconds. Nothing changes a job after it has ended.
    """
    if found is None:
        return False
    told = (described.get(key) for key in ("LastModifiedTime", "ProcessingEndTime"))
    began, ended = str(described["CreationTime"]), str(next(filter(None, told)))
    written = datetime.fromisoformat(found["LastModified"])
    return (
        datetime.fromisoformat(began).replace(microsecond=0)
        <= written
        <= datetime.fromisoformat(ended)
    )


# The contract of Model Monitor's containers for /opt/ml/output/message, which becomes ExitMessage.
VIOLATED = "CompletedWithViolations"
CALCULATED = "CalculatedBaselineConstraints"
