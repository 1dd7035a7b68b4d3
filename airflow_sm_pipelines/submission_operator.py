"""The operator of the steps that run on EMR or EMR Serverless: submit or attach, wait, hand on.

All but how the work comes to AWS is as for a SageMaker job. To run the steps of another service,
write its `Submission` and add a row to `SUBMISSIONS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, emr, jobs, naming, settings, sights, submissions
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.emr import StepSubmission
from airflow_sm_pipelines.emr_serverless import APPLICATION, JobRunSubmission
from airflow_sm_pipelines.errors import AccessDeniedError
from airflow_sm_pipelines.features import state_store
from airflow_sm_pipelines.job_operator import JobOperator
from airflow_sm_pipelines.naming import Attempt
from airflow_sm_pipelines.requests import Requests
from airflow_sm_pipelines.scope import RunScope
from airflow_sm_pipelines.submissions import Submission

if TYPE_CHECKING:
    from botocore.client import BaseClient


class SubmissionOperator(JobOperator):
    """Submits the work of a step, waits for it and hands on what AWS says of it."""

    def _obtain(self, context: Any, client: "BaseClient") -> tuple[aws.Resource, dict[str, Json]]:
        store = state_store(context)
        record = jobs.begin(store, jobs.Life.of(context, retries=self.retries or 0))
        jobs.stop_left(
            client,
            self.job,
            record=record,
            store=store,
            known=lambda before: submissions.known(client, self.job, before),
        )
        announced = sights.Announced(
            _request, job=self.job, connection=self.connection, client=client
        )
        submission_of = self._submissions(self.scope(context, now=record.began), record)

        def submission_for(attempt: Attempt) -> Submission:
            submission = submission_of(attempt)
            announced(submission)
            return submission

        resource = submissions.submit_or_attach(
            self._client(retries=ONCE),
            self.job,
            record=record,
            submission_for=submission_for,
            store=store,
            unseen_seconds=settings.poll_seconds(client.meta.endpoint_url),
        )
        sights.show(context["ti"], client, resource, announced.last)
        return resource, {}

    def _submissions(self, scope: RunScope, record: jobs.Record) -> Callable[[Attempt], Submission]:
        """What makes the submission of an attempt."""
        requests = Requests(self.step, scope)
        began = record.began or scope.context["dag_run"].start_date or datetime.now(UTC)
        work = Work(
            arguments=requests.arguments(),
            requests=requests,
            execution_id=scope.execution_id,
            step=self.step.name,
            since=began - jobs.CLOCKS_DIFFER,
        )
        return lambda attempt: SUBMISSIONS[self.step.type](work, attempt)

    def _stored(self, client: "BaseClient", context: Any) -> aws.Resource | None:
        store = state_store(context)
        stored = store.get(jobs.KEY) if store is not None else None
        return submissions.known(client, self.job, jobs.Record(**stored)) if stored else None

    def _log_tail(self, resource: aws.Resource) -> tuple[str, ...]:
        return ()  # it is in files that EMR writes to S3, minutes later

    def _reason(
        self, client: "BaseClient", described: dict[str, Json], resource: aws.Resource
    ) -> str:
        reason = super()._reason(client, described, resource)
        if reason or self.job.service != "emr":
            return reason
        try:
            described = {**described, "Cluster": emr.cluster_of(client, resource)}
        except (AccessDeniedError, ClientError, BotoCoreError) as error:
            self.log.warning("why the cluster has ended cannot be told: %s", error)
        return super()._reason(client, described, resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the attempts of a step in a run have in common."""

    arguments: Mapping[str, Any]
    requests: Requests
    execution_id: str
    step: str
    since: datetime

    def name(self, attempt: Attempt, given: Json) -> str:
        """The name of an attempt; one that is `given` is what it begins with."""
        return naming.job_name(
            self.requests.job,
            execution_id=self.execution_id,
            step=self.step,
            key=self.requests.key,
            attempt=attempt,
            prefix=str(given) if given else None,
        )


def _request(submission: Submission) -> dict[str, Json]:
    return dict(submission.request)


def _step(work: Work, attempt: Attempt) -> Submission:
    return StepSubmission(
        name=work.name(attempt, work.arguments["StepConfig"].get("Name")),
        arguments=work.arguments,
        origin=work.requests.origin,
        since=work.since,
    )


def _job_run(work: Work, attempt: Attempt) -> Submission:
    config = work.arguments["JobConfig"]
    application = work.arguments.get("ApplicationId") or config.get(APPLICATION)
    given = config.get("executionRoleArn") or work.arguments.get("ExecutionRoleArn")
    return JobRunSubmission(
        name=work.name(attempt, config.get("name")),
        arguments=work.arguments,
        origin=work.requests.origin,
        role=str(given or work.requests.role("JobConfig.executionRoleArn")),
        since=work.since,
        application=f"pipelines-{work.execution_id}-{work.requests.key}",
        told_apart={APPLICATION: str(application)} if application else {},
    )


ONCE = {"mode": "standard", "total_max_attempts": 1}
"""botocore is not to repeat a call whose answer was lost: AWS would carry it out twice."""

SUBMISSIONS: dict[str, Callable[[Work, Attempt], Submission]] = {
    "EMR": _step,
    "EMRServerless": _job_run,
}
"""By type of step."""
