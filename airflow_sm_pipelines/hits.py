"""What a cache sensor hands its step: an earlier job that the step adopts as its own."""

import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.caching import is_cached
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.errors import AccessDeniedError, JobFailedError, JobLostError
from airflow_sm_pipelines.features import StateStore, clear_number, state_store

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An earlier job, and the run that created it as far as AWS tells: the XCom `CacheHit`."""

    job_name: str
    job_arn: str
    created: str
    identifier: str = ""
    """What AWS calls the job, where that is not its name."""
    told_apart: dict[str, str] = field(default_factory=dict)
    """What Describe is asked beside the name."""
    dag_id: str = ""
    run_id: str = ""
    execution_id: str = ""
    """That of the run that created it, as far as the name tells; for jobs that have no tags."""
    looked_at: str = ""
    """What tells two looks of the sensor apart."""
    clear_number: int = 0
    """How often tasks of this run had been cleared when the job was found."""

    def resource(self, job: Job) -> aws.Resource:
        """The job in AWS."""
        return aws.Resource(job, self.identifier or self.job_name, told_apart=self.told_apart)

    def __str__(self) -> str:
        name = f"{self.job_name} ({self.identifier})" if self.identifier else self.job_name
        return f"{name}, created at {self.created} by {self._run}"

    @property
    def _run(self) -> str:
        if self.run_id:
            return f"run {self.run_id} of DAG {self.dag_id}"
        if self.execution_id:
            return f"the run with the execution id {self.execution_id}"
        return "a run that is unknown"


def sensor_id(step: str) -> str:
    """The task id of a step's sensor; no step has it, since step names have no dot."""
    return f"{step}.cache"


class Task(Protocol):
    """The operator of a step, as far as it takes part in adopting a job."""

    step: Step
    connection: aws.Connection
    retries: int | None

    def handed_on(
        self, context: Any, client: "BaseClient", described: dict[str, Json]
    ) -> dict[str, Json]:
        """What the step hands on of a job; a JobFailedError where the step fails with it."""


def adopt(task: Task, context: Any) -> dict[str, Json] | None:
    """What the step hands on where its sensor has found a job; None where it needs its own."""
    step = task.step
    if not is_cached(step) or not (hit := _hit(step, context, retries=task.retries or 0)):
        return None
    job = step.job
    assert job is not None, "a cached step creates a job"
    try:
        client = task.connection.client(job.service)
        handed_on = task.handed_on(context, client, aws.describe(client, hit.resource(job)))
    except (*FAULTS, JobFailedError) as error:
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
