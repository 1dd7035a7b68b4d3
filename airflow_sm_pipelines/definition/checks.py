"""What a definition has to keep beyond its form: names, references, order.

A check is a function from a pipeline to the problems it finds and a row in `CHECKS`; one that
finds what works but surely is not meant has its row in `WARNINGS`.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from airflow_sm_pipelines.definition.expressions import (
    Expression,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
    expressions,
)
from airflow_sm_pipelines.definition.graph import find_cycle, upstream
from airflow_sm_pipelines.definition.model import Pipeline, PropertyFile, Step
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import DefinitionError, Problem, did_you_mean, listed


def check(pipeline: Pipeline) -> None:
    """Raise a DefinitionError with what `CHECKS` find, of each check up to `MOST_OF_A_KIND`."""
    problems = [problem for find in CHECKS for problem in _bounded(find(pipeline))]
    if problems:
        raise DefinitionError(problems)


def warnings(pipeline: Pipeline) -> list[Problem]:
    """What `WARNINGS` find: the pipeline runs, but not as its author may expect."""
    return [warning for find in WARNINGS for warning in find(pipeline)]


def _bounded(problems: Iterator[Problem]) -> Iterator[Problem]:
    """The first problems; finding thousands, each with a suggestion, would take minutes."""
    yield from islice(problems, MOST_OF_A_KIND)
    if next(problems, None):
        yield Problem("$", f"more than {MOST_OF_A_KIND} problems of one kind; mend those first")


def _duplicate_steps(pipeline: Pipeline) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for step in pipeline.walk():
        if step.name in first:
            yield Problem(
                f"{step.where}.Name",
                f"{step.name!r} is the name of {first[step.name]} already; "
                "names are unique in the whole pipeline, branches included",
            )
        first.setdefault(step.name, step.where)


def _duplicate_parameters(pipeline: Pipeline) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for parameter in pipeline.parameters:
        if parameter.name in first:
            yield Problem(
                f"{parameter.where}.Name",
                f"{parameter.name!r} is the name of {first[parameter.name]} already; rename one",
            )
        first.setdefault(parameter.name, parameter.where)


def _unknown_parameters(pipeline: Pipeline) -> Iterator[Problem]:
    known = [parameter.name for parameter in pipeline.parameters]
    taken = pipeline.unread.union(known)
    for expression in _all_expressions(pipeline):
        match expression:
            case ParameterReference(name, where) if name not in taken:
                yield Problem(
                    where,
                    f"unknown parameter {name!r}{did_you_mean(name, known)}; "
                    f"declared are: {listed(known)}",
                )


def _unknown_steps(pipeline: Pipeline) -> Iterator[Problem]:
    steps = {step.name: step for step in pipeline.walk()}
    for where, name in _mentions(pipeline):
        step = steps.get(name)
        if step is None and name not in pipeline.unread:
            yield Problem(
                where,
                f"unknown step {name!r}{did_you_mean(name, steps)}; steps are: {listed(steps)}",
            )
        elif step and not STEP_TYPES[step.type].depended_on:
            yield Problem(
                where,
                f"{name!r} is a {step.type} step, which nothing can depend on; "
                "depend on what comes before it",
            )


def _unknown_property_files(pipeline: Pipeline) -> Iterator[Problem]:
    files = {step.name: [file.name for file in step.property_files] for step in pipeline.walk()}
    for expression in _all_expressions(pipeline):
        if not isinstance(expression, PropertyFileReference) or expression.step not in files:
            continue
        known = files[expression.step]
        if expression.name not in known:
            yield Problem(
                expression.where,
                f"step {expression.step!r} has no property file {expression.name!r}"
                f"{did_you_mean(expression.name, known)}; it has: {listed(known)}",
            )


def _property_files_without_output(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        for file in step.property_files:
            yield from _missing_output(step, file)


def _missing_output(step: Step, file: PropertyFile) -> Iterator[Problem]:
    match step.arguments.get("ProcessingOutputConfig"):
        case {"Outputs": list(outputs)}:
            names = [o.get("OutputName") for o in outputs if isinstance(o, dict)]
        case _:
            names = []
    known = [name for name in names if isinstance(name, str)]
    if file.output_name not in known:
        yield Problem(
            f"{file.where}.OutputName",
            f"the step has no output {file.output_name!r}{did_you_mean(file.output_name, known)}; "
            f"its outputs are: {listed(known)}",
        )


def _cycles(pipeline: Pipeline) -> Iterator[Problem]:
    where = {step.name: step.where for step in pipeline.walk()}
    waits = {
        name: {other for other in before if other in where}
        for name, before in upstream(pipeline).items()
    }
    while cycle := find_cycle(waits):
        yield Problem(
            where[cycle[0]],
            f"steps wait for each other: {' -> '.join(cycle)}; remove one of the dependencies",
        )
        waits = {name: before for name, before in waits.items() if name not in cycle}


def _not_applied(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if step.cache and step.cache.enabled:
            yield Problem(
                f"{step.where}.CacheConfig", "caching is not applied yet; every run runs the job"
            )
        if step.retries:
            yield Problem(
                f"{step.where}.RetryPolicies",
                "retry policies are not applied yet; set Airflow's `retries` for the DAG instead",
            )


def _mentions(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """Where each step is named by another, with the name."""
    for step in pipeline.walk():
        for dependency in step.depends_on:
            yield dependency.where, dependency.step
    for expression in _all_expressions(pipeline):
        if isinstance(expression, PropertyReference | PropertyFileReference):
            yield expression.where, expression.step


def _all_expressions(pipeline: Pipeline) -> Iterator[Expression]:
    for step in pipeline.walk():
        yield from step.expressions
    for values in (pipeline.experiment, pipeline.mlflow):
        yield from expressions(values)


MOST_OF_A_KIND = 100

CHECKS: tuple[Callable[[Pipeline], Iterator[Problem]], ...] = (
    _duplicate_parameters,
    _duplicate_steps,
    _unknown_parameters,
    _unknown_steps,
    _unknown_property_files,
    _property_files_without_output,
    _cycles,
)

WARNINGS: tuple[Callable[[Pipeline], Iterator[Problem]], ...] = (_not_applied,)
