"""Pipeline parameters: how they are declared, and which values a run may start with."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from airflow_sm_pipelines.definition.model import Parameter, Pipeline
from airflow_sm_pipelines.definition.node import Json, Node, Problems
from airflow_sm_pipelines.errors import (
    DefinitionError,
    ParameterError,
    Problem,
    did_you_mean,
    listed,
)


def parse_parameter(node: Node) -> Parameter:
    """Read one of `Parameters`."""
    problems = Problems()
    with problems.caught():
        node.only(("Name", "Type", "DefaultValue", "EnumValues", "Description"))
    with problems.caught():
        name = node["Name"].identifier(LONGEST_PARAMETER_NAME)
    with problems.caught():
        type_ = _type(node)
        default = node.read("DefaultValue", PARAMETER_TYPES[type_].read)
    with problems.caught():
        enum = _enum(node)
    with problems.caught():
        description = node.read("Description", Node.text)
    problems.raise_any()
    if default is not None and enum and default not in enum:
        raise node["DefaultValue"].error(
            f"{default!r} is not among EnumValues; use one of: {listed(enum)}"
        )
    return Parameter(
        name=name, type=type_, default=default, enum=enum, description=description, where=node.path
    )


def bind(pipeline: Pipeline, given: Mapping[str, Json]) -> dict[str, Json]:
    """Every parameter's value in a run that was started with `given`.

    A ParameterError tells all values that are missing, unknown, of another type than declared or
    outside their enum.
    """
    problems = list(_unknown(pipeline, given))
    values: dict[str, Json] = {}
    for parameter in pipeline.parameters:
        try:
            values[parameter.name] = _value(parameter, given)
        except DefinitionError as error:
            problems += error.problems
    if problems:
        raise ParameterError(problems)
    return values


def bind_text(pipeline: Pipeline, given: Mapping[str, str]) -> dict[str, Json]:
    """`bind` for values that are text, as StartPipelineExecution takes them: `3`, `true`."""
    types = {parameter.name: parameter.type for parameter in pipeline.parameters}
    return bind(
        pipeline,
        {
            name: PARAMETER_TYPES[types[name]].from_text(text) if name in types else text
            for name, text in given.items()
        },
    )


def _unknown(pipeline: Pipeline, given: Mapping[str, Json]) -> Iterator[Problem]:
    known = [parameter.name for parameter in pipeline.parameters]
    for name in given:
        if name not in known:
            yield Problem(
                f"parameter {name}",
                f"unknown{did_you_mean(name, known)}; the pipeline declares: {listed(known)}",
            )


def _value(parameter: Parameter, given: Mapping[str, Json]) -> Json:
    where = f"parameter {parameter.name}"
    value = given.get(parameter.name, parameter.default)
    if value is None and parameter.required:
        raise DefinitionError(
            [Problem(where, f"missing; it has no default, give a value of type {parameter.type}")]
        )
    value = PARAMETER_TYPES[parameter.type].read(Node(value, where))
    if parameter.enum and value not in parameter.enum:
        raise Node(value, where).error(
            f"{value!r} is not among its values; use one of: {listed(parameter.enum)}"
        )
    return value


def _type(node: Node) -> str:
    # The published schema requires Type except for String.
    type_ = node.read("Type", Node.text) or "String"
    if type_ not in PARAMETER_TYPES:
        raise node["Type"].error(
            f"unknown parameter type {type_!r}{did_you_mean(type_, PARAMETER_TYPES)}; "
            f"known are: {listed(PARAMETER_TYPES)}"
        )
    return type_


def _enum(node: Node) -> tuple[str, ...]:
    enum = node.get("EnumValues")
    if enum is None:
        return ()
    if node.read("Type", Node.text) not in {None, "String"}:
        raise enum.error("EnumValues are for String parameters; remove them")
    if not enum.items():
        raise enum.error("no values; give at least one or remove the key")
    return tuple(value.text() for value in enum.items())


def _integer_text(text: str) -> Json:
    try:
        return int(text)
    except ValueError:
        return text  # `bind` tells what is wrong with it


def _number_text(text: str) -> Json:
    try:
        return float(text)
    except ValueError:
        return text


def _boolean_text(text: str) -> Json:
    # The SDK starts executions with str(value), so booleans arrive as True and False.
    return {"true": True, "false": False}.get(text.lower(), text)


# API, PipelineParameterName.
LONGEST_PARAMETER_NAME = 256


@dataclass(frozen=True, slots=True)
class ParameterType:
    """A value of a parameter's `Type`."""

    read: Callable[[Node], Json]
    from_text: Callable[[str], Json]
    json_schema: str
    """The `type` of its values in JSON schema, which Airflow's trigger form uses."""


PARAMETER_TYPES: dict[str, ParameterType] = {
    "String": ParameterType(Node.text, str, "string"),
    "Integer": ParameterType(Node.integer, _integer_text, "integer"),
    "Float": ParameterType(Node.number, _number_text, "number"),
    "Boolean": ParameterType(Node.boolean, _boolean_text, "boolean"),
}
