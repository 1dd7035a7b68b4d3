"""The sensor before a cached step: it looks for an earlier job that did the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_sm_pipelines import aws, cache, hits, naming, settings, verdicts
from airflow_sm_pipelines.catalogues import Earlier
from airflow_sm_pipelines.definition.caching import of_one_run, unlisted
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError, ParameterError
from airflow_sm_pipelines.features import TaskDeferralTimeout, clear_number
from airflow_sm_pipelines.operators import StepOperator
from airflow_sm_pipelines.scope import CACHE_SWITCH, RunScope
from airflow_sm_pipelines.triggers import SETTLE_SECONDS, JobTrigger

if TYPE_CHECKING:
    from botocore.client import BaseClient


class StepCacheSensor(StepOperator):
    """Looks for a job of another run that did what the step is about to do.

    It hands the job on as the XCom `CacheHit`, which the step adopts. With `wait_for_twin` it also
    waits for one that is still in progress, which stays the other run's: ending this task stops
    nothing. Whatever keeps it from finding one is a miss, so the step runs; it never fails it.
    """

    ui_color = "#e1d5e7"

    def __init__(self, *, wait_for_twin: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wait_for_twin = wait_for_twin

    def execute(self, context: Any) -> None:
        """Look; wait where a twin is worth it."""
        self.enter(context)
        if not context["params"].get(CACHE_SWITCH, True):
            self.log.info("miss: this run was started without the step cache")
            return
        if reasons := [*self._never()]:
            self.log.warning("miss: this step can never hit; %s", "; ".join(reasons))
            return
        with self._missing():
            self._look(context)

    def resume(self, context: Any, event: dict[str, Any]) -> None:
        """Hand a twin on that has completed."""
        name, status = event["identifier"], event["status"]
        if status not in self.job.succeeded:
            self.log.warning("miss: %s, which was waited for, is %s", name, status or "unknown")
            return
        with self._missing():
            client = self._client()
            told_apart = event.get("told_apart", {})
            described = aws.describe(client, aws.Resource(self.job, name, told_apart=told_apart))
            if objection := self._wanted(context, client).objection(described):
                self.log.warning(
                    "miss: %s, which was waited for, is %s; %s", name, status, objection
                )
                return
            self._hand_on(context, client, Earlier.of(self.job, described, told_apart))

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Take a twin that goes on beyond the task's `execution_timeout` for a miss."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            self.log.warning("miss: the job that was waited for goes on beyond execution_timeout")

    def _never(self) -> Iterator[str]:
        """Why no earlier job can ever be found."""
        for path, expression in of_one_run(self.pipeline, self.step):
            yield f"{path} contains {expression.where}"
        for name in unlisted(self.step):
            yield f"Arguments give no {name}, on which earlier ones would be listed"

    def _look(self, context: Any) -> None:
        client = self._client()
        wanted = self._wanted(context, client)
        found = cache.look(client, wanted, most_pages=settings.cache_pages())
        if found.hit:
            self._hand_on(context, client, found.hit)
            return
        if found.twin:
            self.log.info("%s does the same and is in progress", found.twin.name)
            if self.wait_for_twin:
                self._defer(client, found.twin.resource)
        self.log.info("miss: %s", cache.explain(client, wanted, found))

    def _client(self) -> "BaseClient":
        return self.connection.client(self.job.service)

    def _task(self, context: Any) -> Any:
        """The step's own task, which knows what it would ask of a job."""
        return context["dag"].task_dict[self.step.name]

    def _wanted(self, context: Any, client: "BaseClient") -> cache.Wanted:
        now = datetime.now(UTC)
        scope = RunScope(
            pipeline=self.pipeline, context=context, connection=self.connection, now=now
        )
        policy = self.step.cache
        return cache.Wanted(
            step=self.step,
            job=self.job,
            pipeline=self.pipeline.name,
            requests=self._task(context).requests(client, scope, None),
            oldest=cache.oldest(policy.expire_after if policy else None, now=now),
            objection=partial(verdicts.objection, self.connection.client, self.step, scope),
        )

    def _hand_on(self, context: Any, client: "BaseClient", found: Earlier) -> None:
        identifier = found.resource.identifier
        hit = hits.Hit(
            job_name=found.name,
            job_arn=found.arn,
            created=found.created,
            identifier="" if identifier == found.name else identifier,
            told_apart=dict(found.resource.told_apart),
            looked_at=datetime.now(UTC).isoformat(),
            clear_number=clear_number(context),
            **self._origin(client, found),
        )
        self.log.info("hit: %s %s", self.job.noun, hit)
        context["ti"].xcom_push(key=hits.HIT, value=asdict(hit))

    def _origin(self, client: "BaseClient", found: Earlier) -> dict[str, str]:
        if not self.job.tags:
            return {"execution_id": naming.execution_of(found.name)}
        try:
            tags = cache.origin(client, found)
        except hits.FAULTS as error:
            self.log.warning("which run the job is of cannot be told: %s", error)
            return {}
        return {"dag_id": tags.get("dag", ""), "run_id": tags.get("run", "")}

    def _defer(self, client: "BaseClient", twin: aws.Resource) -> NoReturn:
        self.defer(
            trigger=JobTrigger(
                step_type=self.step.type,
                identifier=twin.identifier,
                told_apart=twin.told_apart,
                aws_conn_id=self.connection.conn_id,
                region_name=self.connection.region_name,
                poll_seconds=settings.poll_seconds(client.meta.endpoint_url),
                first_look_seconds=SETTLE_SECONDS,
                owned=False,
            ),
            method_name="resume",
            timeout=self.execution_timeout,
        )

    @contextmanager
    def _missing(self) -> Iterator[None]:
        """Take whatever AWS or the definition has against a look for a miss."""
        try:
            yield
        except hits.FAULTS as error:
            self.log.warning("miss: the cache cannot be looked at: %s", error)
        except (DefinitionError, ExpressionError, ParameterError) as error:
            self.log.warning("miss: %s; the step says so too", error)
