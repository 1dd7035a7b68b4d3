"""Airflow's timeouts that these tests shorten, so that it notices within seconds what has died.

With `KEEP_DEFAULTS=1` nothing is shortened: a run then waits up to five minutes for each task whose
process was killed.
"""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeout:
    """One option of Airflow: what it is by default, what it is here, and what it decides."""

    section: str
    option: str
    default: float
    shortened: float
    decides: str

    @property
    def variable(self) -> str:
        return f"AIRFLOW__{self.section.upper()}__{self.option.upper()}"


def timeouts() -> dict[str, str]:
    """The variables that shorten Airflow's timeouts; none with `KEEP_DEFAULTS=1`."""
    if os.environ.get("KEEP_DEFAULTS") == "1":
        return {}
    return {each.variable: f"{each.shortened:g}" for each in TIMEOUTS}


def page() -> str:
    """The table as Markdown."""
    rows = [
        f"| `[{each.section}] {each.option}` | {each.default:g} | {each.shortened:g} "
        f"| {each.decides} |"
        for each in TIMEOUTS
    ]
    return "\n".join(
        ["| option | default, s | here, s | what it decides |", "|---|---|---|---|", *rows]
    )


TIMEOUTS = (
    Timeout(
        "scheduler",
        "task_instance_heartbeat_timeout",
        300,
        20,
        "when a task is dead that has sent no heartbeat",
    ),
    Timeout(
        "scheduler",
        "task_instance_heartbeat_timeout_detection_interval",
        10,
        5,
        "how often the scheduler looks for those",
    ),
    Timeout(
        "scheduler",
        "scheduler_health_check_threshold",
        30,
        15,
        "when a scheduler is dead, and its tasks are another's to start again",
    ),
    Timeout(
        "scheduler",
        "orphaned_tasks_check_interval",
        300,
        10,
        "how often a scheduler looks for tasks of dead ones",
    ),
    Timeout(
        "scheduler", "scheduler_heartbeat_sec", 5, 2, "how often a scheduler says that it lives"
    ),
    Timeout("scheduler", "job_heartbeat_sec", 5, 2, "the same of other jobs, as the DAG processor"),
    Timeout("scheduler", "trigger_timeout_check_interval", 15, 5, "when a wait is seen as expired"),
    Timeout("triggerer", "job_heartbeat_sec", 5, 2, "how often a triggerer says that it lives"),
    Timeout(
        "triggerer",
        "triggerer_health_check_threshold",
        30,
        10,
        "when a triggerer is dead, and its triggers are another's",
    ),
    Timeout("workers", "min_heartbeat_interval", 5, 3, "how often a task says that it lives"),
    Timeout("dag_processor", "health_check_threshold", 30, 15, "when a DAG processor is dead"),
)
