"""What this server knows of a step that has not ended: its job, the answer to its callback."""

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.local.callbacks import Callbacks
from airflow_sm_pipelines.local.executions.execution import Execution
from airflow_sm_pipelines.local.executions.metadata import of_job
from airflow_sm_pipelines.local.job import JobKind
from airflow_sm_pipelines.local.jobs import Jobs

Fields = Mapping[str, Any]


class Findings:
    """Looks a step of an execution up among the jobs and the callbacks."""

    def __init__(self, jobs: Jobs, callbacks: Callbacks, *, kinds: Iterable[JobKind]) -> None:
        self._jobs = jobs
        self._callbacks = callbacks
        self._kinds = {kind.noun: kind for kind in kinds}

    def __call__(self, execution: Execution, step: Fields) -> Fields:
        """The members that a step of ListPipelineExecutionSteps gains by what is found."""
        known = execution.pipeline.step(step["StepName"])
        if known.type == "Callback":
            return self._callback(execution, step)
        found = of_job(known.type, self._job_arn(execution, known, step))
        return {"Metadata": found} if found else {}

    def _job_arn(self, execution: Execution, known: Step, step: Fields) -> str:
        """The latest job of the step's kind that has the execution in its name; "" for none."""
        kind = self._kinds.get(known.job.noun) if known.job else None
        if kind is None:
            return ""
        found = [
            (job["CreationTime"], job[f"{kind.noun}Arn"])
            for job in self._jobs.descriptions(kind)
            if execution.id in job[kind.name_key].split("-")
            and job["CreationTime"] >= step["StartTime"]
        ]
        return str(max(found)[1]) if found else ""

    def _callback(self, execution: Execution, step: Fields) -> Fields:
        """What its queue was told, and what was answered.

        The message does not name its step: it is the one that started when the message came.
        """
        heard = [
            each
            for each in self._callbacks.of(execution.arn)
            if each["StartTime"] >= step["StartTime"]
        ]
        kept = ("StepStatus", "EndTime", "FailureReason", "Metadata")
        return {key: heard[0][key] for key in kept if key in heard[0]} if heard else {}
