"""Nodes into the model; all problems of a definition are collected.

To accept a new key, add it to the table of its object and read it where the object is built.
"""

from collections.abc import Callable, Iterator

from airflow_sm_pipelines.definition.conditions import parse_condition
from airflow_sm_pipelines.definition.document import Document
from airflow_sm_pipelines.definition.expressions import Value, parse_members
from airflow_sm_pipelines.definition.model import (
    Branches,
    Dependency,
    Parameter,
    Pipeline,
    PropertyFile,
    Step,
)
from airflow_sm_pipelines.definition.node import Json, Node, Problems, kind
from airflow_sm_pipelines.definition.parameters import parse_parameter
from airflow_sm_pipelines.definition.policies import parse_cache_policy, parse_retry_policy
from airflow_sm_pipelines.definition.steps import COMMON_KEYS, STEP_TYPES
from airflow_sm_pipelines.errors import did_you_mean, listed


def parse(document: Document, problems: Problems, *, name: str) -> Pipeline:
    """The pipeline of a document, without the parts that have problems.

    Those are added to `problems`; where there are any, the pipeline is good for checks alone.
    `name` is its name where the document has none.
    """
    node = document.definition
    parameters: tuple[Parameter, ...] = ()
    steps: tuple[Step, ...] = ()
    metadata = experiment = mlflow = None
    with problems.caught():
        node.only(PIPELINE_KEYS)
    with problems.caught():
        _check_version(node)
    with problems.caught():
        parameters = problems.each(node.elements("Parameters"), parse_parameter)
    with problems.caught():
        steps = problems.each(node["Steps"].items(), parse_step)
    with problems.caught():
        metadata = node.read("Metadata", _metadata)
    with problems.caught():
        experiment = node.read("PipelineExperimentConfig", _experiment)
    with problems.caught():
        mlflow = node.read("MlflowConfig", _mlflow)
    return Pipeline(
        name=document.name or name,
        parameters=parameters,
        steps=steps,
        metadata=metadata or {},
        experiment=experiment,
        mlflow=mlflow,
        role_arn=document.role_arn,
        description=document.description,
        display_name=document.display_name,
        max_parallel_steps=document.max_parallel_steps,
        unread=frozenset(_names(node.value)) if problems else frozenset(),
    )


def _names(value: Json) -> Iterator[str]:
    match value:
        case dict():
            if isinstance(name := value.get("Name"), str):
                yield name
            for member in value.values():
                yield from _names(member)
        case list():
            for element in value:
                yield from _names(element)


def _check_version(node: Node) -> None:
    version = node["Version"]
    if version.value != VERSION:
        raise version.error(f"{kind(version.value)} is no version; the only one is {VERSION!r}")


def _metadata(node: Node) -> dict[str, str]:
    members = node.members()
    problems = Problems()
    texts = problems.each(members.values(), Node.text)
    problems.raise_any()
    return dict(zip(members, texts, strict=True))


def _experiment(node: Node) -> dict[str, Value]:
    return _values(node, ("ExperimentName", "TrialName"))


def _mlflow(node: Node) -> dict[str, Value]:
    return _values(node, ("MlflowResourceArn", "MlflowExperimentName"))


def _values(node: Node, known: tuple[str, ...]) -> dict[str, Value]:
    problems = Problems()
    with problems.caught():
        node.only(known)
    with problems.caught():
        values = parse_members(node)
    problems.raise_any()
    return values


def parse_step(node: Node) -> Step:
    """Read a step of any type, with the steps inside its branches."""
    problems = Problems()
    with problems.caught():
        name = node["Name"].identifier(LONGEST_STEP_NAME)
    with problems.caught():
        type_ = _step_type(node)
        with problems.caught():
            node.only((*COMMON_KEYS, *sorted(STEP_TYPES[type_].keys)))
        arguments, branches = ARGUMENTS.get(type_, _request)(node["Arguments"])
    with problems.caught():
        depends_on = problems.each(node.elements("DependsOn"), _dependency)
    with problems.caught():
        display_name = node.read("DisplayName", Node.text)
    with problems.caught():
        description = node.read("Description", Node.text)
    with problems.caught():
        cache = node.read("CacheConfig", parse_cache_policy)
    with problems.caught():
        retries = problems.each(node.elements("RetryPolicies"), parse_retry_policy)
    with problems.caught():
        property_files = problems.each(node.elements("PropertyFiles"), _property_file)
    problems.raise_any()
    return Step(
        name=name,
        type=type_,
        where=node.path,
        arguments=arguments,
        depends_on=depends_on,
        display_name=display_name,
        description=description,
        cache=cache,
        retries=retries,
        property_files=property_files,
        branches=branches,
        source=node.object(),
    )


def _step_type(node: Node) -> str:
    type_ = node["Type"].text()
    if type_ not in STEP_TYPES:
        raise node["Type"].error(
            f"unknown step type {type_!r}{did_you_mean(type_, STEP_TYPES)}; "
            f"supported are: {listed(STEP_TYPES)}"
        )
    return type_


def _request(node: Node) -> tuple[dict[str, Value], Branches | None]:
    return parse_members(node), None


def _message(node: Node) -> tuple[dict[str, Value], Branches | None]:
    return _values(node, ("ErrorMessage",)), None


def _branches(node: Node) -> tuple[dict[str, Value], Branches | None]:
    problems = Problems()
    with problems.caught():
        node.only(("Conditions", "IfSteps", "ElseSteps"))
    with problems.caught():
        conditions = problems.each(node["Conditions"].items(), parse_condition)
    with problems.caught():
        if_steps = problems.each(node.elements("IfSteps"), parse_step)
    with problems.caught():
        else_steps = problems.each(node.elements("ElseSteps"), parse_step)
    problems.raise_any()
    return {}, Branches(conditions=conditions, if_steps=if_steps, else_steps=else_steps)


def _dependency(node: Node) -> Dependency:
    if isinstance(node.value, dict):
        raise node.error("a dependency with a Trigger is not supported; name the step alone")
    return Dependency(step=node.text(), where=node.path)


def _property_file(node: Node) -> PropertyFile:
    problems = Problems()
    with problems.caught():
        node.only(("PropertyFileName", "OutputName", "FilePath"))
    with problems.caught():
        name = node["PropertyFileName"].text()
    with problems.caught():
        output_name = node["OutputName"].text()
    with problems.caught():
        file_path = node["FilePath"].text()
    problems.raise_any()
    return PropertyFile(name=name, output_name=output_name, file_path=file_path, where=node.path)


VERSION = "2020-12-01"

PIPELINE_KEYS = (
    "Version",
    "Metadata",
    "Parameters",
    "PipelineExperimentConfig",
    "MlflowConfig",
    "Steps",
)

# API, StepName.
LONGEST_STEP_NAME = 64

ARGUMENTS: dict[str, Callable[[Node], tuple[dict[str, Value], Branches | None]]] = {
    "Condition": _branches,
    "Fail": _message,
}
