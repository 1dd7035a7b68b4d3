"""The looks that validation takes at a step.

Another one is a function from a step and the names of its pipeline to findings, and a row of
`LOOKS`.
"""

import re
from collections.abc import Callable, Iterator

from airflow_sm_pipelines.definition.expressions import JsonGet
from airflow_sm_pipelines.definition.model import Pipeline, Step
from airflow_sm_pipelines.definition.node import child_path, kind
from airflow_sm_pipelines.definition.paths import is_json_path
from airflow_sm_pipelines.definition.references import PropertyReference
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import Value
from airflow_sm_pipelines.validation.arguments import ALTERNATIVES, DOUBTFUL, FREE, arguments
from airflow_sm_pipelines.validation.comparisons import check_condition
from airflow_sm_pipelines.validation.findings import Finding, doubted, refused
from airflow_sm_pipelines.validation.kinds import Names
from airflow_sm_pipelines.validation.models import shape, version
from airflow_sm_pipelines.validation.properties import missing_property
from airflow_sm_pipelines.validation.shapes import RULES, check, check_reference
from airflow_sm_pipelines.validation.stringified import stringified, texts


def findings(pipeline: Pipeline) -> Iterator[Finding]:
    """What the looks find, in the order of the definition."""
    for parameter in pipeline.parameters:
        if isinstance(parameter.default, str):
            place = child_path(parameter.where, "DefaultValue")
            yield from _stringified(parameter.default, place, command=False)
    names = Names.of(pipeline)
    for step in pipeline.walk():
        for look in LOOKS:
            yield from look(step, names)


def _arguments(step: Step, names: Names) -> Iterator[Finding]:
    """Arguments against the request of the step's AWS operation."""
    name = arguments(step.type)
    where = f"{step.where}.Arguments"
    if name:
        yield from check(step.arguments, shape(name), where, names)
    elif step.type not in FREE:
        yield doubted(
            where, f"{version()} does not know what a {step.type} step takes; use a newer one"
        )


def _alternatives(step: Step, names: Names) -> Iterator[Finding]:
    """Members of which exactly one has to be given."""
    for choice in ALTERNATIVES.get(step.type, ()):
        holder: Value = step.arguments
        where = f"{step.where}.Arguments"
        for member in choice.inside:
            holder = holder.get(member) if isinstance(holder, dict) else None
            where = child_path(where, member)
        if isinstance(holder, dict):
            given = [name for name in choice.between if holder.get(name) is not None]
            if len(given) != 1:
                count = "both" if given else "neither"
                yield refused(
                    where, f"{count} of {' and '.join(choice.between)} given; give one of them"
                )


def _doubtful(step: Step, names: Names) -> Iterator[Finding]:
    """Members that are in the model and that the pipeline service may refuse all the same."""
    for (step_type, member), (beside, reason) in DOUBTFUL.items():
        if step.type == step_type and {member, beside} <= step.arguments.keys():
            yield doubted(f"{step.where}.Arguments.{member}", reason)


def _unnamed(step: Step, names: Names) -> Iterator[Finding]:
    """Endpoints and the like, whose name is not known to be made up by the service."""
    job = step.job
    if job and job.updates and job.create_name and not step.arguments.get(job.create_name):
        yield doubted(
            f"{step.where}.Arguments",
            f"{job.create_name!r} is missing; give it, the name of such a resource is its own",
        )


def _keys(step: Step, names: Names) -> Iterator[Finding]:
    """References that stand for keys of the step; how SageMaker compares these is not known."""
    for key, value in step.keys.items():
        if isinstance(value, bool | str | int | float | list | dict) or value is None:
            continue
        rule = RULES[STEP_TYPES[step.type].keys[key].type.lower()]
        for found in check_reference(value, rule, child_path(step.where, key), names):
            yield doubted(found.where, found.message)


def _conditions(step: Step, names: Names) -> Iterator[Finding]:
    """Operands that cannot be compared."""
    for condition in step.branches.conditions if step.branches else ():
        yield from check_condition(condition, names)


def _messages(step: Step, names: Names) -> Iterator[Finding]:
    """The message of a Fail step, which is a string."""
    message = step.arguments.get("ErrorMessage") if step.type == "Fail" else None
    if isinstance(message, bool | str | int | float | list | dict) or message is None:
        return
    for found in check_reference(
        message, RULES["string"], f"{step.where}.Arguments.ErrorMessage", names
    ):
        yield doubted(found.where, found.message)


def _references(step: Step, names: Names) -> Iterator[Finding]:
    """Properties that no step hands on."""
    for expression in step.expressions:
        match expression:
            case PropertyReference(of, _, where) if of in names.steps:
                message = missing_property(names.steps, of, expression.path)
                if message:
                    yield doubted(where, message)
    selector = step.iteration and step.iteration.selector
    if selector and selector.field.step in names.steps:
        message = missing_property(names.steps, selector.field.step, selector.field.path)
        if message:
            yield doubted(selector.field.where, message)


def _json_paths(step: Step, names: Names) -> Iterator[Finding]:
    """Paths beyond the language's own grammar, which have to be JSONPath."""
    for expression in step.expressions:
        match expression:
            case JsonGet(path=path, where=where) if is_json_path(path):
                yield from _json_path(path, f"{where}.Path")


def _json_path(path: str, where: str) -> Iterator[Finding]:
    # Rarely needed, and its grammar takes a tenth of a second to import.
    from jsonpath_ng.exceptions import JSONPathError
    from jsonpath_ng.ext.parser import parse

    try:
        parse(path)
    except JSONPathError as error:
        yield doubted(
            where,
            f"{kind(path)} cannot be read as JSONPath ({error}), so that the step would fail; "
            "write for example metrics['a key'][0].value",
        )


def _texts(step: Step, names: Names) -> Iterator[Finding]:
    """Pipeline variables that have become text."""
    place = f"{step.where}.Arguments"
    yield from _stringified(step.arguments, place, command=step.type in FREE)
    if step.iteration:
        yield from _stringified(step.iteration.items, f"{place}.IterableItems", command=False)
    for key, value in step.keys.items():
        yield from _stringified(value, child_path(step.where, key), command=False)


def _stringified(value: Value, where: str, *, command: bool) -> Iterator[Finding]:
    for place, text in texts(value, where):
        found = stringified(text, command=command or _COMMANDS.search(place) is not None)
        if found:
            yield (refused if found.certain else doubted)(place, found.message)


# Where `${NAME}` may be meant for a shell or a program in the container.
_COMMANDS = re.compile(
    r"\.(?:Container(?:Arguments|Entrypoint)|Environment|(?:Static)?HyperParameters|Args"
    r"|entryPointArguments|sparkSubmitParameters|query)\b"
)

LOOKS: tuple[Callable[[Step, Names], Iterator[Finding]], ...] = (
    _arguments,
    _alternatives,
    _doubtful,
    _unnamed,
    _keys,
    _conditions,
    _messages,
    _references,
    _json_paths,
    _texts,
)
