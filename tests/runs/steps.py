"""Short ways to write the steps of a test's definition."""

from typing import Any

VERSION = "2020-12-01"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


def pipeline(*steps: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"Version": VERSION, "Metadata": {}, "Parameters": [], "Steps": list(steps), **keys}


def processing(name: str, script: str = "print('hello')", **keys: Any) -> dict[str, Any]:
    """A step that runs a line of Python."""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    arguments = {
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {
            "ImageUri": "python:3",
            "ContainerEntrypoint": ["python3", "-c", script],
        },
        "RoleArn": ROLE,
    }
    return {
        "Name": name,
        "Type": "Processing",
        **keys,
        "Arguments": arguments | keys.get("Arguments", {}),
    }


def condition(
    name: str,
    *,
    holds: bool,
    if_steps: list[dict[str, Any]],
    else_steps: list[dict[str, Any]],
    **keys: Any,
) -> dict[str, Any]:
    """A step whose one condition compares literals."""
    equals = {"Type": "Equals", "LeftValue": 1, "RightValue": 1 if holds else 2}
    arguments = {"Conditions": [equals], "IfSteps": if_steps, "ElseSteps": else_steps}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **keys}


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def as_text(*values: Any) -> dict[str, Any]:
    return {"Std:Join": {"On": "", "Values": list(values)}}
