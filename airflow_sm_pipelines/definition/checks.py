"""What a definition has to keep beyond its form: names, references, order.

A check is a function from a pipeline to the problems it finds and a row in `CHECKS`. What only
makes a definition differ from what its author may expect is in `cautions.py`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice

from airflow_sm_pipelines.definition.graph import find_cycle, upstream, within
from airflow_sm_pipelines.definition.model import Pipeline, PropertyFile, Step
from airflow_sm_pipelines.definition.references import (
    CurrentItem,
    ExperimentReference,
    IterationOutput,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import Expression, expressions
from airflow_sm_pipelines.errors import DefinitionError, Problem, did_you_mean, listed


def check(pipeline: Pipeline) -> None:
    """Raise a DefinitionError with what `CHECKS` find, of each check up to `MOST_OF_A_KIND`."""
    problems = [problem for find in CHECKS for problem in bounded(find(pipeline))]
    if problems:
        raise DefinitionError(problems)


def bounded(problems: Iterator[Problem]) -> Iterator[Problem]:
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
    for expression in all_expressions(pipeline):
        match expression:
            case ParameterReference(name, where) if name not in taken:
                yield Problem(
                    where,
                    f"unknown parameter {name!r}{did_you_mean(name, known)}; "
                    f"declared are: {listed(known)}",
                )


def _experiments_in_terms_of_themselves(pipeline: Pipeline) -> Iterator[Problem]:
    for expression in expressions(pipeline.experiment):
        if isinstance(expression, ExperimentReference):
            yield Problem(
                expression.where,
                f"PipelineExperimentConfig.{expression.name} is what is said here; "
                "write the name, or an expression of parameters",
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
    for expression in all_expressions(pipeline):
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


def _duplicate_files_and_outputs(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if not step.property_files and not step.outputs:
            continue
        files = {f"{file.where}.PropertyFileName": file.name for file in step.property_files}
        outputs = {f"{output.where}.OutputName": output.name for output in step.outputs or ()}
        for names in (files, outputs):
            counts = Counter(names.values())
            for where, name in names.items():
                if counts[name] > 1:
                    yield Problem(where, f"{name!r} is given {counts[name]} times; rename one")


def _items_outside_of_iterations(pipeline: Pipeline) -> Iterator[Problem]:
    inside = {
        id(expression)
        for step in pipeline.walk()
        if step.iteration
        for inner in step.iteration.body
        for expression in inner.expressions
    }
    for expression in all_expressions(pipeline):
        match expression:
            case CurrentItem(where=where) if id(expression) not in inside:
                yield Problem(where, "no item is here; ForEach.CurrentItem is for ForEachBody")
            case IterationOutput(where=where):
                yield Problem(
                    where,
                    "IterationOutput is for Selector.Field; "
                    "elsewhere read Steps.<ForEach step>.IterationOutputs[0].<step>.<property>",
                )


def _selectors(pipeline: Pipeline) -> Iterator[Problem]:
    for step in pipeline.walk():
        if step.iteration and (selector := step.iteration.selector):
            body = [inner.name for inner in step.iteration.body]
            if selector.field.step not in body:
                yield Problem(
                    selector.field.where,
                    f"{selector.field.step!r} is not in the body of {step.name!r}"
                    f"{did_you_mean(selector.field.step, body)}; its steps are: {listed(body)}",
                )


def _names_like_iterations(pipeline: Pipeline) -> Iterator[Problem]:
    """The service calls the steps that it makes of a body `<name>-<index>`."""
    inner = {step.name for each in pipeline.walk() if each.iteration for step in each.children}
    for step in pipeline.walk():
        start, _, index = step.name.rpartition("-")
        if start in inner and index.isdecimal():
            yield Problem(
                f"{step.where}.Name",
                f"{step.name!r} is what the iterations of {start!r} are called; rename one",
            )


def _cycles(pipeline: Pipeline) -> Iterator[Problem]:
    where = {step.name: step.where for step in pipeline.walk()}
    graphs = [upstream(pipeline), *(within(step) for step in pipeline.walk() if step.iteration)]
    for graph in graphs:
        waits = {name: {other for other in graph[name] if other in graph} for name in graph}
        while cycle := find_cycle(waits):
            yield Problem(
                where[cycle[0]],
                f"steps wait for each other: {' -> '.join(cycle)}; remove one of the dependencies",
            )
            waits = {name: before - {*cycle} for name, before in waits.items() if name not in cycle}


def _mentions(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """Where each step is named by another, with the name."""
    for step in pipeline.walk():
        for dependency in (*step.depends_on, *step.cleans):
            yield dependency.where, dependency.step
    for expression in all_expressions(pipeline):
        if isinstance(expression, PropertyReference | PropertyFileReference):
            yield expression.where, expression.step


def all_expressions(pipeline: Pipeline) -> Iterator[Expression]:
    """Every expression of a pipeline."""
    for step in pipeline.walk():
        yield from step.expressions
    for values in (pipeline.experiment, pipeline.mlflow):
        yield from expressions(values)


MOST_OF_A_KIND = 100

CHECKS: tuple[Callable[[Pipeline], Iterator[Problem]], ...] = (
    _duplicate_parameters,
    _duplicate_steps,
    _unknown_parameters,
    _experiments_in_terms_of_themselves,
    _unknown_steps,
    _unknown_property_files,
    _property_files_without_output,
    _duplicate_files_and_outputs,
    _items_outside_of_iterations,
    _selectors,
    _names_like_iterations,
    _cycles,
)
