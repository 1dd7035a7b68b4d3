"""Shapes of AWS's services as botocore has them, and those that only the pipeline service has.

A service's model is read when the first of its shapes is asked for. A shape that differs from
the model's is a row of `VARIANTS`, in the form of botocore's own files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore
from botocore.loaders import Loader
from botocore.model import Shape, ShapeResolver, StructureShape


@dataclass(frozen=True, slots=True)
class ShapeName:
    """The name of a shape in the model of a service."""

    shape: str
    service: str = "sagemaker"
    optional: frozenset[str] = frozenset()
    """Members of it that the model requires and the pipeline service fills in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A structure, its members by the names of their shapes; `base` is what it starts from."""

    base: str | None = None
    plus: Mapping[str, str] = field(default_factory=dict)
    """Members beside those of `base`, or instead of them."""
    minus: frozenset[str] = frozenset()
    """Members of `base` that the pipeline service does not take."""
    required: frozenset[str] | None = None
    """None where it requires what `base` does."""

    def definition(self, shapes: Mapping[str, Any]) -> dict[str, Any]:
        """The structure in the form of botocore's files."""
        base = shapes[self.base] if self.base else {"members": {}}
        members = {**base["members"], **{name: {"shape": of} for name, of in self.plus.items()}}
        required = base.get("required", ()) if self.required is None else self.required
        return {
            "type": "structure",
            "members": {name: ref for name, ref in members.items() if name not in self.minus},
            "required": [name for name in required if name not in self.minus],
        }


def version() -> str:
    """The name and version of the botocore whose models these are."""
    return f"botocore {botocore.__version__}"


@cache
def shape(name: ShapeName) -> Shape:
    """The shape of that name, which has to be one of the model or of `VARIANTS`."""
    shapes = _shapes(name.service)
    resolver = ShapeResolver(shapes)
    if not name.optional:
        return resolver.get_shape_by_name(name.shape)
    whole = shapes[name.shape]
    required = [member for member in whole.get("required", ()) if member not in name.optional]
    return StructureShape(name.shape, {**whole, "required": required}, resolver)


@cache
def model(service: str) -> dict[str, Any]:
    """A service's newest model as botocore ships it."""
    read: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return read


def request(operation: str) -> str | None:
    """The name of the shape that an operation of SageMaker takes; None if it is not known."""
    return _side(operation, "input")


def response(operation: str) -> str | None:
    """The name of the shape that an operation of SageMaker answers; None if it is not known."""
    return _side(operation, "output")


def _side(operation: str, side: str) -> str | None:
    known: dict[str, Any] = model("sagemaker")["operations"]
    return str(known[operation][side]["shape"]) if operation in known else None


@cache
def _shapes(service: str) -> dict[str, Any]:
    shapes = {**model(service)["shapes"], **PLAIN}
    for name, variant in VARIANTS[service].items():
        shapes[name] = variant.definition(shapes)
    return shapes


def _list_of(element: str) -> dict[str, Any]:
    return {"type": "list", "member": {"shape": element}}


ANY_SCALAR = "any scalar"
"""The type of a shape that holds a string, a number or a boolean, which is not known."""

PLAIN: dict[str, dict[str, Any]] = {
    "PipelineText": {"type": "string"},
    "PipelineInteger": {"type": "integer"},
    "PipelineScalar": {"type": ANY_SCALAR},
    "PipelineTexts": {
        "type": "map",
        "key": {"shape": "PipelineText"},
        "value": {"shape": "PipelineText"},
    },
    "PipelineLineageType": {"type": "string", "enum": ["Action", "Artifact", "Context"]},
    "PipelineActions": _list_of("CreateActionRequest"),
    "PipelineArtifacts": _list_of("CreateArtifactRequest"),
    "PipelineContexts": _list_of("CreateContextRequest"),
    "PipelineAssociations": _list_of("PipelineAssociation"),
}
"""Shapes without members that the variants are made of."""

# The order matters: a variant may name those before it as its base.
VARIANTS: dict[str, dict[str, Variant]] = {
    "sagemaker": {
        # SDK, workflow/lineage_step.py.
        "PipelineEntity": Variant(
            plus={
                "Name": "ExperimentEntityName",
                "Type": "PipelineLineageType",
                "Arn": "AssociationEntityArn",
            }
        ),
        "PipelineAssociation": Variant(
            plus={
                "Source": "PipelineEntity",
                "Destination": "PipelineEntity",
                "AssociationType": "AssociationEdgeType",
            },
            required=frozenset({"Source", "Destination"}),
        ),
        "PipelineLineage": Variant(
            plus={
                "Actions": "PipelineActions",
                "Artifacts": "PipelineArtifacts",
                "Contexts": "PipelineContexts",
                "Associations": "PipelineAssociations",
            }
        ),
        "PipelineLineageArns": Variant(
            plus={
                "ActionArns": "PipelineTexts",
                "ArtifactArns": "PipelineTexts",
                "ContextArns": "PipelineTexts",
            }
        ),
        # Developer guide: Describe's answer and "the top 50 training jobs".
        "PipelineTuning": Variant(
            base="DescribeHyperParameterTuningJobResponse",
            plus={"TrainingJobSummaries": "HyperParameterTrainingJobSummaries"},
        ),
        # SDK, workflow/automl_step.py.
        "PipelineReports": Variant(
            plus={
                "ModelInsightsJsonReportPath": "PipelineText",
                "ExplainabilityJsonReportPath": "PipelineText",
            }
        ),
        "PipelineAutoML": Variant(
            base="DescribeAutoMLJobResponse", plus={"BestCandidateProperties": "PipelineReports"}
        ),
        # A boolean that is spliced as `true` and that the execution's metadata has as "True".
        "PipelineCondition": Variant(plus={"Outcome": "PipelineScalar"}),
        "PipelineClarifyCheck": Variant(
            plus={
                "CalculatedBaselineConstraints": "PipelineText",
                "BaselineUsedForDriftCheckConstraints": "PipelineText",
            }
        ),
        "PipelineQualityCheck": Variant(
            base="PipelineClarifyCheck",
            plus={
                "CalculatedBaselineStatistics": "PipelineText",
                "BaselineUsedForDriftCheckStatistics": "PipelineText",
            },
        ),
        # API, ForEachStepMetadata; `Selected` and `IterationOutputs` lead to the steps of the body.
        "PipelineForEach": Variant(
            plus={
                "Status": "PipelineText",
                "InputItemCount": "PipelineInteger",
                "TotalStepCount": "PipelineInteger",
                "SucceededStepCount": "PipelineInteger",
                "FailedStepCount": "PipelineInteger",
                "StoppedStepCount": "PipelineInteger",
            }
        ),
    },
    # SDK, workflow/emr_step.py: what the service sets itself may not be given.
    "emr": {
        "PipelineStep": Variant(base="StepConfig", required=frozenset({"HadoopJarStep"})),
        "PipelineInstances": Variant(
            base="JobFlowInstancesConfig",
            minus=frozenset({"KeepJobFlowAliveWhenNoSteps", "TerminationProtected"}),
        ),
        "PipelineCluster": Variant(
            base="RunJobFlowInput",
            plus={"Instances": "PipelineInstances"},
            minus=frozenset({"Name", "Steps", "AutoTerminationPolicy"}),
        ),
        "PipelineArguments": Variant(
            plus={
                "ClusterId": "XmlStringMaxLen256",
                "ExecutionRoleArn": "ArnType",
                "StepConfig": "PipelineStep",
                "ClusterConfig": "PipelineCluster",
            },
            required=frozenset({"StepConfig"}),
        ),
        "PipelineProperties": Variant(base="Step", plus={"ClusterId": "PipelineText"}),
    },
    # SDK v3, workflow/emr_serverless_step.py: the application's id stands beside the job.
    "emr-serverless": {
        "PipelineJob": Variant(base="StartJobRunRequest", required=frozenset()),
        "PipelineArguments": Variant(
            plus={
                "ExecutionRoleArn": "IAMRoleArn",
                "ApplicationId": "ApplicationId",
                "ApplicationConfig": "CreateApplicationRequest",
                "JobConfig": "PipelineJob",
            },
            required=frozenset({"JobConfig"}),
        ),
    },
}
