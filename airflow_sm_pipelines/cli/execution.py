"""One run of a DAG in this process, with everything that happens told to a Progress."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import hits, naming, settings
from airflow_sm_pipelines.cli import outcome, service_models
from airflow_sm_pipelines.cli.progress import Progress

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_sm_pipelines.definition.node import Json

Context = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Execution:
    """A run of `dag`; its tasks are followed by their callbacks, which `dag.test` calls here.

    `hold` is called before each task starts and after each has ended; it may keep the run there.
    """

    dag: "DAG"
    progress: Progress
    hold: Callable[[], None]
    started: datetime | None = None
    """When the run starts, which makes its id; now without it."""
    execution_id: str = field(default="", init=False)
    """The run's mark in the names of its jobs; "" until the first task starts."""
    failures: dict[str, list[str]] = field(default_factory=dict, init=False)
    """Task -> why it failed, one line each; the tasks that failed first come first."""
    responses: dict[str, Context] = field(default_factory=dict, init=False)
    """Task -> what it has handed on: of a job what Describe says of it."""
    errors: dict[str, BaseException] = field(default_factory=dict, init=False)
    """Task -> what it failed with, as far as Airflow tells."""
    hits: dict[str, Context] = field(default_factory=dict, init=False)
    """Task -> the earlier job that it has adopted: the XCom `CacheHit`."""

    def run(self, values: Mapping[str, "Json"]) -> str:
        """Run the DAG with these parameter values; the state of the run at its end."""
        service_models.share()
        for task in self.dag.tasks:
            task.on_execute_callback = [self._started]
            task.on_success_callback = [self._succeeded]
            task.on_skipped_callback = [self._skipped]
            task.on_retry_callback = [self._retried]
            task.on_failure_callback = [self._failed]
        started = self.started or datetime.now(UTC)
        run = self.dag.test(run_conf=dict(values), run_after=started, logical_date=started)
        for instance in run.get_task_instances():
            self._end(instance.task_id, str(instance.state or "waiting"))
        state = str(run.state)
        if state != "success" and not self.failures:
            self.failures[self.dag.dag_id] = [f"the run is {state}; Airflow's log says why"]
        return state

    def _started(self, context: Context) -> None:
        self.hold()
        task_instance = context["ti"]
        self.execution_id = naming.execution_id(
            deployment=settings.deployment(),
            dag_id=task_instance.dag_id,
            run_id=task_instance.run_id,
        )
        if (name := context["ti"].task_id) in self.progress.steps:
            self.progress.start(name)

    def _succeeded(self, context: Context) -> None:
        self.hold()
        task_instance = context["ti"]
        name = task_instance.task_id
        response = task_instance.xcom_pull(task_ids=name)
        if not isinstance(response, dict):
            response = {}
        if (decision := task_instance.xcom_pull(task_ids=name, key="Outcome")) is not None:
            response = {"Outcome": decision}
        self.responses[name] = response
        if hits.sensor_id(name) in self.dag.task_dict:
            self.hits[name] = task_instance.xcom_pull(task_ids=name, key=hits.HIT) or {}
        self._end(
            name,
            "success",
            job_name=outcome.job_name(response),
            produced=outcome.produced(response),
        )

    def _skipped(self, context: Context) -> None:
        self.hold()
        self._end(context["ti"].task_id, "skipped")

    def _retried(self, context: Context) -> None:
        self.hold()
        if (name := context["ti"].task_id) in self.progress.steps:
            self.progress.retry(name, outcome.failure_lines(name, context.get("exception"))[0])

    def _failed(self, context: Context) -> None:
        self.hold()
        name = context["ti"].task_id
        error = context.get("exception")
        self.failures[name] = outcome.failure_lines(name, error)
        if error is not None:
            self.errors[name] = error
        failed = outcome.job_failure(error)
        self._end(name, "failed", job_name=failed.job_name if failed else "")

    def _end(self, name: str, state: str, **details: Any) -> None:
        if name in self.progress.steps:
            self.progress.end(name, state, **details)
