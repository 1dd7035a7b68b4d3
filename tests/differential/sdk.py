"""The SDK's side: a pipeline of real steps, and what its local mode makes of a run.

Nobody else imports the SDK. Local mode is asked in its own words: expressions and conditions are
the SDK's objects, the results of jobs go through its step executors, and S3 is the only thing that
is ours.
"""

import copy
import json
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from airflow_sm_pipelines.definition.node import Json
from tests.differential.differences.expressions import LOCAL_START_SECONDS
from tests.differential.ours import EXECUTION_ID, NAME, PROPERTY_FILES, Run
from tests.differential.outcomes import Outcome, attempt, value

os.environ["SAGEMAKER_SUPPRESS_V2_WARNING"] = "1"
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the SDK's own: warnings are errors in our tests
    import sagemaker.workflow.conditions as _conditions  # type: ignore[import-not-found]
    import sagemaker.workflow.parameters as _parameters  # type: ignore[import-not-found]
    from sagemaker.estimator import Estimator  # type: ignore[import-not-found]
    from sagemaker.inputs import TrainingInput  # type: ignore[import-not-found]
    from sagemaker.lambda_helper import Lambda  # type: ignore[import-not-found]
    from sagemaker.local import entities as _entities  # type: ignore[import-not-found]
    from sagemaker.local import pipeline as _local
    from sagemaker.local.exceptions import StepExecutionException  # type: ignore[import-not-found]
    from sagemaker.processing import (  # type: ignore[import-not-found]
        ProcessingInput,
        ProcessingOutput,
        Processor,
    )
    from sagemaker.s3 import parse_s3_url  # type: ignore[import-not-found]
    from sagemaker.workflow.condition_step import ConditionStep  # type: ignore[import-not-found]
    from sagemaker.workflow.execution_variables import (  # type: ignore[import-not-found]
        ExecutionVariable,
    )
    from sagemaker.workflow.fail_step import FailStep  # type: ignore[import-not-found]
    from sagemaker.workflow.functions import Join, JsonGet  # type: ignore[import-not-found]
    from sagemaker.workflow.lambda_step import (  # type: ignore[import-not-found]
        LambdaOutput,
        LambdaOutputTypeEnum,
        LambdaStep,
    )
    from sagemaker.workflow.pipeline import (  # type: ignore[import-not-found]
        Pipeline,
        PipelineGraph,
        _generate_step_map,
        interpolate,
    )
    from sagemaker.workflow.pipeline_context import (  # type: ignore[import-not-found]
        PipelineSession,
    )
    from sagemaker.workflow.properties import (  # type: ignore[import-not-found]
        Properties,
        PropertyFile,
    )
    from sagemaker.workflow.steps import (  # type: ignore[import-not-found]
        ProcessingStep,
        TrainingStep,
    )

LocalPipelineExecutor = _local.LocalPipelineExecutor
ConditionStepExecutor = _local._ConditionStepExecutor
ConditionIn = _conditions.ConditionIn
ConditionNot = _conditions.ConditionNot
ConditionOr = _conditions.ConditionOr


__all__ = [
    "ConditionIn",
    "ConditionNot",
    "ConditionOr",
    "ConditionStepExecutor",
    "ExecutionVariable",
    "Join",
    "JsonGet",
    "LocalPipelineExecutor",
    "Properties",
    "parse_s3_url",
]


@dataclass(frozen=True, slots=True)
class LocalSession:
    """As much of a session as local mode asks for; it is its own SageMaker client."""

    run: Run

    @property
    def sagemaker_client(self) -> "LocalSession":
        return self

    def read_s3_file(self, bucket: str, key: str) -> str:
        uri = f"s3://{bucket}/{key}"
        if uri not in self.run.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": uri}}, "GetObject")
        return self.run.objects[uri]

    def create_processing_job(self, name: str, **arguments: Json) -> None:
        """Do nothing: the job has the result that the run says."""

    def describe_processing_job(self, name: str) -> Json:
        return copy.deepcopy(self.run.results[PREPARE.name])


def executor(run: Run, kind: Any = LocalPipelineExecutor) -> Any:
    """Local mode in the middle of a run: the steps that have a result are done."""
    session = LocalSession(run)
    execution = _entities._LocalPipelineExecution(
        EXECUTION_ID, pipeline(), PipelineParameters=run.parameters, local_session=session
    )
    # Local mode does not run Lambda steps; it evaluates references to them all the same.
    execution.step_execution[LAMBDA.name] = _entities._LocalPipelineExecutionStep(
        LAMBDA.name, LAMBDA.step_type, None
    )
    execution.creation_time = LOCAL_START_SECONDS
    made = kind(execution, session)
    for name, result in run.results.items():
        if name == PREPARE.name:
            result = _local._ProcessingStepExecutor(made, PREPARE).execute()
        execution.update_step_properties(name, result)
    return made


def evaluate(tree: object, run: Run) -> Outcome:
    """A value in which objects of the SDK stand."""
    return attempt(lambda: executor(run)._parse_arguments(tree, CHECK), FAILURES)


def decide(conditions: list[Any], run: Run) -> Outcome:
    """Whether all conditions of a Condition step hold."""
    step = condition_step(conditions)
    return attempt(
        lambda: ConditionStepExecutor(executor(run), step).execute()["Outcome"], FAILURES
    )


def start(declared: list[Any], given: Mapping[str, Json]) -> Outcome:
    """The parameters of a run that is started with `given`."""
    execution = _entities._LocalPipelineExecution.__new__(_entities._LocalPipelineExecution)
    execution.pipeline = Pipeline(NAME, parameters=declared, sagemaker_session=SESSION)
    return attempt(lambda: execution._initialize_and_validate_parameters(given), FAILURES)


def written(tree: object) -> Json:
    """What the SDK writes into a definition for a value in which its objects stand."""
    request: Json = json.loads(json.dumps(interpolate(tree, {}, {}, pipeline_name=NAME)))
    return request


def requests(conditions: list[Any]) -> list[Json]:
    """What the SDK writes into a definition for conditions."""
    return [written(condition.to_request()) for condition in conditions]


def condition_step(conditions: list[Any]) -> Any:
    """The step whose conditions and arguments are evaluated."""
    return ConditionStep(CHECK, conditions=conditions, if_steps=[], else_steps=[])


@cache
def pipeline() -> Any:
    """The pipeline that is in execution."""
    steps = [PREPARE, TRAIN, DECIDE, condition_step([])]
    return Pipeline(NAME, parameters=PARAMETERS, steps=steps, sagemaker_session=SESSION)


# The newer way, step_args=processor.run(), reports every call to Amazon; this one stays here.
def processing_step(name: str, values: Sequence[Any] = (), **keywords: Any) -> Any:
    """A Processing step with an input, and three outputs with property files in two of them."""
    outputs = [
        ProcessingOutput(output_name=output, source=f"/opt/{output}", destination="s3://bucket")
        for output in ("train", "test", "v1.0")
    ]
    files = [
        PropertyFile(file, output, path) for (_, file), (output, path) in PROPERTY_FILES.items()
    ]
    return ProcessingStep(
        name,
        processor=Processor(**JOB, env={f"V{index}": value for index, value in enumerate(values)}),
        inputs=[ProcessingInput("s3://bucket/in", "/opt/in", input_name="in")],
        outputs=outputs,
        property_files=files,
        **keywords,
    )


def training_step(name: str, values: Sequence[Any] = (), **keywords: Any) -> Any:
    """A Training step."""
    hyperparameters = {f"V{index}": value for index, value in enumerate(values)}
    estimator = Estimator(**JOB, output_path="s3://bucket/out", hyperparameters=hyperparameters)
    inputs = TrainingInput("s3://bucket/in")
    return TrainingStep(name, estimator=estimator, inputs=inputs, **keywords)


def lambda_step(name: str, values: Sequence[Any] = (), **keywords: Any) -> Any:
    """A Lambda step with one output."""
    function = Lambda("arn:aws:lambda:us-east-1:111122223333:function:f", session=SESSION)
    output = LambdaOutput("answer", LambdaOutputTypeEnum.String)
    inputs = {f"V{index}": value for index, value in enumerate(values)}
    return LambdaStep(name, lambda_func=function, outputs=[output], inputs=inputs, **keywords)


def fail_step(name: str, values: Sequence[Any] = (), **keywords: Any) -> Any:
    """A Fail step."""
    return FailStep(name, error_message=Join(on=" ", values=list(values)), **keywords)


def branching_step(name: str, values: Sequence[Any] = (), **keywords: Any) -> Any:
    """A Condition step, with `if_steps` and `else_steps`."""
    conditions = [ConditionNot(ConditionOr([ConditionIn(value, [1])])) for value in values]
    return ConditionStep(name, conditions=conditions, **keywords)


def definition(steps: list[Any]) -> str:
    """The text of the definition of a pipeline."""
    text: str = Pipeline(NAME, steps=steps, sagemaker_session=SESSION).definition()
    return text


def waits(steps: list[Any]) -> Outcome:
    """Step name -> the names it waits for."""
    followers = _graph(steps).adjacency_list
    return value(
        {
            name: sorted(other for other, after in followers.items() if name in after)
            for name in followers
        }
    )


def has_cycle(steps: list[Any]) -> bool:
    """Whether steps wait for one another."""
    found: bool = _graph(steps).is_cyclic()
    return found


def _graph(steps: list[Any]) -> Any:
    graph = PipelineGraph.__new__(PipelineGraph)  # its constructor refuses a cycle
    graph.step_map = {}
    _generate_step_map(steps, graph.step_map)
    graph.adjacency_list = graph._initialize_adjacency_list()
    return graph


def parameter(name: str, type_: str, default: Json, enum: list[str] | None = None) -> Any:
    """The declaration of a parameter."""
    keywords = {"enum_values": enum} if type_ == "String" else {}
    return PARAMETER_TYPES[type_](name=name, default_value=default, **keywords)


# Besides its own exception local mode ends with Python's where it expects none.
FAILURES = (
    StepExecutionException,
    ClientError,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)

# They write lines about every step that is made or evaluated.
for _name in ("sagemaker", "sagemaker.config"):
    logging.getLogger(_name).setLevel(logging.ERROR)

SESSION = PipelineSession(
    boto_session=boto3.Session("id", "secret", region_name="us-east-1"), default_bucket="bucket"
)
JOB = {
    "role": "arn:aws:iam::111122223333:role/pipelines",
    "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/image",
    "instance_count": 1,
    "instance_type": "ml.m5.large",
    "sagemaker_session": SESSION,
}
PARAMETER_TYPES: dict[str, Any] = {
    "String": _parameters.ParameterString,
    "Integer": _parameters.ParameterInteger,
    "Float": _parameters.ParameterFloat,
    "Boolean": _parameters.ParameterBoolean,
}
COMPARISONS: dict[str, Any] = {
    "Equals": _conditions.ConditionEquals,
    "GreaterThan": _conditions.ConditionGreaterThan,
    "GreaterThanOrEqualTo": _conditions.ConditionGreaterThanOrEqualTo,
    "LessThan": _conditions.ConditionLessThan,
    "LessThanOrEqualTo": _conditions.ConditionLessThanOrEqualTo,
}
PARAMETERS = [
    _parameters.ParameterString("Text"),
    _parameters.ParameterString("Folder"),
    _parameters.ParameterInteger("Count"),
    _parameters.ParameterFloat("Rate"),
    _parameters.ParameterBoolean("Flag"),
]
CHECK = "Check"
PREPARE = processing_step("Prepare")
TRAIN = training_step("Train")
DECIDE = ConditionStep("Decide", conditions=[], if_steps=[], else_steps=[])
LAMBDA = lambda_step("Ask")
