"""What a definition may hold, but what works otherwise than its author may expect.

A caution is a function from a pipeline to what it finds and a row in `CAUTIONS`. What SageMaker is
sure to refuse is a problem, see `checks.py`; where nobody knows what it does, it is a caution.
"""

from collections.abc import Callable, Iterator

from airflow_sm_pipelines.definition.caching import is_cached, of_one_run, unlisted
from airflow_sm_pipelines.definition.checks import all_expressions, bounded
from airflow_sm_pipelines.definition.conditions import Comparison, Condition, In, Not, Or
from airflow_sm_pipelines.definition.expressions import JsonGet
from airflow_sm_pipelines.definition.graph import contradicting, reads
from airflow_sm_pipelines.definition.model import Pipeline, Step
from airflow_sm_pipelines.definition.node import child_path, kind
from airflow_sm_pipelines.definition.paths import is_json_path
from airflow_sm_pipelines.definition.references import (
    ExperimentReference,
    PropertyFileReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import expressions
from airflow_sm_pipelines.errors import Problem, listed


def warnings(pipeline: Pipeline) -> list[Problem]:
    """What `CAUTIONS` find: the pipeline is accepted, but not all of it may work as meant."""
    return [warning for find in CAUTIONS for warning in bounded(find(pipeline))]


def _not_run(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if not STEP_TYPES[step.type].runs:
            yield Problem(
                f"{step.where}.Type",
                f"steps of type {step.type} are not run yet; the DAG is built, this task fails",
            )


def _cached_in_vain(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if step.cache is None:
            continue
        after = step.cache.expire_after
        if not step.cache.enabled:
            if after and not after.parsed:
                yield Problem(
                    f"{step.cache.where}.ExpireAfter",
                    f"{after.text!r} is no duration; it is ignored, since Enabled is not true",
                )
        elif not STEP_TYPES[step.type].cache_attributes:
            yield Problem(
                step.cache.where, f"{step.type} steps are not cached; every run does the step"
            )
        elif after is None:
            yield Problem(
                step.cache.where,
                "ExpireAfter is missing: how long SageMaker then takes a result for good is not "
                "documented; give a duration such as P30D",
            )
        elif after.seconds:
            yield Problem(
                f"{step.cache.where}.ExpireAfter",
                "seconds are not among the units that SageMaker documents; use minutes (T1M)",
            )


def _retried_in_vain(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        retried = STEP_TYPES[step.type].retried
        for policy in step.retries:
            vain = [name for name in policy.exception_types if name not in retried]
            if vain:
                yield Problem(
                    f"{policy.where}.ExceptionType",
                    f"{step.type} steps are not retried for {listed(vain)}; "
                    f"they are for: {listed(sorted(retried))}",
                )


def _never_hits(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if not is_cached(step):
            continue
        for path, expression in of_one_run(pipeline, step):
            yield Problem(
                expression.where,
                f"{step.name!r} is cached but can never hit: {path} is another in every run; keep "
                "what changes out of the attributes that the cache compares",
            )


def _never_listed(pipeline: Pipeline) -> Iterator[Problem]:
    for step in filter(is_cached, pipeline.walk()):
        for name in unlisted(step):
            yield Problem(
                f"{step.where}.Arguments",
                f"{step.name!r} is cached but can never hit: there is no {name}, on which earlier "
                "ones would be listed; name one that stays from run to run",
            )


def _never_run(pipeline: Pipeline) -> Iterator[Problem]:
    where = {step.name: step.where for step in pipeline.walk()}
    for name, condition in contradicting(pipeline).items():
        yield Problem(
            where[name],
            f"{name!r} never runs: it needs steps of both branches of {condition!r}; "
            "let it depend on one of them",
        )


def _contrary_triggers(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        triggers = {dependency.step: dependency.trigger for dependency in step.depends_on}
        for dependency in step.depends_on:
            if dependency.trigger != triggers[dependency.step]:
                yield Problem(
                    dependency.where,
                    f"{dependency.step!r} is also waited for with the trigger "
                    f"{triggers[dependency.step]!r}; the SDK refuses that, keep one of them",
                )


def _reads_what_did_not_complete(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        read = {e.step for e in step.expressions if isinstance(e, PropertyReference)}
        for dependency in step.depends_on:
            if dependency.trigger in {"Failed", "Stopped"} and dependency.step in read:
                yield Problem(
                    dependency.where,
                    f"the step reads properties of {dependency.step!r} and waits for it to be "
                    f"{dependency.trigger}; then it has none",
                )


def _waits_for_conditions(pipeline: Pipeline) -> Iterator[Problem]:
    conditions = {step.name for step in pipeline.walk() if step.branches}
    for step in pipeline.walk():
        for dependency in step.depends_on:
            if dependency.step in conditions:
                yield Problem(
                    dependency.where,
                    f"{dependency.step!r} is a Condition step: SageMaker was seen to refuse that; "
                    "here the step waits until the condition is decided, not for a branch",
                )


def _nested_conditions(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        for child in step.branches.steps if step.branches else ():
            if child.branches:
                yield Problem(
                    child.where,
                    "a Condition step inside a branch: the SDK writes it and it works here, but "
                    "SageMaker's documentation says that it is not supported",
                )


def _unusual_conditions(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if step.branches and not step.branches.conditions:
            yield Problem(
                f"{step.where}.Arguments.Conditions",
                "no condition; here that is true, what SageMaker makes of it is not documented",
            )
        for condition in step.branches.conditions if step.branches else ():
            yield from _unusual(condition, f"{step.where}.Arguments.Conditions")


def _unusual(condition: Condition, where: str) -> Iterator[Problem]:
    match condition:
        case Comparison(type="NotEquals", where=place):
            yield Problem(place, f"NotEquals {ONLY_IN_THE_SCHEMA}")
        case In(negated=True, where=place):
            yield Problem(place, f"NotIn {ONLY_IN_THE_SCHEMA}")
        case Not(inner):
            yield from _unusual(inner, where)
        case Or(()):
            yield Problem(
                where,
                "an Or of nothing; here that is false, what SageMaker makes of it is not "
                "documented",
            )
        case Or(conditions):
            for each in conditions:
                yield from _unusual(each, where)


def _wide_paths(pipeline: Pipeline) -> Iterator[Problem]:
    for expression in all_expressions(pipeline):
        match expression:
            case JsonGet(path=path, where=where) if is_json_path(path):
                yield Problem(
                    f"{where}.Path",
                    f"{path!r} is beyond names, [0] and ['key']: whether SageMaker takes it is "
                    "not documented; here it has to lead to exactly one value",
                )


def _property_files_as_values(pipeline: Pipeline) -> Iterator[Problem]:
    read = {id(e.source) for e in all_expressions(pipeline) if isinstance(e, JsonGet)}
    for expression in all_expressions(pipeline):
        if isinstance(expression, PropertyFileReference) and id(expression) not in read:
            yield Problem(
                expression.where,
                "a property file outside of Std:JsonGet; here it is the file's S3 URI, SageMaker "
                "documents it for Std:JsonGet alone",
            )


def _body_read_from_outside(pipeline: Pipeline) -> Iterator[Problem]:
    holder = {
        inner.name: step for step in pipeline.walk() if step.iteration for inner in step.children
    }
    for step in pipeline.walk():
        for name in sorted(reads(step) & holder.keys()):
            if holder[name] is not holder.get(step.name):
                yield Problem(
                    step.where,
                    f"{name!r} runs once for each item of {holder[name].name!r} and has no "
                    f"outputs outside; read Steps.{holder[name].name}.IterationOutputs[0].{name}",
                )


def _experiment_of_a_step(pipeline: Pipeline) -> Iterator[Problem]:
    for expression in expressions(pipeline.experiment):
        if isinstance(expression, PropertyReference):
            yield Problem(
                expression.where,
                "an experiment is named before the first step runs; a step has no property then",
            )


def _experiment_names_not_given(pipeline: Pipeline) -> Iterator[Problem]:
    for expression in all_expressions(pipeline):
        match expression:
            case ExperimentReference(name, where) if not (pipeline.experiment or {}).get(name):
                yield Problem(
                    where,
                    f"PipelineExperimentConfig gives no {name}; the value is missing when it runs",
                )


def _addresses_as_expressions(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        for key in ("FunctionArn", "SqsQueueUrl"):
            if not isinstance(step.keys.get(key, ""), str):
                yield Problem(
                    f"{step.where}.{key}",
                    "an expression: AWS's examples have one here, its published schema a string; "
                    "SageMaker may refuse it",
                )


def _auto_ml_modes(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        match step:
            case Step(type="AutoML", arguments={"AutoMLJobConfig": {"Mode": "ENSEMBLING"}}):
                pass
            case Step(type="AutoML"):
                yield Problem(
                    f"{step.where}.Arguments",
                    "pipelines support AutoML in ENSEMBLING mode only; "
                    "set AutoMLJobConfig.Mode to it",
                )


def _metadata_beyond_the_schema(pipeline: Pipeline) -> Iterator[Problem]:
    for key, value in pipeline.metadata.items():
        if not isinstance(value, str):
            yield Problem(
                child_path("$.Metadata", key),
                f"{kind(value)}: AWS's published schema has strings here, SageMaker may refuse it",
            )


def _long_texts(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        texts = {"DisplayName": step.display_name, "Description": step.description}
        for key, text in texts.items():
            if len(text or "") > LONGEST_TEXTS[key]:
                yield Problem(
                    f"{step.where}.{key}",
                    f"{len(text or '')} characters; SageMaker shows up to {LONGEST_TEXTS[key]} and "
                    "may refuse more",
                )


def _too_many_parameters(pipeline: Pipeline) -> Iterator[Problem]:
    if len(pipeline.parameters) > MOST_PARAMETERS:
        yield Problem(
            "$.Parameters",
            f"{len(pipeline.parameters)} parameters; a run of SageMaker Pipelines can be given "
            f"values for {MOST_PARAMETERS}",
        )


ONLY_IN_THE_SCHEMA = (
    "stands in AWS's published schema alone, no SDK writes it; it works here, SageMaker may refuse "
    "it"
)

# API, StepDisplayName and StepDescription.
LONGEST_TEXTS = {"DisplayName": 256, "Description": 3072}

# API, ParameterList.
MOST_PARAMETERS = 200

CAUTIONS: tuple[Callable[[Pipeline], Iterator[Problem]], ...] = (
    _not_run,
    _cached_in_vain,
    _never_hits,
    _never_listed,
    _retried_in_vain,
    _never_run,
    _contrary_triggers,
    _reads_what_did_not_complete,
    _waits_for_conditions,
    _nested_conditions,
    _unusual_conditions,
    _wide_paths,
    _property_files_as_values,
    _body_read_from_outside,
    _experiment_of_a_step,
    _experiment_names_not_given,
    _addresses_as_expressions,
    _auto_ml_modes,
    _metadata_beyond_the_schema,
    _long_texts,
    _too_many_parameters,
)
