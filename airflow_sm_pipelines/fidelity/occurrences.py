"""Which features of the fidelity table a definition has, and where.

To find one more, write a function from a pipeline to pairs of feature and place, and add it to
`FINDERS`.
"""

from collections.abc import Callable, Iterator

from airflow_sm_pipelines.definition import Pipeline, Step
from airflow_sm_pipelines.definition.caching import unlisted
from airflow_sm_pipelines.definition.conditions import Comparison, Condition, In, Not, Or
from airflow_sm_pipelines.definition.expressions import Join, JsonGet
from airflow_sm_pipelines.definition.graph import contradicting, reads, upstream
from airflow_sm_pipelines.definition.paths import is_json_path
from airflow_sm_pipelines.definition.references import (
    CurrentItem,
    ExecutionVariable,
    ExperimentReference,
    IterationOutput,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import Expression, Value, expressions

Found = Iterator[tuple[str, str]]
"""Features, each with the path of a place in the definition."""


def occurrences(pipeline: Pipeline) -> Found:
    """Every feature with each of its places."""
    for find in FINDERS:
        yield from find(pipeline)


def _form(pipeline: Pipeline) -> Found:
    yield "Definition", "$"
    if pipeline.metadata:
        yield "Metadata", "$.Metadata"
    for step in pipeline.walk():
        if step.display_name:
            yield "DisplayName", f"{step.where}.DisplayName"
        if step.description:
            yield "Description", f"{step.where}.Description"


def _parameters(pipeline: Pipeline) -> Found:
    for parameter in pipeline.parameters:
        yield f"Parameter={parameter.type}", parameter.where
        if parameter.required:
            yield "Parameter without a default", parameter.where
        if parameter.enum:
            yield "EnumValues", f"{parameter.where}.EnumValues"


def _types(pipeline: Pipeline) -> Found:
    for step in pipeline.walk():
        yield f"Type={step.type}", step.where
        for feature, is_one in WRITTEN_AS_OTHERS.items():
            if is_one(step):
                yield feature, step.where
    monitored = {step.name.removesuffix("-transform"): step for step in _of(pipeline, "Transform")}
    for check in (*_of(pipeline, "QualityCheck"), *_of(pipeline, "ClarifyCheck")):
        name, suffix, _ = check.name.rpartition("-monitoring")
        if suffix and name in monitored:
            yield "MonitorBatchTransform", monitored[name].where
            yield "MonitorBatchTransform", check.where


def _of(pipeline: Pipeline, type_: str) -> Iterator[Step]:
    return (step for step in pipeline.walk() if step.type == type_)


def _is_step_function(step: Step) -> bool:
    return any("sagemaker_remote_function_bootstrap" in word for word in _entry_point(step))


def _is_notebook_job(step: Step) -> bool:
    return "amazon_sagemaker_scheduler" in _entry_point(step)


def _entry_point(step: Step) -> list[str]:
    match step:
        case Step(
            type="Training",
            arguments={"AlgorithmSpecification": {"ContainerEntrypoint": [*words]}},
        ):
            return [word for word in words if isinstance(word, str)]
    return []


def _is_repack(step: Step) -> bool:
    match step:
        case Step(type="Training", arguments={"HyperParameters": {"model_archive": _}}):
            return "RepackModel" in step.name
    return False


def _filled_in(pipeline: Pipeline) -> Found:
    """What the service adds to the requests of jobs."""
    for step in pipeline.walk():
        if step.job is None:
            continue
        yield "Arguments", f"{step.where}.Arguments"
        yield "Job names", step.where
        if step.job.role:
            yield "Roles", step.where
        if step.job.tags:
            yield "Tags", step.where


def _graph(pipeline: Pipeline) -> Found:
    waits = upstream(pipeline)
    where = {step.name: step.where for step in pipeline.walk()}
    for step in pipeline.walk():
        # The steps inside of a ForEach step are no part of the graph.
        if step.name in waits and not waits[step.name]:
            yield "Step without dependencies", step.where
        if reads(step) - {each.step for each in (*step.depends_on, *step.cleans)}:
            yield "Step that reads another", step.where
        if step.cleans:
            yield "Cleanup.Resources", f"{step.where}.Arguments.Resources"
    for name in contradicting(pipeline):
        yield "Step that needs both branches", where[name]


def _dependencies(pipeline: Pipeline) -> Found:
    conditions = {step.name for step in _of(pipeline, "Condition")}
    for step in pipeline.walk():
        for dependency in step.depends_on:
            if dependency.trigger != "Completed":
                yield f"Trigger={dependency.trigger}", dependency.where
            elif dependency.step in conditions:
                yield "DependsOn a Condition", dependency.where
            else:
                yield "DependsOn", dependency.where


def _inside(pipeline: Pipeline) -> Found:
    """Steps that stand inside others."""
    for step in pipeline.walk():
        for child in step.children:
            yield ("Branch" if step.branches else "ForEachBody"), child.where
            if step.branches and child.branches:
                yield "Condition in a branch", child.where


def _policies(pipeline: Pipeline) -> Found:
    for step in pipeline.walk():
        if step.cache:
            yield _caching(step), step.cache.where
        if step.job and not step.retries:
            yield "RetryPolicies absent", step.where
        for policy in step.retries:
            for name in policy.exception_types:
                yield f"ExceptionType={name}", policy.where


def _caching(step: Step) -> str:
    """What the CacheConfig of a step is."""
    row = STEP_TYPES[step.type]
    if not (step.cache and step.cache.enabled and row.cache_attributes):
        return "CacheConfig without effect"
    if row.judges:
        return "CacheConfig of a check"
    return "CacheConfig of a ClusterConfig" if unlisted(step) else "CacheConfig"


def _settings(pipeline: Pipeline) -> Found:
    if pipeline.max_parallel_steps:
        yield "ParallelismConfiguration", "$"
    if pipeline.experiment:
        yield "PipelineExperimentConfig", "$.PipelineExperimentConfig"
    if pipeline.mlflow:
        yield "MlflowConfig", "$.MlflowConfig"


def _conditions(pipeline: Pipeline) -> Found:
    for step in pipeline.walk():
        if step.branches:
            where = f"{step.where}.Arguments.Conditions"
            if not step.branches.conditions:
                yield "Conditions=[]", where
            for condition in step.branches.conditions:
                yield from _condition(condition, where)


def _condition(condition: Condition, where: str) -> Found:
    match condition:
        case Comparison(type=type_, where=place):
            yield f"Condition={type_}", place
        case In(negated=negated):
            yield f"Condition={'NotIn' if negated else 'In'}", where
        case Not(inner):
            yield "Condition=Not", where
            yield from _condition(inner, where)
        case Or(conditions):
            yield "Condition=Or", where
            if not conditions:
                yield "Or=[]", where
            for each in conditions:
                yield from _condition(each, where)


def _values(pipeline: Pipeline) -> Found:
    types = {step.name: step.type for step in pipeline.walk()}
    for value in _all_values(pipeline):
        match value:
            case JsonGet(source=PropertyFileReference()):
                yield "Std:JsonGet.PropertyFile", value.where
            case JsonGet():
                yield "Std:JsonGet.S3Uri", value.where
        if isinstance(value, JsonGet) and is_json_path(value.path):
            yield "Std:JsonGet.Path beyond the grammar", f"{value.where}.Path"
        elif not isinstance(value, JsonGet):
            yield _feature(value, types), value.where


def _all_values(pipeline: Pipeline) -> Iterator[Expression]:
    """Every expression; the property file of a Std:JsonGet is a part of that."""
    roots: list[Value] = [pipeline.experiment, pipeline.mlflow]
    found = [each for root in roots for each in expressions(root)]
    for step in pipeline.walk():
        found += step.expressions
        if step.iteration and step.iteration.selector:
            found.append(step.iteration.selector.field)
    of_files = {id(each.source) for each in found if isinstance(each, JsonGet)}
    for each in found:
        if not (isinstance(each, PropertyFileReference) and id(each) in of_files):
            yield each


def _feature(value: Expression, types: dict[str, str]) -> str:
    match value:
        case ExecutionVariable(name=name):
            return f"Get=Execution.{name}"
        case PropertyReference(step=step):
            first = str(value.path[0])
            if not STEP_TYPES[types[step]].runs:
                return "Get=Steps of a step that is not run"
            return COMPUTED.get((types[step], first), "Get=Steps")
    return EXPRESSIONS[type(value)]


WRITTEN_AS_OTHERS: dict[str, Callable[[Step], bool]] = {
    "@step function": _is_step_function,
    "Notebook job": _is_notebook_job,
    "Repack": _is_repack,
}

# Developer guide, "Properties Reference": what the service adds to the answer of Describe.
COMPUTED: dict[tuple[str, str], str] = {
    ("Condition", "Outcome"): "Get=Steps.Outcome",
    ("Tuning", "TrainingJobSummaries"): "Get=Steps.TrainingJobSummaries",
    ("AutoML", "BestCandidateProperties"): "Get=Steps.BestCandidateProperties",
}

EXPRESSIONS: dict[type, str] = {
    ParameterReference: "Get=Parameters",
    PropertyFileReference: "Get=Steps.PropertyFiles",
    ExperimentReference: "Get=PipelineExperimentConfig",
    CurrentItem: "Get=ForEach.CurrentItem",
    IterationOutput: "Get=IterationOutput",
    Join: "Std:Join",
}

FINDERS: tuple[Callable[[Pipeline], Found], ...] = (
    _types,
    _values,
    _conditions,
    _graph,
    _dependencies,
    _inside,
    _policies,
    _settings,
    _parameters,
    _filled_in,
    _form,
)
