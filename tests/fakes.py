"""What Airflow gives a running task, as far as our operators use it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass
class FakeTaskInstance:
    task_id: str = "step"
    dag_id: str = "dag"
    run_id: str = "run"
    max_tries: int = 0
    try_number: int = 1
    map_index: int = -1
    state: str | None = "running"
    xcoms: dict[tuple[str, str], Any] = field(default_factory=dict)
    states: dict[str, Any] = field(default_factory=dict)
    """The states of the run's other tasks."""

    def xcom_pull(self, *, task_ids: str, key: str = "return_value") -> Any:
        return self.xcoms.get((task_ids, key))

    def xcom_push(self, *, key: str, value: Any) -> None:
        self.xcoms[self.task_id, key] = value

    def get_task_states(
        self, *, dag_id: str, run_ids: list[str], task_ids: list[str] | None = None
    ) -> Any:
        assert (dag_id, run_ids) == (self.dag_id, [self.run_id])
        if task_ids is None:
            return {self.run_id: self.states}
        assert task_ids == [self.task_id]
        return {self.run_id: {self.task_id: self.state}} if self.state else {}


class FakeStore(dict[str, Any]):
    def set(self, key: str, value: Any) -> None:
        self[key] = value


def context(
    *,
    dag: Any = None,
    params: dict[str, Any] | None = None,
    run_id: str = "run",
    store: FakeStore | None = None,
    clears: int = 0,
    **ti: Any,
) -> Any:
    """A context; what `ti` says is of the task instance."""
    return {
        "dag": dag or SimpleNamespace(dag_id="dag", task_dict={}),
        "dag_run": SimpleNamespace(run_after=STARTED, start_date=STARTED, clear_number=clears),
        "params": params or {},
        "run_id": run_id,
        "task_state_store": store,
        "ti": FakeTaskInstance(run_id=run_id, **ti),
    }


def training_job(status: str = "InProgress", **changes: Any) -> dict[str, Any]:
    """What Describe answers of a training job that was asked for no more than is required."""
    return {
        "TrainingJobName": "job",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bucket/models/job"},
        "TrainingJobStatus": status,
        "SecondaryStatus": "Training",
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"VolumeSizeInGB": 1},
        "StoppingCondition": {},
        "CreationTime": datetime.now(UTC),
        **changes,
    }


def until(holds: Callable[[], object], *, seconds: float = 60) -> None:
    """Return as soon as something is true; fail when that takes too long."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "that took too long"
        time.sleep(0.01)
