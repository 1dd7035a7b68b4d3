"""The operators of steps that are no AWS job, and what all operators have.

`job_operator.py` has the one of steps that are. None has template fields: a definition is data and
never passes through Jinja.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSkipException,
    SkipMixin,
)
from airflow.sdk import BaseOperator
from botocore.exceptions import ParamValidationError

from airflow_sm_pipelines import aws, endings, retries
from airflow_sm_pipelines.definition import Pipeline, Step
from airflow_sm_pipelines.definition.conditions import all_hold
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import (
    DefinitionError,
    ExpressionError,
    ParameterError,
)
from airflow_sm_pipelines.hits import sensor_id
from airflow_sm_pipelines.scope import OUTCOME, RunScope


class StepOperator(BaseOperator):
    """What all steps have: their pipeline, themselves and a connection.

    Airflow's `retries` are for tries that were cut short, as by the death of a process, and for
    what the step's retry policies allow. With `retry_failures` they are for any failure.
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

    def enter(self, context: Any) -> None:
        """Skip the task where a dependency with a Trigger, or another of its, has ended otherwise.

        Its trigger rule lets the task start when all before it are done. Not asked again when a
        wait is resumed: what has begun goes on.
        """
        retries.begin(self.step, context)
        if not endings.is_gated(self.step):
            return
        if unmet := endings.unmet(self.pipeline, self.step, endings.read(context, self.pipeline)):
            raise AirflowSkipException("\n".join(unmet))

    @property
    def job(self) -> Job:
        """How the step's AWS resource is handled."""
        job = self.step.job
        assert job is not None, f"{self.step.type} steps create no job"
        return job

    def scope(self, context: Any, *, now: datetime | None = None) -> RunScope:
        """The values of this run at a time, its parameters checked."""
        scope = RunScope(
            pipeline=self.pipeline,
            context=context,
            connection=self.connection,
            now=now or datetime.now(UTC),
        )
        with self.judging(context):
            _ = scope.parameters
        return scope

    @contextmanager
    def judging(self, context: Any) -> Iterator[None]:
        """Fail the task without a retry where another try, with nothing changed, ends alike.

        Of a step that has failed in AWS the task's retry policy judges, if Airflow has such.
        """
        try:
            yield
        except (DefinitionError, ParameterError, ExpressionError) as error:
            raise AirflowFailException(str(error)) from error
        except ParamValidationError as error:
            where = f"{self.step.where}.Arguments: step {self.step.name!r}"
            raise AirflowFailException(f"{where} is no request that AWS takes; {error}") from error
        except retries.FAILURES as error:
            if getattr(self, "retry_policy", None) is None:
                self._judge(error, context["ti"])
            raise

    def _judge(self, error: BaseException, ti: Any) -> None:
        """End the task where the retry policy would, which Airflow has only since 3.3."""
        policy = retries.StepRetryPolicy.of(
            self.step, retries=self.retries or 0, retry_failures=self.retry_failures
        )
        verdict = policy.judge(error, ti.try_number, ti.max_tries, context=None)
        if verdict is not None and not verdict.again:
            raise AirflowFailException(f"{error}\n{verdict.reason}") from error


class ConditionOperator(StepOperator, SkipMixin):
    """Evaluates the conditions of a step and skips the entry tasks of the branch not taken.

    Exactly those are skipped, whatever else hangs on this task: what reads `Outcome` or waits for
    the step is an ordinary child.
    """

    ui_color = "#fff2cc"

    def execute(self, context: Any) -> None:
        """Evaluate, hand on `Outcome`, skip."""
        self.enter(context)
        branches = self.step.branches
        assert branches is not None, "a Condition step has branches"
        scope = self.scope(context)
        with self.judging(context):
            outcome = all_hold(branches.conditions, scope)
        context["ti"].xcom_push(key=OUTCOME, value=outcome)
        self.log.info("the conditions are %s", str(outcome).lower())
        not_taken = branches.else_steps if outcome else branches.if_steps
        tasks = context["dag"].task_dict
        entries = [tasks.get(sensor_id(step.name), tasks[step.name]) for step in not_taken]
        self.skip(context["ti"], entries)


class FailOperator(StepOperator):
    """Ends the run as failed with the step's message."""

    ui_color = "#f8cecc"

    def execute(self, context: Any) -> NoReturn:
        """Raise the resolved ErrorMessage; no retry mends it."""
        self.enter(context)
        with self.judging(context):
            message = resolve(self.step.arguments.get("ErrorMessage"), self.scope(context))
        raise AirflowFailException(str(message or f"step {self.step.name} ends the run as failed"))


class UnsupportedOperator(StepOperator):
    """Fails at once: the step is understood, but no task can run one of its type yet."""

    ui_color = "#e6e6e6"

    def execute(self, context: Any) -> NoReturn:
        """Raise what is not supported; no retry mends it."""
        self.enter(context)
        raise AirflowFailException(
            f"{self.step.where}: step {self.step.name!r} is of type {self.step.type}, which is not "
            "supported at run time yet; run it in SageMaker Pipelines, or put a task of your own "
            "in its place"
        )
