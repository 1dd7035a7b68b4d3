"""Kinds of job that the local AWS answers for, but does not execute.

Without a script such a job ends as Failed, and its FailureReason says why. To execute one, give it
a module of its own with its `run`.
"""

from airflow_sm_pipelines.local import transitions
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.job import Ending, Fields, Job, JobKind

_REASON = (
    "ClientError: a {noun} is not executed by the local AWS; set a script for it "
    "(PUT /_local/scripts, or scripts.add of LocalAWS) or run it on AWS"
)


def unexecuted() -> tuple[JobKind, ...]:
    """The kinds of job that only their scripts make anything of."""
    return (_job(),)


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
