"""The types of references and of the places where they stand.

SageMaker compares them when a pipeline is created: "Cannot assign property reference
[Parameters.n] to argument of type [String]".
"""

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_sm_pipelines.definition.expressions import Join, JsonGet
from airflow_sm_pipelines.definition.model import Parameter, Pipeline, Step
from airflow_sm_pipelines.definition.references import (
    CurrentItem,
    ExecutionVariable,
    ExperimentReference,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.values import Expression
from airflow_sm_pipelines.validation.properties import property_kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The type of what an expression stands for."""

    name: str
    expression: str
    """What a message calls the expression."""
    certain: bool
    """Whether the service is known to compare it with the type of the place."""


@dataclass(frozen=True, slots=True)
class Names:
    """What references of a pipeline lead to, by name."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]

    @staticmethod
    def of(pipeline: Pipeline) -> "Names":
        """The names of a pipeline."""
        return Names(
            parameters={parameter.name: parameter for parameter in pipeline.parameters},
            steps={step.name: step for step in pipeline.walk()},
        )


def kind_of(expression: Expression, names: Names) -> Kind | None:
    """The type of an expression; None where only a run can tell."""
    match expression:
        case ParameterReference(name) if name in names.parameters:
            type_ = names.parameters[name].type
            return Kind(name=type_, expression=f"parameter {name!r}", certain=True)
        case PropertyFileReference(step, name):
            of = f"{name!r} of step {step!r}"
            return Kind(name="property file", expression=of, certain=False)
        case PropertyReference(step, members) if step in names.steps:
            kind = property_kind(names.steps, step, expression.path)
            of = f"'Steps.{step}.{members}'"
            return Kind(name=kind, expression=of, certain=False) if kind else None
    return FIXED.get(type(expression))


SCALAR = "single value"
"""The type of what is a string, a number or a boolean, which only a run can tell."""

FIXED: dict[type, Kind] = {
    CurrentItem: Kind(name=SCALAR, expression="an item of a ForEach step", certain=False),
    ExecutionVariable: Kind(name="String", expression="an execution variable", certain=True),
    ExperimentReference: Kind(name="String", expression="a name of the experiment", certain=False),
    Join: Kind(name="String", expression="a Std:Join", certain=True),
    JsonGet: Kind(name=SCALAR, expression="a Std:JsonGet", certain=True),
}
"""The types of expressions that have always the same."""
