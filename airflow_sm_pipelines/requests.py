"""The request of a step's Create operation: arguments resolved, and what the service fills in.

The service fills in the name, the pipeline's role and tags; a name in Arguments is a prefix, but
for endpoints and the like, which are updated where they exist: theirs is their own.
"""

import re

from airflow_sm_pipelines import naming, settings
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import DefinitionError, Problem
from airflow_sm_pipelines.scope import RunScope

Request = dict[str, Json]


class Requests:
    """The requests of the attempts of a step in one run; they differ in the name alone."""

    def __init__(self, step: Step, scope: RunScope) -> None:
        job = step.job
        assert job is not None, f"{step.type} steps create nothing"
        self._step = step
        self._job: Job = job
        self._scope = scope
        self._key = naming.cache_key(
            pipeline=scope.pipeline.name,
            step=step.name,
            arguments=self._arguments(),
            attributes=STEP_TYPES[step.type].cache_attributes,
        )

    def of_attempt(self, attempt: naming.Attempt) -> Request:
        """The request of an attempt, with the name or the token that tells it from others."""
        if self._job.create_name is None:
            token = naming.client_token(
                execution_id=self._scope.execution_id, key=self._key, attempt=attempt
            )
            return self._filled({"ClientToken": token})
        given = self._arguments().get(self._job.create_name)
        if self._job.updates:
            return self._filled({self._job.create_name: self._own_name(given)})
        self._scope.job_name = naming.job_name(
            self._job,
            execution_id=self._scope.execution_id,
            step=self._step.name,
            key=self._key,
            attempt=attempt,
            prefix=str(given) if given else None,
        )
        return self._filled({self._job.create_name: self._scope.job_name})

    def _arguments(self) -> Request:
        return {key: resolve(value, self._scope) for key, value in self._step.arguments.items()}

    def _filled(self, identity: Request) -> Request:
        arguments = self._arguments()
        request = {**arguments, **identity}
        if self._job.role:
            request |= self._with_roles(request, self._job.role)
        if self._job.tags and settings.tags():
            request["Tags"] = self._tags(arguments.get("Tags"))
        return request

    def _own_name(self, given: Json) -> str:
        if not given:
            where = f"{self._step.where}.Arguments.{self._job.create_name}"
            cure = f"no name; give the {self._job.noun} one, the service makes none up"
            raise DefinitionError([Problem(where, cure)])
        return str(given)

    def _with_roles(self, request: Request, role: str) -> Request:
        """The members that hold the role, with the pipeline's where they have none."""
        if not self._job.role_in:
            return {role: request.get(role) or self._role(role)}
        return {
            holder: self._with_role(request[holder], f"{holder}.{role}")
            for holder in self._job.role_in
            if request.get(holder)
        }

    def _with_role(self, value: Json, path: str) -> Json:
        """An object, or each of a list of objects, with a role."""
        if isinstance(value, list):
            return [self._with_role(element, path) for element in value]
        role = path.rpartition(".")[2]
        if not isinstance(value, dict) or value.get(role):
            return value
        return {**value, role: self._role(path)}

    def _role(self, path: str) -> str:
        role = self._scope.pipeline.role_arn or settings.role_arn()
        if role is None:
            where = f"{self._step.where}.Arguments.{path}"
            cure = "no role; give it here, as build_dag's role_arn or as [sm_pipelines] role_arn"
            raise DefinitionError([Problem(where, cure)])
        return role

    def _tags(self, given: Json) -> list[Json]:
        """The step's own tags and, as far as 50 allow, those that say where the job comes from."""
        own = given if isinstance(given, list) else []
        run = self._scope.context["run_id"]
        origin = {
            "pipeline": self._scope.pipeline.name,
            "step": self._step.name,
            "dag": self._scope.context["dag"].dag_id,
            "run": run,
        }
        tags: list[Json] = [
            {"Key": f"{TAG_PREFIX}:{key}", "Value": _ILLEGAL.sub("-", value)[:LONGEST_TAG]}
            for key, value in origin.items()
        ]
        return [*own, *tags[: max(0, MOST_TAGS - len(own))]]


TAG_PREFIX = "sm-pipelines"
LONGEST_TAG = 256
MOST_TAGS = 50

# API, TagValue. Run ids may hold `~`, and names that come from files anything.
_ILLEGAL = re.compile(r"[^\w\s.:/=+@-]")
