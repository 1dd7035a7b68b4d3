"""Stopping what a run has started on AWS, found by the run's own mark in the jobs' names.

Asked of AWS and not of Airflow: at any moment of a run this finds every job of it that is in
progress, also one that was created a moment ago and is not written down anywhere yet.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from botocore import xform_name
from botocore.client import BaseClient

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.definition.steps import Job

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
            found = [(job, name) for job, name in self._in_progress() if name not in stopped]
            for job, name in found:
                aws.stop(self.client, job, name)
                stopped.append(name)
            if last and not found:
                break
            time.sleep(LOOK_SECONDS)
        return stopped

    def _in_progress(self) -> Iterator[tuple[Job, str]]:
        for job in self.kinds:
            # CreationTimeAfter bounds the pages: the other two are applied after paging.
            pages = self.client.get_paginator(xform_name(f"List{job.noun}s")).paginate(
                CreationTimeAfter=self.since,
                NameContains=self.execution_id,
                StatusEquals="InProgress",
            )
            for page in pages:
                yield from (
                    (job, str(row[job.create_name])) for row in page[f"{job.noun}Summaries"]
                )


def stoppable(jobs: Iterable[Job | None]) -> tuple[Job, ...]:
    """The kinds of job that can be stopped, each once."""
    return tuple({job.noun: job for job in jobs if job and job.stops}.values())
