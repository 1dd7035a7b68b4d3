"""How the steps of a run have ended, for steps that wait for more than success.

`DependsOn: [{"Step": ..., "Trigger": "Failed"}]` lets a step run on another's failure, which then
does not fail the run: SageMaker calls that CompletedWithFailures. Airflow knows neither, so such a
step waits until all before it are done and looks for itself, and so does the end of its run.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.sdk import BaseOperator, TaskInstanceState

from airflow_sm_pipelines.definition import Pipeline, Step
from airflow_sm_pipelines.definition.graph import upstream
from airflow_sm_pipelines.hits import sensor_id

Endings = Mapping[str, str]
"""Step name -> `Completed`, `Failed` or `Stopped`; a step that has not started has none."""

STATUS = "FinalStatus"
"""The XCom key under which a failed step leaves the status of its job."""


def is_gated(step: Step) -> bool:
    """Whether the step waits for another ending than success."""
    return any(dependency.trigger != COMPLETED for dependency in step.depends_on)


def is_gated_pipeline(pipeline: Pipeline) -> bool:
    """Whether a step may run on the failure of another, and so take it from the run."""
    return any(is_gated(step) for step in pipeline.walk())


def unmet(pipeline: Pipeline, step: Step, endings: Endings) -> list[str]:
    """In words, what keeps a step from running now that all before it are done."""
    triggers = [(dependency.step, dependency.trigger) for dependency in step.depends_on]
    named = {name for name, _ in triggers}
    others = sorted(upstream(pipeline)[step.name] - named)
    return [
        f"step {name!r} {_told(endings.get(name))}; {step.name!r} waits for {trigger}"
        for name, trigger in [*triggers, *((name, COMPLETED) for name in others)]
        if endings.get(name) not in TRIGGERS[trigger]
    ]


def untaken(pipeline: Pipeline, endings: Endings) -> list[str]:
    """The steps that have not completed and on whose ending no other step has run."""
    taken = {
        dependency.step
        for step in pipeline.walk()
        if step.name in endings
        for dependency in step.depends_on
        if dependency.trigger != COMPLETED
    }
    return sorted(
        name for name, ending in endings.items() if ending != COMPLETED and name not in taken
    )


def read(context: Any, pipeline: Pipeline) -> dict[str, str]:
    """How the steps of this run have ended so far."""
    ti = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, run_ids=[ti.run_id]).get(ti.run_id, {})
    endings: dict[str, str] = {}
    for step in pipeline.walk():
        ending = ENDINGS.get(states.get(step.name))
        if states.get(sensor_id(step.name)) == TaskInstanceState.FAILED:
            ending = FAILED  # its processes died; Airflow does not start the step then
        if ending == FAILED and ti.xcom_pull(task_ids=step.name, key=STATUS) == STOPPED:
            ending = STOPPED
        if ending:
            endings[step.name] = ending
    return endings


def ended_by_user(ti: Any) -> bool:
    """Whether a task that still runs here is in a state that only a user can have brought it to.

    Any other is no user's decision: still running, or waiting for the retry of a try that Airflow
    holds for dead, which will attach to the job.
    """
    states = ti.get_task_states(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
    return states.get(ti.run_id, {}).get(ti.task_id) in ENDED


class EndOperator(BaseOperator):
    """Fails the run for each failed step on whose failure no other step has run."""

    shallow_copy_attrs: Sequence[str] = ("pipeline",)

    def __init__(self, *, pipeline: Pipeline, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline

    def execute(self, context: Any) -> None:
        """Look how every step has ended; no retry mends it."""
        if failed := untaken(self.pipeline, read(context, self.pipeline)):
            raise AirflowFailException(
                f"failed, and no step has run on that: {', '.join(failed)}; see their tasks"
            )


def _told(ending: str | None) -> str:
    return f"is {ending}" if ending else "has not started"


COMPLETED = "Completed"
FAILED = "Failed"
STOPPED = "Stopped"

ENDINGS: dict[str | None, str] = {"success": COMPLETED, "failed": FAILED}
"""States of a task that has started and is done; what was skipped has not started."""

ENDED = frozenset(
    {
        TaskInstanceState.FAILED,
        TaskInstanceState.REMOVED,
        TaskInstanceState.RESTARTING,  # cleared while it was running
        TaskInstanceState.SKIPPED,
        TaskInstanceState.SUCCESS,
    }
)
"""States of a task that a user has marked or cleared while it was running."""

TRIGGERS: dict[str, frozenset[str]] = {
    "Completed": frozenset({COMPLETED}),
    "Failed": frozenset({FAILED}),
    "Stopped": frozenset({STOPPED}),
    "Any": frozenset({COMPLETED, FAILED, STOPPED}),
}
"""The endings of another step that a Trigger waits for."""
