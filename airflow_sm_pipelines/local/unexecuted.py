"""Kinds of job that the local AWS answers for, but does not execute.

Without a script such a job ends as Failed, and its FailureReason says why. To execute one, give it
a module of its own with its `run`.
"""

from functools import partial

from airflow_sm_pipelines.local import listing, transitions
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError, invalid
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind

_REASON = (
    "ClientError: a {noun} is not executed by the local AWS; set a script for it "
    "(PUT /_local/scripts, or scripts.add of LocalAWS) or run it on AWS"
)


def unexecuted() -> tuple[JobKind, ...]:
    """The kinds of job that only their scripts make anything of."""
    return (_tuning(), _auto_ml(), _job())


def _tuning() -> JobKind:
    noun = "HyperParameterTuningJob"
    return JobKind(
        noun=noun,
        slug="hyper-parameter-tuning-job",
        unknown="Amazon SageMaker can't find a tuning job with the name {name}.",
        unknown_code="ResourceNotFound",
        check=_check_tuning,
        opened=_tuning_opened,
        stopping=lambda fields: {"HyperParameterTuningJobStatus": "Stopping"},
        ended=partial(_ended, noun, "HyperParameterTuningEndTime"),
        run=_refuse,
        deletes=True,
        reads={_TRAINING_JOBS: _training_jobs},
    )


def _auto_ml() -> JobKind:
    noun = "AutoMLJob"
    return JobKind(
        noun=noun,
        slug="automl-job",
        unknown="Could not find AutoML job with name {name}.",
        unknown_code="ResourceNotFound",
        check=lambda request: None,
        opened=lambda request: {"AutoMLJobSecondaryStatus": "Starting"},
        stopping=lambda fields: {
            "AutoMLJobStatus": "Stopping",
            "AutoMLJobSecondaryStatus": "Stopping",
        },
        ended=lambda fields, ending: {
            "AutoMLJobSecondaryStatus": ending.status,
            **_ended(noun, "EndTime", fields, ending),
        },
        run=_refuse,
    )


def _job() -> JobKind:
    noun = "Job"
    return JobKind(
        noun=noun,
        slug="job",
        unknown="Could not find job with name {name}.",
        unknown_code="ResourceNotFound",
        # Its ARN is job/<category>/<name>, so names are taken to be unique within a category.
        scope="JobCategory",
        check=lambda request: None,
        opened=lambda request: _moved({}, "Starting"),
        started=lambda fields: _moved(fields, "Executing"),
        stopping=lambda fields: {"JobStatus": "Stopping", **_moved(fields, "Stopping")},
        ended=lambda fields, ending: {
            **_moved(fields, ending.status, message=ending.reason, final=True),
            **_ended(noun, "EndTime", fields, ending),
        },
        run=_refuse,
        deletes=True,
    )


def _refuse(job: Job) -> Ending:
    raise JobError(_REASON.format(noun=job.kind.noun))


def _ended(noun: str, end: str, fields: Fields, ending: Ending) -> Fields:
    """What every description gains at the end; `end` is the member that holds its time."""
    reason = {"FailureReason": ending.reason} if ending.reason else {}
    return {f"{noun}Status": ending.status, end: now(), **reason, **ending.fields}


def _moved(fields: Fields, secondary: str, *, message: str = "", final: bool = False) -> Fields:
    """The fields of a Job after a transition; its summary has another name for the status."""
    moved = transitions.moved(fields, secondary, message=message or secondary, final=final)
    return {**moved, "JobSecondaryStatus": secondary}


def _check_tuning(request: Fields) -> None:
    """Refuse a job that does not say, or says twice, what it tunes; the wording is inferred."""
    given = [key for key in _DEFINITIONS if request.get(key)]
    if len(given) != 1:
        raise invalid(f"Exactly one of {' and '.join(_DEFINITIONS)} must be provided.")


def _tuning_opened(request: Fields) -> Fields:
    config = request["HyperParameterTuningJobConfig"]
    return {
        **{member: dict.fromkeys(counters, 0) for member, counters in _COUNTERS.items()},
        # Members of a summary that a description has inside its configuration.
        "Strategy": config["Strategy"],
        "ResourceLimits": config["ResourceLimits"],
    }


def _training_jobs(fields: Fields, request: Fields) -> Fields:
    return listing.page(_TRAINING_JOBS, request, fields.get("TrainingJobSummaries") or ())


_TRAINING_JOBS = "ListTrainingJobsForHyperParameterTuningJob"

_DEFINITIONS = ("TrainingJobDefinition", "TrainingJobDefinitions")

_COUNTERS = {
    "TrainingJobStatusCounters": (
        "Completed",
        "InProgress",
        "RetryableError",
        "NonRetryableError",
        "Stopped",
    ),
    "ObjectiveStatusCounters": ("Succeeded", "Pending", "Failed"),
}
