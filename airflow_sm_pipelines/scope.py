"""Where the expressions of a definition find their values in an Airflow run."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import aws, naming, objects, settings
from airflow_sm_pipelines.definition import Pipeline, bind
from airflow_sm_pipelines.definition.node import Json, kind
from airflow_sm_pipelines.definition.paths import look_up, parse_path, without_root
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import ExpressionError

if TYPE_CHECKING:
    from botocore.client import BaseClient

NO_ITERATION = "no ForEach step is run, so there is no iteration"
OUTCOME = "Outcome"
"""The XCom key of a Condition step's outcome, as `Steps.<step>.Outcome` reads it."""
CACHE_SWITCH = "sm_pipelines.cache"
"""The Param that turns the step cache off for a run; no pipeline parameter has a dot."""


@dataclass(kw_only=True)
class RunScope:
    """A `definition.Scope` over one task's context: Params, XComs, and JSON objects in S3.

    What was looked up once is kept, so that all uses in one attempt agree.
    """

    pipeline: Pipeline
    context: Any
    connection: aws.Connection
    job_name: str = "none"
    """The name of the task's own job; the default stands in while the name is being made."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    """What CurrentDateTime is, the same in all tries of one job."""
    _properties: dict[str, Json] = field(default_factory=dict)
    _documents: dict[str, Json] = field(default_factory=dict)

    def parameter(self, name: str) -> Json:
        return self.parameters[name]

    def execution(self, variable: str) -> str:
        return EXECUTION[variable](self)

    def experiment(self, name: str) -> Json:
        names = self.pipeline.experiment or {}
        if names.get(name) is None:
            raise ExpressionError(f"PipelineExperimentConfig has no {name}; give it one")
        return resolve(names[name], self)

    def properties(self, step: str) -> Json:
        if step not in self._properties:
            self._properties[step] = self._pull(step)
        return self._properties[step]

    def property_file(self, step: str, name: str) -> str:
        file = next(f for f in self.pipeline.step(step).property_files if f.name == name)
        path = ("ProcessingOutputConfig", "Outputs", file.output_name, "S3Output", "S3Uri")
        try:
            folder = look_up(self.properties(step), path)
        except LookupError as error:
            raise ExpressionError(f"property file {name!r} of step {step!r}: {error}") from error
        return f"{str(folder).rstrip('/')}/{file.file_path}"

    def current_item(self) -> Json:
        raise ExpressionError(NO_ITERATION)

    def iteration(self, step: str) -> Json:
        raise ExpressionError(NO_ITERATION)

    def json_get(self, uri: str, path: str) -> Json:
        if uri not in self._documents:
            self._documents[uri] = _read_json(self._s3, uri)
        return _select(self._documents[uri], uri, path)

    @cached_property
    def parameters(self) -> dict[str, Json]:
        """The run's parameter values; a ParameterError where they do not fit the definition."""
        given = dict(self.context["params"])
        given.pop(CACHE_SWITCH, None)
        return bind(self.pipeline, given)

    @cached_property
    def execution_id(self) -> str:
        """12 characters that name this run in AWS."""
        return naming.execution_id(
            deployment=settings.deployment(),
            dag_id=self.context["dag"].dag_id,
            run_id=self.context["run_id"],
        )

    @cached_property
    def pipeline_arn(self) -> str:
        """The ARN that SageMaker would give the pipeline, with its name in lower case."""
        sts = self.connection.client("sts")
        account = aws.call(sts, "GetCallerIdentity", {})["Account"]
        partition, region = sts.meta.partition, sts.meta.region_name
        name = self.pipeline.name.lower()
        return f"arn:{partition}:sagemaker:{region}:{account}:pipeline/{name}"

    @property
    def start_time(self) -> datetime:
        """When the run started; `run_after`, since clearing a task resets `start_date`."""
        started: datetime = self.context["dag_run"].run_after
        return started

    @cached_property
    def _s3(self) -> "BaseClient":
        return self.connection.client("s3")

    def _pull(self, step: str) -> Json:
        ti = self.context["ti"]
        if self.pipeline.step(step).branches:
            outcome = ti.xcom_pull(task_ids=step, key=OUTCOME)
            pulled = None if outcome is None else {OUTCOME: outcome}
        else:
            pulled = ti.xcom_pull(task_ids=step)
        if pulled is None:
            raise ExpressionError(f"step {step!r} has handed on nothing in this run; did it run?")
        return pulled


def _read_json(s3: "BaseClient", uri: str) -> Json:
    if not uri.startswith("s3://") or not all(objects.split(uri)):
        raise ExpressionError(f"{uri!r} is not the URI of an object; write s3://bucket/key")
    found = objects.get(s3, uri)
    if found is None:
        raise ExpressionError(f"no object {uri}; the step before has to write it there")
    try:
        document: Json = json.loads(found["Body"], parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"{uri} is not JSON: {error}; write one JSON document") from error
    return document


def _refuse_constant(constant: str) -> Json:
    # Python writes NaN for a metric that could not be computed; it compares with nothing.
    raise ValueError(f"it holds {constant}, which JSON does not have")


def _select(document: Json, uri: str, path: str) -> Json:
    value = _look(document, uri, path)
    if value is None or isinstance(value, dict | list):
        raise ExpressionError(
            f"{uri}, path {path!r}: {kind(value)} is there; a path leads to a string, a number "
            "or a boolean"
        )
    return value


def _look(document: Json, uri: str, path: str) -> Json:
    try:
        return look_up(document, parse_path(without_root(path)))
    except LookupError as error:
        if "*" not in path:
            raise ExpressionError(f"{uri}, path {path!r}: {error.args[0]}") from error
    except ValueError:
        pass  # beyond our grammar, as a key with "*" most often is
    return _find(document, uri, path)


def _find(document: Json, uri: str, path: str) -> Json:
    """The one value at a path that is beyond the grammar of `definition.paths`."""
    # Rarely needed, and its grammar takes a tenth of a second to import: not while parsing.
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse

    try:
        found = parse(path).find(document)
    except JSONPathError as error:
        raise ExpressionError(f"path {path!r}: not a JSON path: {error}") from error
    if len(found) != 1:
        raise ExpressionError(
            f"{uri}, path {path!r}: {len(found)} values are there; a path leads to exactly one"
        )
    value: Json = found[0].value
    return value


def _own_job(scope: RunScope) -> str:
    return scope.job_name


EXECUTION: dict[str, Callable[[RunScope], str]] = {
    "PipelineExecutionId": lambda scope: scope.execution_id,
    "PipelineExecutionArn": lambda scope: f"{scope.pipeline_arn}/execution/{scope.execution_id}",
    "PipelineName": lambda scope: scope.pipeline.name,
    "PipelineArn": lambda scope: scope.pipeline_arn,
    "StartDateTime": lambda scope: scope.start_time.isoformat(),
    "CurrentDateTime": lambda scope: scope.now.isoformat(),
    "TrainingJobName": _own_job,
    "ProcessingJobName": _own_job,
}
