"""Stopping what a run has on EMR and EMR Serverless, found by the run's mark in its name.

Where a step runs is told by its Arguments, which may be expressions: all clusters and applications
of the account that are at work are looked through.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import aws, stops
from airflow_sm_pipelines.definition.resources import EMR_STEP, JOB_RUN, Job

if TYPE_CHECKING:
    from botocore.client import BaseClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What one run has there: what is at work, since `since`, with `execution_id` in its name."""

    clients: "Callable[[str], BaseClient]"
    """By the name of a service."""
    kinds: tuple[Job, ...]
    execution_id: str
    since: datetime

    def stop(self) -> list[str]:
        """Stop it all; the names."""
        stopped = []
        for job in self.kinds:
            client = self.clients(job.service)
            for name, resource in FINDERS[job.service](self, client):
                stops.stop(client, resource)
                stopped.append(name)
        return stopped

    def is_of_run(self, name: Any) -> bool:
        """Whether a name has the run's mark."""
        return self.execution_id in str(name).split("-")


def elsewhere(jobs: Iterable[Job | None]) -> tuple[Job, ...]:
    """The kinds of work that are on other services than SageMaker, each once."""
    return tuple({job.noun: job for job in jobs if job and job.service in FINDERS}.values())


def _steps(run: Elsewhere, client: Any) -> Iterator[tuple[str, aws.Resource]]:
    clusters = client.get_paginator("list_clusters").paginate(ClusterStates=AT_WORK)
    for cluster in (row for page in clusters for row in page["Clusters"]):
        steps = client.get_paginator("list_steps").paginate(
            ClusterId=cluster["Id"], StepStates=["PENDING", "RUNNING"]
        )
        for step in (row for page in steps for row in page["Steps"]):
            if run.is_of_run(step["Name"]):
                where = {"ClusterId": cluster["Id"]}
                yield step["Name"], aws.Resource(EMR_STEP, step["Id"], told_apart=where)


def _job_runs(run: Elsewhere, client: Any) -> Iterator[tuple[str, aws.Resource]]:
    for page in client.get_paginator("list_applications").paginate():
        for application in page["applications"]:
            where = {"applicationId": application["id"]}
            pages = client.get_paginator("list_job_runs").paginate(
                **where, createdAtAfter=run.since
            )
            for row in (each for found in pages for each in found["jobRuns"]):
                final = row["state"] in JOB_RUN.succeeded | JOB_RUN.failed
                if run.is_of_run(row.get("name")) and not final:
                    yield row["name"], aws.Resource(JOB_RUN, row["id"], told_apart=where)


AT_WORK = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]

FINDERS: dict[str, Callable[[Elsewhere, Any], Iterator[tuple[str, aws.Resource]]]] = {
    "emr": _steps,
    "emr-serverless": _job_runs,
}
"""What finds the work of a run, by service."""
