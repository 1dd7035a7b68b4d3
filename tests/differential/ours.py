"""Our side: the JSON of an expression, a condition or a parameter, read and resolved."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from airflow_sm_pipelines.definition import Pipeline, bind, load
from airflow_sm_pipelines.definition.conditions import all_hold, parse_condition
from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.definition.expressions import parse_value
from airflow_sm_pipelines.definition.graph import find_cycle, upstream
from airflow_sm_pipelines.definition.node import Json, Node, Problems
from airflow_sm_pipelines.definition.parse import parse
from airflow_sm_pipelines.definition.paths import look_up, parse_path, without_root
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import ExpressionError, PipelineError
from tests.differential.outcomes import FAILURE, Outcome, attempt, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The facts of one run: a `definition.Scope`, and what the SDK's side is made of."""

    parameters: Mapping[str, Json] = field(default_factory=dict)
    results: Mapping[str, Json] = field(default_factory=dict)
    """Step name -> the answer of its Describe operation."""
    objects: Mapping[str, str] = field(default_factory=dict)
    """S3 URI -> text."""

    def parameter(self, name: str) -> Json:
        return self.parameters[name]

    def execution(self, variable: str) -> str:
        return EXECUTION[variable]

    def experiment(self, name: str) -> Json:
        raise ExpressionError("there is no experiment")

    def properties(self, step: str) -> Json:
        if step not in self.results:
            raise ExpressionError(f"step {step!r} did not run")
        return self.results[step]

    def property_file(self, step: str, name: str) -> str:
        output, file_path = PROPERTY_FILES[step, name]
        path = ("ProcessingOutputConfig", "Outputs", output, "S3Output", "S3Uri")
        try:
            return f"{look_up(self.properties(step), path)}/{file_path}"
        except LookupError as error:
            raise ExpressionError(str(error)) from error

    def json_get(self, uri: str, path: str) -> Json:
        try:
            document: Json = json.loads(self.objects[uri])
            found = look_up(document, parse_path(without_root(path)))
        except (LookupError, ValueError) as error:
            raise ExpressionError(str(error)) from error
        if found is None or isinstance(found, dict | list):
            raise ExpressionError(f"{path}: a path leads to a string, a number or a boolean")
        return found

    def current_item(self) -> Json:
        raise ExpressionError("there is no iteration")

    def iteration(self, step: str) -> Json:
        raise ExpressionError("there is no iteration")


def evaluate(request: Json, run: Run) -> Outcome:
    """A value in which expressions stand."""
    return attempt(lambda: resolve(parse_value(Node(request)), run), FAILURES)


def decide(requests: list[Json], run: Run) -> Outcome:
    """Whether all conditions of a Condition step hold."""
    return attempt(
        lambda: all_hold([parse_condition(Node(each)) for each in requests], run), FAILURES
    )


def start(declared: list[Json], given: Mapping[str, Json]) -> Outcome:
    """The parameters of a run that is started with `given`."""
    return attempt(lambda: bind(_pipeline(declared), given), FAILURES)


def waits(text: str) -> Outcome:
    """Step name -> the names it waits for."""
    return value({name: sorted(before) for name, before in upstream(_parsed(text)).items()})


def has_cycle(text: str) -> bool:
    """Whether steps wait for one another."""
    return bool(find_cycle(upstream(_parsed(text))))


def is_accepted(text: str) -> bool:
    """Whether a definition is loaded."""
    return attempt(lambda: bool(load(text)), FAILURES) != FAILURE


def _parsed(text: str) -> Pipeline:
    """The pipeline without the checks, one of which refuses cycles."""
    problems = Problems()
    pipeline = parse(read(text), problems, name=NAME)
    problems.raise_any()
    return pipeline


def _pipeline(declared: list[Json]) -> Pipeline:
    fail = {"Name": "Fail", "Type": "Fail", "Arguments": {}}
    return load(json.dumps({"Version": "2020-12-01", "Parameters": declared, "Steps": [fail]}))


FAILURES = (PipelineError,)

NAME = "Differential"
EXECUTION_ID = "2drr2511ngo3"
PIPELINE_ARN = f"arn:aws:sagemaker:us-east-1:111122223333:pipeline/{NAME.lower()}"
EXECUTION = {
    "PipelineName": NAME,
    "PipelineArn": PIPELINE_ARN,
    "PipelineExecutionId": EXECUTION_ID,
    "PipelineExecutionArn": f"{PIPELINE_ARN}/execution/{EXECUTION_ID}",
    "StartDateTime": "2026-01-02T03:04:05+00:00",
    "CurrentDateTime": "2026-01-02T04:05:06+00:00",
    "TrainingJobName": "pipelines-2drr2511ngo3-Train-6UaY2bgNL5",
    "ProcessingJobName": "pipelines-2drr2511ngo3-Prepare-6UaY2bgNL5",
}

# Step and property file -> the output that it is in, and its path there; sdk.py declares them.
PROPERTY_FILES = {
    ("Prepare", "Report"): ("train", "report.json"),
    ("Prepare", "Deep"): ("test", "dir/deep.json"),
}
