"""The search itself, with training jobs that a test ends: how it starts, waits and stops."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.errors import AwsError, invalid
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.tags import Tags
from airflow_sm_pipelines.local.tuning.definition import definitions
from airflow_sm_pipelines.local.tuning.strategies import Settings, made
from airflow_sm_pipelines.local.tuning.tuner import Trainer, Tuner
from tests.local.calls import until

from .conftest import config, continuous, definition, limits

Train = Callable[[Job], Ending]


def trained(run: Train, refuse: Callable[[Fields], None] = lambda request: None) -> JobKind:
    """A kind of training job that does what a test says."""
    return JobKind(
        noun="TrainingJob",
        slug="training-job",
        unknown="Requested resource not found.",
        check=refuse,
        opened=lambda request: {},
        stopping=lambda fields: {"TrainingJobStatus": "Stopping"},
        ended=lambda fields, ending: {"TrainingJobStatus": ending.status, **ending.fields},
        run=run,
    )


def searching(tuner: Callable[[Job], Tuner]) -> JobKind:
    return JobKind(
        noun="HyperParameterTuningJob",
        slug="hyper-parameter-tuning-job",
        unknown="{name}",
        check=lambda request: None,
        opened=lambda request: {},
        stopping=lambda fields: {"HyperParameterTuningJobStatus": "Stopping"},
        ended=lambda fields, ending: {
            "HyperParameterTuningJobStatus": ending.status,
            "FailureReason": ending.reason,
        },
        run=lambda job: tuner(job).run(),
        waits=True,
    )


def evaluated(job: Job) -> Ending:
    x = float(job.request["HyperParameters"]["x"])
    metric = {"MetricName": "loss", "Value": (x - 3) ** 2}
    return Ending(status="Completed", fields={"FinalMetricDataList": [metric]})


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    engine = Jobs(Account("us-east-1"), tmp_path / "jobs", workers=1, grace_seconds=1)
    yield engine
    engine.close(grace_seconds=1)


class Late(Trainer):
    """Tells of a training job only when it has ended."""

    def start(self, request: Fields, tags: Any) -> Job:
        job = Trainer.start(self, request, tags)
        until(lambda: job.final, bool)
        return job


def search(jobs: Jobs, kind: JobKind, *, trainers: type[Trainer] = Trainer, **changes: Any) -> Job:
    """Start a tuning job on the engine of a test."""
    request = {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": config(**changes),
        "TrainingJobDefinition": definition("bucket"),
    }

    def tuner(job: Job) -> Tuner:
        searches = [
            (each, made(changes.get("Strategy", "Random"), Settings(definition=each, seed=1)))
            for each in definitions(request)
        ]
        trainer = trainers(jobs=jobs, kind=kind, tags=Tags())
        return Tuner(job, searches, trainer=trainer)

    return jobs.create(searching(tuner), request)


def ended(job: Job) -> Fields:
    until(lambda: job.final, bool)
    return job.describe()


def test_one_worker_is_enough_for_searches_and_their_training_jobs(jobs: Jobs) -> None:
    job = search(jobs, trained(evaluated), ResourceLimits=limits(8, parallel=4))
    assert ended(job)["HyperParameterTuningJobStatus"] == "Completed"
    assert job.describe()["TrainingJobStatusCounters"]["Completed"] == 8


def test_training_jobs_that_end_before_they_are_watched_are_seen(jobs: Jobs) -> None:
    job = search(jobs, trained(evaluated), trainers=Late)
    assert ended(job)["TrainingJobStatusCounters"]["Completed"] == 3


def test_training_jobs_that_wait_for_a_worker_never_start_when_the_search_is_stopped(
    jobs: Jobs,
) -> None:
    begun: list[str] = []

    def waits(job: Job) -> Ending:
        begun.append(job.name)
        until(lambda: job.stopped_by, bool)
        return Ending(status="Stopped")

    job = search(jobs, trained(waits), ResourceLimits=limits(9, parallel=3))
    until(lambda: len(begun), lambda number: number == 1)
    job.stop("Stopped")
    fields = ended(job)
    assert fields["HyperParameterTuningJobStatus"] == "Stopped"
    assert fields["TrainingJobStatusCounters"]["Stopped"] == 3
    assert len(begun) == 1


def test_a_search_ends_after_its_time_with_what_it_has_found(jobs: Jobs) -> None:
    def slow(job: Job) -> Ending:
        if job.name.startswith("tune-001"):
            return evaluated(job)
        until(lambda: job.stopped_by, bool)
        return Ending(status="Stopped")

    job = search(
        jobs,
        trained(slow),
        ResourceLimits=limits(None, parallel=1, MaxRuntimeInSeconds=1),
    )
    fields = ended(job)
    assert fields["HyperParameterTuningJobStatus"] == "Completed"
    assert fields["BestTrainingJob"]["TrainingJobName"].startswith("tune-001")
    assert "ended after MaxRuntimeInSeconds = 1" in job.log.read_text()
    assert fields["ConsumedResources"]["RuntimeInSeconds"] >= 1


def test_a_training_job_that_is_refused_fails_the_search(jobs: Jobs) -> None:
    def refuse(request: Fields) -> None:
        raise invalid("no such role")

    job = search(jobs, trained(evaluated, refuse))
    assert ended(job)["HyperParameterTuningJobStatus"] == "Failed"
    assert job.describe()["FailureReason"] == "no such role"


def test_an_error_of_the_service_counts_as_one_that_can_be_retried(jobs: Jobs) -> None:
    def fails(job: Job) -> Ending:
        number = int(job.name.split("-")[1])
        if number == 1:
            return evaluated(job)
        reason = "InternalServerError: again" if number == 2 else "AlgorithmError: no"
        return Ending(status="Failed", fields={"FailureReason": reason})

    job = search(jobs, trained(fails), ParameterRanges=continuous())
    counted = ended(job)["TrainingJobStatusCounters"]
    assert (counted["RetryableError"], counted["NonRetryableError"]) == (1, 1)


def test_a_search_cannot_start_when_the_server_is_being_stopped(jobs: Jobs) -> None:
    jobs.close(grace_seconds=1)
    with pytest.raises(AwsError, match="is being stopped"):
        search(jobs, trained(evaluated))


def test_a_server_that_is_being_stopped_stops_searches_too(jobs: Jobs) -> None:
    def waits(job: Job) -> Ending:
        until(lambda: job.stopped_by, bool)
        return Ending(status="Stopped")

    job = search(jobs, trained(waits))
    until(lambda: job.describe().get("TrainingJobSummaries"), bool)
    jobs.close(grace_seconds=1)
    assert job.final
