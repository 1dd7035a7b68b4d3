"""The request of a step's Create operation: arguments resolved, and what the service fills in.

The service fills in the name, the pipeline's role and tags; a name in Arguments is a prefix, but
for endpoints and the like, which are updated where they exist: theirs is their own.
"""

from collections.abc import Mapping

from airflow_sm_pipelines import naming, settings, tagging
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.caching import is_cached
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import DefinitionError, Problem
from airflow_sm_pipelines.members import member
from airflow_sm_pipelines.scope import RunScope

Request = dict[str, Json]


class Requests:
    """The requests of the attempts of a step in one run; they differ in the name alone."""

    def __init__(
        self,
        step: Step,
        scope: RunScope,
        *,
        experiment: Mapping[str, str] | None = None,
        sent: Step | None = None,
    ) -> None:
        """`experiment` has the names of the experiment and the trial that the run's jobs join.

        `sent` has the arguments that are sent where they are more than those that make the name.
        """
        job = step.job
        assert job is not None, f"{step.type} steps create nothing"
        self.job: Job = job
        self._step = step
        self._sent = sent or step
        self._scope = scope
        self._joined = dict(experiment or {})
        self._key = naming.cache_key(
            pipeline=scope.pipeline.name,
            step=step.name,
            arguments={**self.keys(), **self.arguments()},
            attributes=STEP_TYPES[step.type].cache_attributes,
        )

    @property
    def key(self) -> str:
        """What the names of all jobs have that do the same for the step; see `naming.cache_key`."""
        return self._key

    @property
    def name_prefix(self) -> str:
        """What Arguments give as the name, which is what the names of the jobs begin with."""
        given = self.arguments().get(self.job.create_name or "")
        return str(given) if given else ""

    @property
    def origin(self) -> dict[str, str]:
        """Where the resource comes from; of a cached step also the keys that AWS is not told."""
        keys = self.keys() if is_cached(self._step) else {}
        return {
            "pipeline": self._scope.pipeline.name,
            "step": self._step.name,
            "dag": self._scope.context["dag"].dag_id,
            "run": self._scope.context["run_id"],
            **{key: key_text(value) for key, value in keys.items() if value is not None},
        }

    def cache_attributes(self, job_name: str) -> dict[str, Json]:
        """Path -> value of all in the request that decides whether a job of that name has done the
        same; `keys` are the rest."""
        self._scope.job_name = job_name
        arguments = self.arguments(self._sent)
        row = STEP_TYPES[self._step.type]
        return {
            path: member(arguments, path) for path in row.cache_attributes if path not in row.keys
        }

    def keys(self) -> dict[str, Json]:
        """Key of the step -> value, of those that decide whether an earlier job did the same.

        One that is absent is as one that is null, and if it is a Boolean as one that is false.
        """
        row = STEP_TYPES[self._step.type]
        given = {
            key: resolve(self._step.keys.get(key), self._scope)
            for key in row.cache_attributes
            if key in row.keys
        }
        return {
            key: bool(value) if row.keys[key].type == "Boolean" else value or None
            for key, value in given.items()
        }

    def of_attempt(self, attempt: naming.Attempt) -> Request:
        """The request of an attempt, with the name or the token that tells it from others."""
        if self.job.create_name is None:
            token = naming.client_token(
                execution_id=self._scope.execution_id, key=self._key, attempt=attempt
            )
            return self._filled({"ClientToken": token})
        given = self.arguments().get(self.job.create_name)
        if self.job.updates:
            return self._filled({self.job.create_name: self._own_name(given)})
        self._scope.job_name = naming.job_name(
            self.job,
            execution_id=self._scope.execution_id,
            step=self._step.name,
            key=self._key,
            attempt=attempt,
            prefix=str(given) if given else None,
        )
        return self._filled({self.job.create_name: self._scope.job_name})

    def arguments(self, step: Step | None = None) -> Request:
        """Arguments, resolved: those that make the name, or those of another step."""
        given = (step or self._step).arguments
        return {key: resolve(value, self._scope) for key, value in given.items()}

    def _filled(self, identity: Request) -> Request:
        arguments = self.arguments(self._sent)
        request = {**arguments, **identity}
        if self.job.role:
            request |= self._with_roles(request, self.job.role)
        if self.job.experiment and (config := self._experiment(arguments.get("ExperimentConfig"))):
            request["ExperimentConfig"] = config
        if self._takes_tags(arguments) and settings.tags():
            request["Tags"] = tagging.with_origin(arguments.get("Tags"), self.origin)
        return request

    def _experiment(self, own: Json) -> dict[str, Json]:
        """The step's own ExperimentConfig in the pipeline's experiment and trial."""
        return {**(own if isinstance(own, dict) else {}), **self._joined}

    def _takes_tags(self, arguments: Request) -> bool:
        """Whether the resource takes tags: a version in a group has those of its group."""
        return self.job.tags and not (self.job.group and arguments.get(f"{self.job.group}Name"))

    def _own_name(self, given: Json) -> str:
        if not given:
            where = f"{self._step.where}.Arguments.{self.job.create_name}"
            cure = f"no name; give the {self.job.noun} one, the service makes none up"
            raise DefinitionError([Problem(where, cure)])
        return str(given)

    def _with_roles(self, request: Request, role: str) -> Request:
        """The members that hold the role, with the pipeline's where they have none."""
        if not self.job.role_in:
            return {role: request.get(role) or self.role(role)}
        return {
            holder: self._with_role(request[holder], f"{holder}.{role}")
            for holder in self.job.role_in
            if request.get(holder)
        }

    def _with_role(self, value: Json, path: str) -> Json:
        """An object, or each of a list of objects, with a role."""
        if isinstance(value, list):
            return [self._with_role(element, path) for element in value]
        role = path.rpartition(".")[2]
        if not isinstance(value, dict) or value.get(role):
            return value
        return {**value, role: self.role(path)}

    def role(self, path: str) -> str:
        """The role of the pipeline, for that path in Arguments, which has none."""
        role = self._scope.pipeline.role_arn or settings.role_arn()
        if role is None:
            where = f"{self._step.where}.Arguments.{path}"
            cure = "no role; give it here, as build_dag's role_arn or as [sm_pipelines] role_arn"
            raise DefinitionError([Problem(where, cure)])
        return role


def key_text(value: Json) -> str:
    """A value of a step's key as the text of a tag."""
    return str(value).lower() if isinstance(value, bool) else str(value)
