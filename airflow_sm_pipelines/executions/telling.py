"""What a run tells of its steps: a line of JSON for each change, in the local AWS's words."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any, Self

from airflow_sm_pipelines import naming
from airflow_sm_pipelines.cli import outcome
from airflow_sm_pipelines.cli.progress import StepProgress
from airflow_sm_pipelines.executions.runner import DEPLOYMENT

if TYPE_CHECKING:
    from airflow_sm_pipelines.cli.execution import Execution


@dataclass(slots=True)
class Teller:
    """A view of a run that writes what it sees; `execution` is set before the run starts."""

    stream: IO[str]
    execution: "Execution | None" = None
    _retries: Counter[str] = field(default_factory=Counter)

    def phase(self, text: str) -> None: ...

    def watch(self, steps: Iterable[StepProgress]) -> None: ...

    def changed(self, step: StepProgress, note: str = "") -> None:
        status = STATUSES.get(step.state)
        if step.state == "retrying":
            self._retries[step.name] += 1
        if status is not None:
            self.tell(
                Step=step.name,
                Status=status,
                Time=datetime.now(UTC).isoformat(),
                Attempt=self._retries[step.name],
                **self._known(step),
            )

    def tell(self, **event: Any) -> None:
        """Write an event."""
        self.stream.write(json.dumps(event, default=str) + "\n")
        self.stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def _known(self, step: StepProgress) -> Mapping[str, Any]:
        """What a step has handed on, or why it has failed."""
        assert self.execution is not None, "it is set before the run starts"
        response = self.execution.responses.get(step.name, {})
        error = self.execution.errors.get(step.name) if step.state == "failed" else None
        failed = outcome.job_failure(error)
        known = {
            "Response": response,
            "Reason": failed.reason if failed else str(error or ""),
            "Source": _source(self.execution.hits.get(step.name) or {}),
        }
        return {key: value for key, value in known.items() if value}


def _source(hit: Mapping[str, Any]) -> str:
    """The id of the execution that has created an adopted job; "" where it was no execution."""
    if not hit.get("run_id"):
        return ""
    origin = {"dag_id": hit["dag_id"], "run_id": hit["run_id"]}
    found = naming.execution_id(deployment=DEPLOYMENT, **origin)
    return found if found in hit["job_name"].split("-") else ""


STATUSES = {
    "running": "Executing",
    "retrying": "Executing",
    "success": "Succeeded",
    "failed": "Failed",
}
"""Airflow's states; a step in another one has not started, and is not listed."""
