"""What a finished step hands on, and the type of each of its properties.

Mostly that is what Describe answers; what the pipeline service computes is in `OTHERS`. A property
that is not there is no certain problem: a service may be newer than a model.
"""

from collections.abc import Callable, Mapping
from typing import Any

from airflow_sm_pipelines.definition.model import Step
from airflow_sm_pipelines.definition.paths import DOCUMENTS, NAME_MEMBERS, Path
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.definition.values import Value
from airflow_sm_pipelines.errors import did_you_mean, listed
from airflow_sm_pipelines.validation.models import ANY_SCALAR, ShapeName, response, shape, version

Steps = Mapping[str, Step]


def property_kind(steps: Steps, step: str, path: Path) -> str | None:
    """The type of a property, see `KINDS`; None where it is not known, or there is none."""
    try:
        return _kind(steps, steps[step], path)
    except LookupError:
        return None


def missing_property(steps: Steps, step: str, path: Path) -> str | None:
    """What is wrong with a path into the properties of a step; None where it leads somewhere."""
    try:
        _kind(steps, steps[step], path)
    except LookupError as error:
        return f"step {step!r}: {error.args[0]}"
    return None


def properties(step_type: str) -> ShapeName | None:
    """The shape of what such a step hands on.

    None for a row of `FREE`, and for an operation that this botocore does not know.
    """
    if step_type in OTHERS or step_type in FREE:
        return OTHERS.get(step_type)
    job = STEP_TYPES[step_type].job
    assert job is not None, f"{step_type} steps have no row in OTHERS or FREE"
    answer = response(f"Describe{job.noun}")
    return ShapeName(answer) if answer else None


def _kind(steps: Steps, step: Step, path: Path) -> str | None:
    return READERS.get(step.type, _described)(steps, step, path)


def _described(steps: Steps, step: Step, path: Path) -> str | None:
    name = properties(step.type)
    if name is None and step.type in FREE:
        raise LookupError(f"a {step.type} step has no properties; refer to another step")
    if name is None:
        return None
    _check_names(step.arguments, path)
    here: Any = shape(name)
    walked = step.type
    for segment in path:
        if here.type_name == "string" and here.name in DOCUMENTS:
            return None
        here = MEMBERS.get(here.type_name, _nothing)(here, segment, walked)
        walked += f"[{segment}]" if isinstance(segment, int) else f".{segment}"
    return KINDS[here.type_name]


def _check_names(given: Value, path: Path) -> None:
    """Raise a LookupError for an element that Arguments, which are `given`, do not name."""
    holder = ""
    for segment in path:
        key = NAME_MEMBERS.get(holder)
        match given:
            case list() if key and isinstance(segment, str):
                names = [element.get(key) for element in given if isinstance(element, dict)]
                known = [name for name in names if isinstance(name, str)]
                if segment not in known and len(known) == len(given):
                    raise LookupError(
                        f"no element of {holder} has the {key} {segment!r}"
                        f"{did_you_mean(segment, known)}; there are: {listed(known)}"
                    )
                return
            case dict() if isinstance(segment, str):
                given, holder = given.get(segment), segment
            case _:
                return


def _member(here: Any, segment: str | int, walked: str) -> Any:
    if segment in here.members:
        return here.members[segment]
    raise LookupError(
        f"{walked} has no property {segment!r}{did_you_mean(segment, here.members)}; "
        f"{version()} knows: {listed(here.members)}"
    )


def _element(here: Any, segment: str | int, walked: str) -> Any:
    # A name picks the element that has it; which member of it that is, the run knows.
    return here.member


def _value(here: Any, segment: str | int, walked: str) -> Any:
    if isinstance(segment, int):
        raise LookupError(f"{walked} is a map; write a key, ['name'], instead of [{segment}]")
    return here.value


def _nothing(here: Any, segment: str | int, walked: str) -> Any:
    raise LookupError(
        f"{walked} is a single value without {segment!r} inside; end the path before that"
    )


def _answered(steps: Steps, step: Step, path: Path) -> str | None:
    """`OutputParameters['n']` of a Lambda or Callback step."""
    types = {output.name: output.type for output in step.outputs or ()}
    match path:
        case ("OutputParameters", str() as name) if name in types:
            return types[name]
        case ("OutputParameters", str() as name, *deeper):
            if deeper and name in types:
                raise LookupError(f"output {name!r} is a single value; end the path after it")
            raise LookupError(
                f"the step declares no output {name!r}{did_you_mean(name, types)}; "
                f"its outputs are: {listed(types)}"
            )
    raise LookupError(f"a {step.type} step has only OutputParameters['<name>']; refer to one")


def _iterated(steps: Steps, step: Step, path: Path) -> str | None:
    """Properties of a ForEach step, those of the steps in its body among them."""
    iteration = step.iteration
    body = {child.name: child for child in step.children}
    match path:
        case ("IterationOutputs", int(), str() as name, *rest) if name in body and rest:
            return _kind(steps, body[name], tuple(rest))
        case ("Selected", *rest) if iteration and iteration.selector and rest:
            selected = body.get(iteration.selector.field.step)
            return _kind(steps, selected, tuple(rest)) if selected else None
        case ("IterationOutputs", *_):
            raise LookupError(
                "that is no output of the body; write "
                f"IterationOutputs[0].<step>.<property>, the steps are: {listed(body)}"
            )
        case ("Selected", *_):
            raise LookupError("nothing is selected; give the step a Selector and name a property")
    return _described(steps, step, path)


MEMBERS: dict[str, Callable[[Any, str | int, str], Any]] = {
    "structure": _member,
    "list": _element,
    "map": _value,
}

READERS: dict[str, Callable[[Steps, Step, Path], str | None]] = {
    "Callback": _answered,
    "Lambda": _answered,
    "ForEach": _iterated,
}

OTHERS = {
    "AutoML": ShapeName("PipelineAutoML"),
    "ClarifyCheck": ShapeName("PipelineClarifyCheck"),
    "Condition": ShapeName("PipelineCondition"),
    "EMR": ShapeName("PipelineProperties", "emr"),
    "EMRServerless": ShapeName("GetJobRunResponse", "emr-serverless"),
    "ForEach": ShapeName("PipelineForEach"),
    "Lineage": ShapeName("PipelineLineageArns"),
    "QualityCheck": ShapeName("PipelineQualityCheck"),
    "Tuning": ShapeName("PipelineTuning"),
}

FREE = {
    "Callback": "OutputParameters, as the step declares them",
    "Cleanup": "nothing",
    "Fail": "nothing; no step can depend on it",
    "Lambda": "OutputParameters, as the step declares them",
}
"""Types of steps whose properties are no shape, each with what they are."""

KINDS: dict[str, str | None] = {
    "string": "String",
    "integer": "Integer",
    "long": "Integer",
    "float": "Float",
    "double": "Float",
    "boolean": "Boolean",
    "timestamp": "String",
    "blob": "String",
    "list": "list",
    "map": "map",
    "structure": "structure",
    ANY_SCALAR: None,
}
"""The type of a reference by that of the shape that it leads to."""
