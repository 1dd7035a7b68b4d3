"""The operator of the steps that are an AWS job: resolve, create or attach, wait, hand on."""

import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout
from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import (
    aws,
    deployments,
    endings,
    exception_types,
    experiments,
    finishing,
    hits,
    jobs,
    patience,
    settings,
    sights,
    stops,
    unrecorded,
)
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import STOPPED
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    JobError,
    JobFailedError,
    JobLostError,
    WaitInterruptedError,
)
from airflow_sm_pipelines.features import TaskDeferralTimeout, state_store
from airflow_sm_pipelines.links import LINKS
from airflow_sm_pipelines.members import member
from airflow_sm_pipelines.naming import Attempt
from airflow_sm_pipelines.poller import poller
from airflow_sm_pipelines.queued_operator import KILL_CHECK_SECONDS, QueuedOperator
from airflow_sm_pipelines.requests import Request, Requests
from airflow_sm_pipelines.scope import RunScope
from airflow_sm_pipelines.triggers import SETTLE_SECONDS, JobTrigger

if TYPE_CHECKING:
    from botocore.client import BaseClient


class JobOperator(QueuedOperator):
    """Creates the AWS resource of a step, waits for it and hands on what Describe says of it.

    It waits deferred, for its job and, where the pipeline limits its parallel steps, for its turn
    to have one. A job that does not succeed raises a JobFailedError.
    """

    ui_color = "#d5e8d4"
    operator_extra_links = LINKS

    def execute(self, context: Any) -> dict[str, Json]:
        """Adopt what the cache has; else wait for the step's turn, create or attach, wait."""
        self.enter(context)
        with self.judging(context):
            adopted = hits.adopt(self, context)
        return self.start(context) if adopted is None else adopted

    def start(self, context: Any, event: Any = None) -> dict[str, Json]:
        """Go on after a wait for the step's turn, which may not be over yet."""
        with self.judging(context):
            client = self._client()
            at_most = settings.defer_after_seconds(client.meta.endpoint_url)
            self._await_turn(client, context, at_most=at_most)
            client, resource, wanted = self._persist(client, context)
            if self.job.status is not None and not self._wait_here(
                client, resource, context, at_most=at_most
            ):
                self._defer(client, resource, wanted)
            return self._finish(context, client, resource, wanted, new=True)

    def resume(
        self,
        context: Any,
        event: dict[str, Any],
        *,
        told_apart: dict[str, str] | None = None,
        unchanged_since: str = "",
        wanted: dict[str, Json] | None = None,
    ) -> dict[str, Json]:
        """Go on after the trigger has fired; what else is given is what was known before."""
        resource = aws.Resource(
            self.job,
            event["identifier"],
            told_apart=told_apart or event.get("told_apart", {}),
            unchanged_since=unchanged_since,
        )
        with self.judging(context):
            return self._finish(context, self._client(), resource, wanted or {})

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Stop the job where the wait has exceeded the task's `execution_timeout`."""
        with self.judging(context):
            try:
                return super().resume_execution(next_method, next_kwargs, context)
            except TaskDeferralTimeout:
                self._stop_stored(context)
                raise

    def requests(
        self, client: "BaseClient", scope: RunScope, experiment: Mapping[str, str] | None
    ) -> Requests:
        """The requests of the step's attempts."""
        return Requests(self.step, scope, experiment=experiment)

    def handed_on(
        self, context: Any, client: "BaseClient", described: dict[str, Json]
    ) -> dict[str, Json]:
        """What expressions read of a step whose resource has succeeded."""
        return finishing.properties(self.connection.client, self.job, described)

    def _persist(
        self, client: "BaseClient", context: Any
    ) -> tuple["BaseClient", aws.Resource, dict[str, Json]]:
        """A client and what is obtained with it, sooner or later where AWS turns that away.

        Each attempt but the first makes a client anew, whose credentials may be good again.
        """
        clients = chain((client,), iter(self._client, None))

        def attempt() -> tuple["BaseClient", aws.Resource, dict[str, Json]]:
            client = next(clients)
            return client, *self._obtain(context, client)

        try:
            return patience.persist(
                attempt,
                at_most=settings.create_patience_seconds(),
                meanwhile=lambda: self._heed_kill(context),
            )
        except AirflowTaskTimeout:
            self._stop_stored(context)
            raise
        except ClientError as error:  # the next try queues again: nothing is in progress
            self._leave_turn(context, when=aws.is_refused(error))
            raise

    def _heed_kill(self, context: Any) -> None:
        """End the task if it is told to end; what an unanswered call has made is then settled."""
        if not self._killed:
            return
        client = self._client()
        resource = self._stored(client, context)
        if resource is None:
            raise WaitInterruptedError("the worker is told to end before AWS has taken the request")
        self._settle_kill(client, resource, context)

    def _obtain(self, context: Any, client: "BaseClient") -> tuple[aws.Resource, dict[str, Json]]:
        """The resource of this try, and what Describe has to answer of it in the end."""
        store = state_store(context)
        record = jobs.begin(store, jobs.Life.of(context, retries=self.retries or 0))
        jobs.stop_left(client, self.job, record=record, store=store)
        scope = self.scope(context, now=record.began)
        experiment = experiments.join(client, self.job, scope)
        requests = self.requests(client, scope, experiment).of_attempt
        if store is None and (going_on := self._unrecorded(client, scope, record, requests)):
            return going_on, {}
        request_for = sights.Announced(
            requests, job=self.job, connection=self.connection, client=client
        )
        if not self.job.updates:
            resource = jobs.create_or_attach(
                client, self.job, record=record, request_for=request_for, store=store
            )
            sights.show(context["ti"], client, resource, request_for.last)
            return resource, {}
        request = request_for(Attempt(record.max_tries, record.attempt))
        resource = deployments.create_or_update(
            client,
            self.job,
            record=record,
            request=request,
            store=store,
            settle=lambda busy: self._wait_here(client, busy, context, at_most=None),
        )
        sights.show(context["ti"], client, resource, request)
        return resource, deployments.asked(self.job, request)

    def _unrecorded(
        self,
        client: "BaseClient",
        scope: RunScope,
        record: jobs.Record,
        request_for: Callable[[Attempt], Request],
    ) -> aws.Resource | None:
        """The job of a try before, where Airflow could not remember its name."""
        origin = unrecorded.Origin(
            execution_id=scope.execution_id,
            step=self.step.name,
            epoch=record.max_tries,
            since=scope.context["dag_run"].start_date,
        )
        request = request_for(Attempt(record.max_tries))
        return unrecorded.in_progress(client, self.job, origin=origin, request=request)

    def _stored(self, client: "BaseClient", context: Any) -> aws.Resource | None:
        """The job of this run as far as it is stored."""
        return jobs.stored_resource(state_store(context), self.job)

    def _client(self, **config: Any) -> "BaseClient":
        return self.connection.client(self.job.service, **config)

    def _defer(
        self, client: "BaseClient", resource: aws.Resource, wanted: dict[str, Json]
    ) -> NoReturn:
        known: dict[str, Any] = {
            "told_apart": dict(resource.told_apart),
            "unchanged_since": resource.unchanged_since,
        }
        self.defer(
            trigger=JobTrigger(
                step_type=self.step.type,
                identifier=resource.identifier,
                aws_conn_id=self.connection.conn_id,
                region_name=self.connection.region_name,
                poll_seconds=settings.poll_seconds(client.meta.endpoint_url),
                first_look_seconds=SETTLE_SECONDS,
                **known,
            ),
            method_name="resume",
            kwargs={**known, "wanted": wanted},
            timeout=self.execution_timeout,
        )

    def _wait_here(
        self, client: "BaseClient", resource: aws.Resource, context: Any, *, at_most: float | None
    ) -> bool:
        """Wait in this process, for ever where `at_most` seconds are None; whether it has ended.

        A job whose task is ended by anyone but a user is left to the next try.
        """
        if at_most == 0 and not self._killed:
            return self._has_ended(client, resource)
        deadline = math.inf if at_most is None else time.monotonic() + at_most
        seconds = settings.poll_seconds(client.meta.endpoint_url)
        watching = poller(self.connection, client, poll_seconds=seconds)
        ended = watching.watch(resource, told=lambda text: self.log.info("%s: %s", resource, text))
        try:
            while not ended.done() and (self._killed or time.monotonic() < deadline):
                if self._killed:
                    self._settle_kill(client, resource, context)
                wait([ended], timeout=min(KILL_CHECK_SECONDS, deadline - time.monotonic()))
            return ended.done() and bool(ended.result())
        except AirflowTaskTimeout:
            stops.stop(client, resource)
            raise
        finally:
            ended.cancel()

    def _has_ended(self, client: "BaseClient", resource: aws.Resource) -> bool:
        """Whether a job has ended already, as one that a retry attaches to may have."""
        try:
            return resource.final_status(aws.describe(client, resource)) is not None
        except (AccessDeniedError, JobLostError, ClientError, BotoCoreError) as error:
            self.log.info("%s: not known yet, it is waited for: %s", resource, error)
            return False

    def _settle_kill(self, client: "BaseClient", resource: aws.Resource, context: Any) -> NoReturn:
        """Stop the job where a user has ended the task; leave it to the retry otherwise."""
        if not endings.ended_by_user(context["ti"]):
            raise WaitInterruptedError(f"the worker is told to end; {resource.identifier} goes on")
        # This first: Airflow kills what has not ended after five seconds.
        stopped = stops.stop(client, resource)
        jobs.note_failure(state_store(context))  # a clear is to lead to another
        raise WaitInterruptedError(
            f"the task was ended by a user; {resource.identifier} "
            f"{'is stopped' if stopped else 'is left as it is'}"
        )

    def _stop_stored(self, context: Any) -> None:
        """Stop the job as far as it is known; that it cannot be hides no timeout."""
        try:
            client = self._client()
            resource = self._stored(client, context)
            if resource is None:
                self.log.warning("step %s: its job goes on, no record has its name", self.step.name)
                return
            stops.stop(client, resource)
        except (AccessDeniedError, JobError, ClientError, BotoCoreError) as error:
            self.log.error("the job could not be stopped and may go on: %s", error)

    def _finish(
        self,
        context: Any,
        client: "BaseClient",
        resource: aws.Resource,
        wanted: dict[str, Json],
        *,
        new: bool = False,
    ) -> dict[str, Json]:
        described = self._described(context, client, resource, new=new)
        if self.job.status is not None and resource.final_status(described) is None:
            # A list may know of the end before Describe does, or AWS would not tell the triggerer.
            self._wait_here(client, resource, context, at_most=None)
            described = self._described(context, client, resource, new=False)
        self._leave_turn(context)
        status = resource.status(described)
        rolled_back = deployments.difference(described, wanted)
        if self.job.status is None or (status in self.job.succeeded and not rolled_back):
            return self.handed_on(context, client, described)
        told = endings.STOPPED if status in STOPPED else status
        context["ti"].xcom_push(key=endings.STATUS, value=told)
        raise self._failure(client, described, resource, rolled_back)

    def _described(
        self, context: Any, client: "BaseClient", resource: aws.Resource, *, new: bool
    ) -> dict[str, Json]:
        """What AWS says of a resource, sooner or later; what is `new` it may not know yet."""
        return patience.persist(
            lambda: aws.describe(client, resource),
            at_most=settings.create_patience_seconds(),
            meanwhile=lambda: self._heed_kill(context),
            new=new,
        )

    def _failure(
        self,
        client: "BaseClient",
        described: dict[str, Json],
        resource: aws.Resource,
        rolled_back: str,
    ) -> JobFailedError:
        tail = self._log_tail(resource)
        for line in tail:
            self.log.error("%s | %s", self.step.name, line)
        reason = self._reason(client, described, resource)
        return JobFailedError(
            step=self.step.name,
            noun=self.job.noun,
            job_name=resource.identifier,
            status=str(resource.status(described)),
            reason="; ".join(filter(None, (rolled_back and ROLLED_BACK + rolled_back, reason))),
            exception_type=exception_types.of_reason(reason, self.job.service),
            log_tail=tail,
        )

    def _log_tail(self, resource: aws.Resource) -> tuple[str, ...]:
        return aws.log_tail(self.connection.client("logs"), self.job, resource.identifier)

    def _reason(
        self, client: "BaseClient", described: dict[str, Json], resource: aws.Resource
    ) -> str:
        """Why the job has failed; "" where AWS does not tell."""
        told = (member(described, path) for path in self.job.reasons)
        return str(next(filter(None, told), ""))


ROLLED_BACK = "it was rolled back, or changed by another: "
