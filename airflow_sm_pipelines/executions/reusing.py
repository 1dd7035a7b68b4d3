"""What a run does of a pipeline of which a part has run before.

The tasks are those of the DAG; those of some steps hand on what the steps have handed on before, or
are skipped, instead of what they would do.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_sm_pipelines.hits import sensor_id

if TYPE_CHECKING:
    from airflow.sdk import DAG

Response = Mapping[str, Any]


def reuse(
    dag: "DAG", *, kept: Mapping[str, Response], skipped: Iterable[str] = (), times: int = 0
) -> None:
    """Let steps hand on what is `kept` of them, and skip others; `times` is how often it was tried.

    Each time its jobs have other names: the epoch in these is the number of a task's tries.
    """
    for name, response in kept.items():
        _replace(dag, name, partial(_hand_on, response))
    for name in skipped:
        _replace(dag, name, _skip)
    for task in dag.tasks:
        task.retries = (task.retries or 0) + times


def _replace(dag: "DAG", step: str, execute: Callable[[Any], Any]) -> None:
    """Put another function in the place of what the task of a step does."""
    tasks: dict[str, Any] = dag.task_dict
    if sensor_id(step) in tasks:  # it has nothing to look for
        tasks[sensor_id(step)].execute = _nothing
    tasks[step].execute = execute


def _hand_on(response: Response, context: Any) -> dict[str, Any]:
    return dict(response)


def _skip(context: Any) -> NoReturn:
    raise AirflowSkipException("the step is not among those that were selected")


def _nothing(context: Any) -> None: ...
