"""The operators, one per kind of step.

None has template fields: a definition is data and never passes through Jinja.
"""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowTaskTimeout,
    SkipMixin,
)
from airflow.sdk import BaseOperator, TaskInstanceState
from botocore.exceptions import ClientError, ParamValidationError

from airflow_sm_pipelines import aws, jobs, settings
from airflow_sm_pipelines.definition import Pipeline, Step
from airflow_sm_pipelines.definition.expressions import resolve
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.steps import Job
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    DefinitionError,
    ExpressionError,
    JobFailedError,
    JobLostError,
    ParameterError,
    WaitInterruptedError,
)
from airflow_sm_pipelines.features import TaskDeferralTimeout, state_store
from airflow_sm_pipelines.poller import poller
from airflow_sm_pipelines.requests import Requests
from airflow_sm_pipelines.scope import OUTCOME, RunScope
from airflow_sm_pipelines.triggers import JobTrigger

if TYPE_CHECKING:
    from botocore.client import BaseClient


class StepOperator(BaseOperator):
    """What all steps have: their pipeline, themselves and a connection.

    Airflow's `retries` are for tries that were cut short: a process that died, AWS that did not
    answer. With `retry_failures` they are for failed steps as well.
    """

    template_fields: Sequence[str] = ()
    shallow_copy_attrs: Sequence[str] = ("pipeline", "step", "connection")

    def __init__(
        self,
        *,
        pipeline: Pipeline,
        step: Step,
        connection: aws.Connection,
        retry_failures: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.step = step
        self.connection = connection
        self.retry_failures = retry_failures

    def scope(self, context: Any, *, now: datetime | None = None) -> RunScope:
        """The values of this run at a time, its parameters checked."""
        scope = RunScope(
            pipeline=self.pipeline,
            context=context,
            connection=self.connection,
            now=now or datetime.now(UTC),
        )
        with self.judging():
            _ = scope.parameters
        return scope

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Fail the task without a retry where another try, with nothing changed, ends alike."""
        try:
            yield
        except (DefinitionError, ParameterError, ExpressionError) as error:
            raise AirflowFailException(str(error)) from error
        except ParamValidationError as error:
            where = f"{self.step.where}.Arguments: step {self.step.name!r}"
            raise AirflowFailException(f"{where} is no request that AWS takes; {error}") from error
        except (JobFailedError, JobLostError, AccessDeniedError, ClientError) as error:
            if self.retry_failures or aws.passes(error):
                raise
            raise AirflowFailException(str(error)) from error


class JobOperator(StepOperator):
    """Creates the AWS resource of a step, waits for it and hands on what Describe says of it.

    It waits deferred, except where the pipeline limits its parallel steps: Airflow's limit for a
    run does not count deferred tasks. A job that does not succeed raises a JobFailedError.
    """

    ui_color = "#d5e8d4"
    _killed = False

    def execute(self, context: Any) -> dict[str, Json]:
        """Resolve, create or attach, wait."""
        with self.judging():
            client = self._client()
            identifier = self._create_or_attach(context, client)
            if self.job.status is None:
                return aws.describe(client, self.job, identifier)
            patience = settings.defer_after_seconds(client.meta.endpoint_url)
            at_most = None if self.waits_in_worker else patience
            if not self._wait_here(client, identifier, context, at_most=at_most):
                self._defer(client, identifier)
            return self._finish(context, client, identifier)

    def resume(self, context: Any, event: dict[str, Any]) -> dict[str, Json]:
        """Go on after the trigger has fired."""
        with self.judging():
            client = self._client()
            if event["status"] is None:  # AWS would not tell the triggerer; it may tell this worker
                self._wait_here(client, event["identifier"], context, at_most=None)
            return self._finish(context, client, event["identifier"])

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Stop the job where the wait has exceeded the task's `execution_timeout`."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            store = state_store(context)
            if store is not None and (record := store.get(jobs.KEY)):
                self._stop(self._client(), record["name"], context)
            else:
                self.log.warning("step %s: its job goes on, no record has its name", self.step.name)
            raise

    def on_kill(self) -> None:
        """Note that the process is told to end; whether the job is to be stopped is asked later.

        Airflow calls this in a signal handler and for any reason: a user's decision, a rolling
        deploy of the workers, an API server that did not answer.
        """
        self._killed = True

    @property
    def waits_in_worker(self) -> bool:
        """Whether the task keeps its worker while its job runs."""
        return self.pipeline.max_parallel_steps is not None

    @property
    def job(self) -> Job:
        """How the step's AWS resource is handled."""
        job = self.step.job
        assert job is not None, f"{self.step.type} steps create no job"
        return job

    def _create_or_attach(self, context: Any, client: "BaseClient") -> str:
        store = state_store(context)
        record = jobs.begin(store, max_tries=context["ti"].max_tries)
        scope = self.scope(context, now=record.began)
        return jobs.create_or_attach(
            client,
            self.job,
            record=record,
            request_for=Requests(self.step, scope).of_attempt,
            store=store,
        )

    def _client(self) -> "BaseClient":
        return self.connection.client("sagemaker")

    def _defer(self, client: "BaseClient", identifier: str) -> NoReturn:
        self.defer(
            trigger=JobTrigger(
                step_type=self.step.type,
                identifier=identifier,
                aws_conn_id=self.connection.conn_id,
                region_name=self.connection.region_name,
                poll_seconds=settings.poll_seconds(client.meta.endpoint_url),
                first_look_seconds=SETTLE_SECONDS,
            ),
            method_name="resume",
            timeout=self.execution_timeout,
        )

    def _wait_here(
        self, client: "BaseClient", identifier: str, context: Any, *, at_most: float | None
    ) -> bool:
        """Wait in this process, for ever where `at_most` seconds are None; whether it has ended.

        A job whose task is ended by anyone but a user is left to the next try.
        """
        if at_most == 0 and not self._killed:
            return False
        deadline = math.inf if at_most is None else time.monotonic() + at_most
        seconds = settings.poll_seconds(client.meta.endpoint_url)
        watching = poller(self.connection, client, poll_seconds=seconds)
        ended = watching.watch(self.job, identifier)
        try:
            while not ended.done() and (self._killed or time.monotonic() < deadline):
                if self._killed:
                    self._settle_kill(client, identifier, context)
                wait([ended], timeout=min(KILL_CHECK_SECONDS, deadline - time.monotonic()))
            return ended.done() and bool(ended.result())
        except AirflowTaskTimeout:
            self._stop(client, identifier, context)
            raise
        finally:
            ended.cancel()

    def _settle_kill(self, client: "BaseClient", identifier: str, context: Any) -> NoReturn:
        """Stop the job where a user has ended the task; leave it to the retry otherwise."""
        if not _ended_by_user(context["ti"]):
            raise WaitInterruptedError(f"the worker is told to end; {identifier} goes on")
        self._stop(client, identifier, context)
        raise WaitInterruptedError(f"the task was ended by a user; {identifier} is stopped")

    def _stop(self, client: "BaseClient", identifier: str, context: Any) -> None:
        """Stop the job, which then is no more to be attached to."""
        jobs.note_failure(state_store(context))
        aws.stop(client, self.job, identifier)

    def _finish(self, context: Any, client: "BaseClient", identifier: str) -> dict[str, Json]:
        described = aws.describe(client, self.job, identifier)
        status = str(described.get(self.job.status or ""))
        if status in self.job.succeeded:
            return described
        jobs.note_failure(state_store(context))
        raise self._failure(described, identifier, status)

    def _failure(self, described: dict[str, Json], identifier: str, status: str) -> JobFailedError:
        tail = aws.log_tail(self.connection.client("logs"), self.job, identifier)
        for line in tail:
            self.log.error("%s | %s", self.step.name, line)
        return JobFailedError(
            step=self.step.name,
            job_name=identifier,
            status=status,
            reason=next(
                (str(described[key]) for key in self.job.reasons if described.get(key)), ""
            ),
            log_tail=tail,
        )


class ConditionOperator(StepOperator, SkipMixin):
    """Evaluates the conditions of a step and skips the entry tasks of the branch not taken.

    Exactly those are skipped, whatever else hangs on this task: what reads `Outcome` or waits for
    the step is an ordinary child.
    """

    ui_color = "#fff2cc"

    def execute(self, context: Any) -> None:
        """Evaluate, hand on `Outcome`, skip."""
        branches = self.step.branches
        assert branches is not None, "a Condition step has branches"
        scope = self.scope(context)
        with self.judging():
            outcome = all(condition.holds(scope) for condition in branches.conditions)
        context["ti"].xcom_push(key=OUTCOME, value=outcome)
        self.log.info("the conditions are %s", str(outcome).lower())
        not_taken = branches.else_steps if outcome else branches.if_steps
        tasks = context["dag"].task_dict
        self.skip(context["ti"], [tasks[step.name] for step in not_taken])


class FailOperator(StepOperator):
    """Ends the run as failed with the step's message."""

    ui_color = "#f8cecc"

    def execute(self, context: Any) -> NoReturn:
        """Raise the resolved ErrorMessage; no retry mends it."""
        with self.judging():
            message = resolve(self.step.arguments.get("ErrorMessage"), self.scope(context))
        raise AirflowFailException(str(message or f"step {self.step.name} ends the run as failed"))


def _ended_by_user(ti: Any) -> bool:
    """Whether the task's state is one that it cannot have come to while it still runs here.

    Any other is no user's decision: still running, or waiting for the retry of a try that Airflow
    holds for dead, which will attach to the job.
    """
    states = ti.get_task_states(dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id])
    return states.get(ti.run_id, {}).get(ti.task_id) in ENDED


KILL_CHECK_SECONDS = 0.5

# Airflow hears of a deferral from the task and, up to seconds later, from the executor. A task that
# is resumed in between is taken for failed: "finished with state success, but the task instance's
# state attribute is running".
SETTLE_SECONDS = 5.0
ENDED = frozenset(
    {
        TaskInstanceState.FAILED,
        TaskInstanceState.REMOVED,
        TaskInstanceState.RESTARTING,  # cleared while it was running
        TaskInstanceState.SKIPPED,
        TaskInstanceState.SUCCESS,
    }
)
"""States of a task that a user has marked or cleared while it was running."""
