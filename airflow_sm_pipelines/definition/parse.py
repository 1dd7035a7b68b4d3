"""A document into the model; all problems of a definition are collected.

To accept a new key, add it to the table of its object and read it where the object is built.
"""

from collections.abc import Iterator

from airflow_sm_pipelines.definition.document import Document
from airflow_sm_pipelines.definition.expressions import is_expression, parse_texts
from airflow_sm_pipelines.definition.model import VERSION, Parameter, Pipeline, Step
from airflow_sm_pipelines.definition.node import Json, Node, Problems, kind
from airflow_sm_pipelines.definition.parameters import parse_parameter
from airflow_sm_pipelines.definition.parse_steps import parse_step
from airflow_sm_pipelines.definition.references import EXPERIMENT_NAMES
from airflow_sm_pipelines.definition.values import Value


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


def _metadata(node: Node) -> dict[str, Json]:
    for member in node.members().values():
        if is_expression(member.value):
            raise member.error("an expression may not stand here; write the value itself")
    return node.object()


def _experiment(node: Node) -> dict[str, Value]:
    return parse_texts(node, EXPERIMENT_NAMES)


def _mlflow(node: Node) -> dict[str, Value]:
    return parse_texts(node, ("MlflowResourceArn", "MlflowExperimentName"))


PIPELINE_KEYS = (
    "Version",
    "Metadata",
    "Parameters",
    "PipelineExperimentConfig",
    "MlflowConfig",
    "Steps",
)
