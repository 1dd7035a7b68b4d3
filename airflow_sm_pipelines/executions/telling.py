"""What a run tells of its steps: a line of JSON for each change, in the local AWS's words."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any, Protocol, Self

from airflow_sm_pipelines import naming
from airflow_sm_pipelines.cli import outcome
from airflow_sm_pipelines.cli.progress import StepProgress
from airflow_sm_pipelines.executions.runner import DEPLOYMENT


class Known(Protocol):
    """What is known of the steps of a run, by their names: a `cli.execution.Execution`."""

    @property
    def responses(self) -> Mapping[str, Mapping[str, Any]]:
        """What a step has handed on."""

    @property
    def errors(self) -> Mapping[str, BaseException]:
        """What a step has failed with."""

    @property
    def hits(self) -> Mapping[str, Mapping[str, Any]]:
        """The earlier job that a step has adopted."""


@dataclass(slots=True)
class Teller:
    """A view of a run that writes what it sees; `run` is set before the run starts."""

    stream: IO[str]
    run: Known | None = None
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
        assert self.run is not None, "it is set before the run starts"
        response = self.run.responses.get(step.name, {})
        error = self.run.errors.get(step.name) if step.state == "failed" else None
        failed = outcome.job_failure(error)
        known = {
            "Response": response,
            "Reason": failed.reason if failed else str(error or ""),
            "Source": _source(self.run.hits.get(step.name) or {}),
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
