"""What a cache sensor hands its step: an earlier job that the step adopts as its own."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, finishing
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.caching import is_cached
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import AccessDeniedError, JobLostError
from airflow_sm_pipelines.features import StateStore, clear_number, state_store

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An earlier job, and the run that created it as far as its tags tell: the XCom `CacheHit`."""

    job_name: str
    job_arn: str
    created: str
    dag_id: str = ""
    run_id: str = ""
    looked_at: str = ""
    """What tells two looks of the sensor apart."""
    clear_number: int = 0
    """How often tasks of this run had been cleared when the job was found."""

    def __str__(self) -> str:
        run = f"run {self.run_id} of DAG {self.dag_id}" if self.run_id else "a run that is unknown"
        return f"{self.job_name}, created at {self.created} by {run}"


def sensor_id(step: str) -> str:
    """The task id of a step's sensor; no step has it, since step names have no dot."""
    return f"{step}.cache"


def adopt(
    step: Step, context: Any, clients: "Callable[[str], BaseClient]", *, retries: int
) -> dict[str, Json] | None:
    """What the step hands on where its sensor has found a job; None where it needs its own.

    `retries` are those of the step's task.
    """
    if not is_cached(step) or not (hit := _hit(step, context, retries=retries)):
        return None
    job = step.job
    assert job is not None, "a cached step creates a job"
    try:
        described = aws.describe(clients("sagemaker"), aws.Resource(job, hit.job_name))
        handed_on = finishing.properties(clients, job, described)
    except FAULTS as error:
        log.warning("%s was found, but cannot be adopted: %s", hit.job_name, error)
        return None
    log.info("%s %s is adopted; nothing is created", job.noun, hit)
    context["ti"].xcom_push(key=HIT, value=asdict(hit))
    return handed_on


def _hit(step: Step, context: Any, *, retries: int) -> Hit | None:
    """What the step's sensor has found, unless a user has cleared the step and not the sensor."""
    found = context["ti"].xcom_pull(task_ids=sensor_id(step.name), key=HIT)
    if not found:
        return None
    hit, store = Hit(**found), state_store(context)
    if _is_cleared_since(hit, context, store, retries=retries):
        log.info("the step was cleared, its sensor was not: %s is not adopted", hit.job_name)
        return None
    if store is not None:
        store.set(USED, {"looked_at": hit.looked_at, "max_tries": context["ti"].max_tries})
    return hit


def _is_cleared_since(hit: Hit, context: Any, store: StateStore | None, *, retries: int) -> bool:
    """Whether the step was cleared after its sensor had looked.

    The step's `max_tries` grows when it is cleared, and stays when it is tried again. Where no
    record has it, because there is none any more or never was, it is above the task's retries; and
    a sensor that was cleared too knows the run's present number.
    """
    max_tries = context["ti"].max_tries
    used = (store.get(USED) if store is not None else None) or {}
    if used.get("looked_at") == hit.looked_at:
        return bool(used["max_tries"] != max_tries)
    return max_tries > retries and clear_number(context) > hit.clear_number


HIT = "CacheHit"
"""The XCom key of a Hit."""
USED = "cache"
"""The key under which a step keeps which look it has adopted the job of, and its `max_tries`."""

FAULTS = (AccessDeniedError, JobLostError, ClientError, BotoCoreError)
"""What AWS may answer a look at the cache; then the step runs as if there were none."""
