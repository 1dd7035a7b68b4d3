"""Two values for every member of a Create request, made from botocore's model of it."""

import re
from typing import Any

import botocore.session

from airflow_sm_pipelines.definition.steps import STEP_TYPES

_SESSION = botocore.session.get_session()
SAGEMAKER = _SESSION.get_service_model("sagemaker")
EMR = _SESSION.get_service_model("emr")

# The first that a member's pattern and length allow is taken.
TEXTS = (
    "s3://bucket/{0}/",
    "text{0}",
    "arn:aws:iam::123456789012:role/role{0}",
    "arn:aws:sagemaker:us-east-1:123456789012:thing/thing{0}",
    "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/group{0}",
    "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/server{0}",
    "arn:aws:sagemaker:us-east-1:aws:hub-content/hub/Model/model{0}",
    "sg-{0}234567",
    "{0}",
)


def members(type_: str) -> dict[str, Any]:
    """Member of Arguments -> its shape, as the request has it that a type of step makes."""
    job = STEP_TYPES[type_].job
    assert job is not None
    if job.service == "emr":
        added: Any = EMR.operation_model("AddJobFlowSteps").input_shape
        given = dict(added.members)
        return {
            "ClusterId": given.pop("JobFlowId"),
            "StepConfig": given.pop("Steps").member,
        } | given
    shape = SAGEMAKER.operation_model(f"Create{job.noun}").input_shape
    assert shape is not None
    return dict(shape.members)


def example(shape: Any, which: int, depth: int = 0) -> Any:
    """A value that the shape allows; that of `which` 1 differs from that of 0."""
    match shape.type_name:
        case "structure":
            return _structure(shape, which, depth)
        case "list":
            least = max(1, shape.metadata.get("min", 1))
            return [example(shape.member, which, depth + 1) for _ in range(least)]
        case "map":
            return {_text(shape.key, 0): example(shape.value, which, depth + 1)}
        case "string":
            return _text(shape, which)
        case "boolean":
            return bool(which)
        case "integer" | "long" | "float" | "double":
            return max(1, int(shape.metadata.get("min", 1))) + which
    raise AssertionError(f"no example of {shape.type_name}")


def _structure(shape: Any, which: int, depth: int) -> dict[str, Any]:
    """What is required, and whatever else tells the two values apart."""
    required = {name: shape.members[name] for name in shape.required_members}
    chosen = required or dict(list(shape.members.items())[:1])
    made = {name: example(inner, which, depth + 1) for name, inner in chosen.items()}
    if depth == 0 and made == _made(chosen, 1 - which):
        for name, inner in shape.members.items():
            if name not in made and example(inner, 0, 1) != example(inner, 1, 1):
                return {**made, name: example(inner, which, 1)}
    return made


def _made(chosen: dict[str, Any], which: int) -> dict[str, Any]:
    return {name: example(inner, which, 1) for name, inner in chosen.items()}


def _text(shape: Any, which: int) -> str:
    if shape.enum:
        return str(shape.enum[which % len(shape.enum)])
    pattern, least = shape.metadata.get("pattern"), shape.metadata.get("min", 0)
    for text in TEXTS:
        made = text.format(which + 1)
        made = made.ljust(least, "x")
        if len(made) <= shape.metadata.get("max", 10_000) and _fits(pattern, made):
            return made
    raise AssertionError(f"no text fits {shape.name}: {pattern}")


def _fits(pattern: str | None, text: str) -> bool:
    # Python's `re` does not know the classes of Unicode, which some patterns have.
    return not pattern or "\\p{" in pattern or re.fullmatch(pattern, text) is not None
