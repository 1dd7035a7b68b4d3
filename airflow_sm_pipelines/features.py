"""What the running Airflow can do; features are looked for, versions are not compared.

Names that have only moved between versions come from Airflow's own `providers.common.compat.sdk`.
"""

from typing import Any, Protocol

from airflow.sdk.exceptions import AirflowRuntimeError

from airflow_sm_pipelines.definition.node import Json

try:
    from airflow.sdk.exceptions import TaskDeferralTimeout
except ImportError:  # before 3.2; the one name that `compat` does not have
    from airflow.exceptions import TaskDeferralTimeout  # type: ignore[no-redef]

try:
    from airflow.sdk import RetryDecision
    from airflow.sdk import RetryPolicy as AirflowRetryPolicy

    HAS_RETRY_POLICIES = True
except ImportError:  # before 3.3: operators decide for themselves
    RetryDecision = None  # type: ignore[assignment, misc]
    AirflowRetryPolicy = object  # type: ignore[assignment, misc]
    HAS_RETRY_POLICIES = False

__all__ = [
    "HAS_RETRY_POLICIES",
    "AirflowRetryPolicy",
    "AirflowRuntimeError",
    "RetryDecision",
    "StateStore",
    "TaskDeferralTimeout",
    "clear_number",
    "state_store",
]


class StateStore(Protocol):
    """Facts of a task instance that outlive a try."""

    def get(self, key: str) -> Any:
        """The value that was stored, or None."""

    def set(self, key: str, value: Json) -> None:
        """Store a JSON value."""


def clear_number(context: Any) -> int:
    """How often tasks of the run have been cleared, as far as Airflow tells."""
    return getattr(context["dag_run"], "clear_number", None) or 0


def state_store(context: Any) -> StateStore | None:
    """The task state store of Airflow 3.3; None where Airflow has none."""
    store: StateStore | None = context.get("task_state_store")
    return store
