"""Steps of every type that is cached, plain or with a member that is one of two examples."""

import copy
from typing import Any

from airflow_sm_pipelines.definition.caching import is_cached
from airflow_sm_pipelines.definition.model import CachePolicy, Step
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from tests.caching.examples import example, members
from tests.fidelity.cases import PROCESSING, STEPS

CACHED = [
    type_
    for type_ in STEP_TYPES
    if is_cached(Step(name="S", type=type_, where="$", cache=CachePolicy(enabled=True)))
]


def changed(type_: str, path: str, which: int | None) -> dict[str, Any]:
    step = {"Type": type_, **copy.deepcopy(PLAIN.get(type_, STEPS[type_]))}
    arguments = step["Arguments"]
    if "TrainingJobDefinitions" in path:
        del arguments["TrainingJobDefinition"]  # one of them is allowed
    if which is not None:
        holder, _, inner = path.rpartition(".")
        into = arguments.setdefault(holder, {}) if holder else arguments
        chosen = CHOSEN.get((type_, path)) or OF_KEYS.get(path)
        where = step if path in STEP_TYPES[type_].keys else into
        where[inner] = chosen[which] if chosen else example(shape_of(type_, path), which)
    return step


def shape_of(type_: str, path: str) -> Any:
    member, _, inner = path.partition(".")
    return members(type_)[member].members[inner] if inner else members(type_)[member]


def command(*words: str) -> dict[str, Any]:
    """The configuration of a step that runs a command."""
    return {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": [*words]}}


CONFIGURATION: dict[str, Any] = {
    "InputName": "analysis_config",
    "S3Input": {
        "S3Uri": "s3://analysis-of-cached/analysis_config.json",
        "LocalPath": "/opt/ml/processing/input/config",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    },
}
SUPPLIED = {"SuppliedBaselineConstraints": "s3://bucket/constraints.json"}
PLAIN: dict[str, dict[str, Any]] = {
    "ClarifyCheck": {
        **STEPS["ClarifyCheck"],
        **SUPPLIED,
        "Arguments": {**PROCESSING, "ProcessingInputs": [CONFIGURATION]},
    },
    "QualityCheck": {**STEPS["QualityCheck"], **SUPPLIED},
    "EMR": {"Arguments": {"ClusterId": "j-1", "StepConfig": command("true")}},
}

# Members of which AWS refuses more than their shapes say, and what has no shape.
CHOSEN: dict[tuple[str, str], tuple[Any, Any]] = {
    ("Transform", "DataProcessing"): ({"InputFilter": "$[0]"}, {"InputFilter": "$[1]"}),
    ("EMR", "ClusterId"): ("j-1", "j-2"),
    ("EMR", "StepConfig"): (command("true"), command("true", "indeed")),
    ("ClarifyCheck", "CheckType"): ("DATA_BIAS", "MODEL_BIAS"),
    ("ClarifyCheck", "ModelName"): ("model", "text1"),
    ("QualityCheck", "CheckType"): ("DATA_QUALITY", "MODEL_QUALITY"),
}

# By key of the step, whatever its type.
OF_KEYS: dict[str, tuple[Any, Any]] = {
    "FailOnViolation": (True, False),
    "ModelPackageGroupName": ("group1", "group2"),
    "RegisterNewBaseline": (True, False),
    "SkipCheck": (True, False),
    "SuppliedBaselineConstraints": ("s3://b/1.json", "s3://b/2.json"),
    "SuppliedBaselineStatistics": ("s3://b/1.json", None),
}
