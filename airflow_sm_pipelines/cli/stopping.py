"""Stopping what a run has started on AWS, found by the run's own mark in the jobs' names.

Asked of AWS and not of Airflow: at any moment of a run this finds every job of it that is in
progress, also one that was created a moment ago and is not written down anywhere yet.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from botocore.client import BaseClient

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job

LONGEST_SECONDS = 30.0
LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJobs:
    """The jobs of one run: those since `since` that have `execution_id` in their name."""

    client: BaseClient
    kinds: tuple[Job, ...]
    execution_id: str
    since: datetime

    def stop(self, *, settled: Callable[[], bool]) -> list[str]:
        """Stop them until there are none and none can be added; their names.

        `settled` tells that nothing more will be started.
        """
        stopped: list[str] = []
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            last = settled()
            found = [each for each in self._in_progress() if each.identifier not in stopped]
            for resource in found:
                aws.stop(self.client, resource)
                stopped.append(resource.identifier)
            if last and not found:
                break
            time.sleep(LOOK_SECONDS)
        return stopped

    def _in_progress(self) -> Iterator[aws.Resource]:
        for job in self.kinds:
            for told_apart in self._told_apart(job):
                yield from self._listed(job, told_apart)

    def _listed(self, job: Job, told_apart: dict[str, str]) -> Iterator[aws.Resource]:
        operation = f"List{job.noun}s"
        # CreationTimeAfter bounds the pages: the other two are applied after paging.
        request: dict[str, Json] = {
            "CreationTimeAfter": self.since.isoformat(),
            "NameContains": self.execution_id,
            "StatusEquals": "InProgress",
            **told_apart,
        }
        for page in aws.pages(self.client, operation, request):
            for row in page[f"{job.noun}Summaries"]:
                yield aws.Resource(job, str(row[job.describe_name]), told_apart=told_apart)

    def _told_apart(self, job: Job) -> Iterator[dict[str, str]]:
        """What the jobs of a kind have to be asked for by: each category has a list of its own."""
        shape = self.client.meta.service_model.operation_model(f"List{job.noun}s").input_shape
        members = shape.members if shape else {}
        enums = [members[name].enum for name in job.told_apart]  # type: ignore[attr-defined]
        for values in product(*enums):
            yield dict(zip(job.told_apart, values, strict=True))


def stoppable(jobs: Iterable[Job | None]) -> tuple[Job, ...]:
    """The kinds of SageMaker's jobs that can be stopped, each once."""
    return tuple({job.noun: job for job in jobs if job and job.stops and job.listing}.values())
