"""The pipelines that run while Airflow is broken, and how long their jobs take.

Each step's jobs are scripted in the local AWS: they run nothing, but take their seconds. Durations
are such that a kill finds jobs that are waited for in the worker and others that are deferred. A
step's name is its alone among all pipelines, since scripts find jobs by it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runs.steps import ROLE, condition, get, pipeline, processing

Definition = dict[str, Any]
Script = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A pipeline, the scripts of its jobs, and the state that its runs end in."""

    name: str
    definition: Definition
    scripts: tuple[Script, ...]
    ends: str = "success"

    max_parallel: int | None = None


def write(folder: Path) -> Iterable[str]:
    """Write the DAG file of all pipelines, and their definitions; the ids of the DAGs."""
    pipelines = folder / "pipelines"
    pipelines.mkdir()
    for shape in SHAPES.values():
        (pipelines / f"{shape.name}.json").write_text(
            document(shape.definition, name=shape.name, max_parallel=shape.max_parallel)
        )
    (folder / "sm_pipelines.py").write_text(LOADER)
    return SHAPES


def document(definition: Definition, *, name: str = "", max_parallel: int | None = None) -> str:
    """A definition's file; with a limit it is what DescribePipeline answers."""
    text = json.dumps(definition)
    if max_parallel is None:
        return text
    described = {
        "PipelineName": name,
        "PipelineDefinition": text,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": max_parallel},
    }
    return json.dumps(described)


def scripts() -> list[Script]:
    """The scripts of all pipelines."""
    return [script for shape in SHAPES.values() for script in shape.scripts]


def lasts(step: str, seconds: float, *, kind: str = "ProcessingJob") -> Script:
    """The script of a job that completes after so many seconds."""
    return _script(
        step, kind, [{"Status": "InProgress", "Seconds": seconds}, {"Status": "Completed"}]
    )


def fails(step: str, seconds: float, reason: str, *, name: str = "*") -> Script:
    """The script of a job that fails after so many seconds; `name` is how its name goes on."""
    failed = {"Status": "Failed", "FailureReason": reason}
    return _script(
        step, "ProcessingJob", [{"Status": "InProgress", "Seconds": seconds}, failed], name=name
    )


def training(name: str, **keys: Any) -> Definition:
    """A step that trains without input."""
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "RoleArn": ROLE,
    }
    return {"Name": name, "Type": "Training", "Arguments": arguments, **keys}


def _script(step: str, kind: str, moments: list[Definition], *, name: str = "*") -> Script:
    return {"Kind": kind, "Name": f"pipelines-*-{step}-{name}", "Moments": moments}


def _chain() -> Shape:
    """Processing, training, a model and a version of a model package."""
    image = {
        "Image": "image",
        "ModelDataUrl": get("Steps.ChainTrain.ModelArtifacts.S3ModelArtifacts"),
    }
    model = {
        "Name": "ChainModel",
        "Type": "Model",
        "Arguments": {"ExecutionRoleArn": ROLE, "PrimaryContainer": image},
    }
    register = {
        "Name": "ChainRegister",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "chain",
            "ModelApprovalStatus": "PendingManualApproval",
            "InferenceSpecification": {
                "Containers": [image],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            # A version takes no tags: by this it is known which run made it.
            "CustomerMetadataProperties": {RUN: get("Parameters.Run")},
        },
    }
    steps = [
        processing("ChainPrepare"),
        training("ChainTrain", DependsOn=["ChainPrepare"]),
        model,
        register,
    ]
    package = [{"Status": "Pending", "Seconds": 3}, {"Status": "Completed"}]
    return Shape(
        "chain",
        pipeline(*steps, Parameters=[{"Name": "Run", "Type": "String"}]),
        (
            lasts("ChainPrepare", 3),
            lasts("ChainTrain", 9, kind="TrainingJob"),
            {"Kind": "ModelPackage", "Name": "chain/*", "Moments": package},
        ),
    )


def _fan_out() -> Shape:
    """Three jobs at once of unlike durations, and one after them."""
    parts = [processing(name, DependsOn=["FanSplit"]) for name in ("FanShort", "FanMid", "FanLong")]
    merge = processing("FanMerge", DependsOn=[part["Name"] for part in parts])
    return Shape(
        "fan-out",
        pipeline(processing("FanSplit"), *parts, merge),
        (
            lasts("FanSplit", 3),
            lasts("FanShort", 4),
            lasts("FanMid", 12),
            lasts("FanLong", 20),
            lasts("FanMerge", 3),
        ),
    )


def _condition() -> Shape:
    """A branch that is taken, one that is not, and a step after the latter that is skipped."""
    check = condition(
        "BranchCheck",
        holds=True,
        if_steps=[processing("BranchYes")],
        else_steps=[processing("BranchNo")],
        DependsOn=["BranchMeasure"],
    )
    after = processing("BranchAfterNo", DependsOn=["BranchNo"])
    return Shape(
        "condition",
        pipeline(processing("BranchMeasure"), check, after),
        (lasts("BranchMeasure", 7), lasts("BranchYes", 10)),
    )


def _retry() -> Shape:
    """A job that fails for want of capacity, and another try that its policy allows."""
    policy = {
        "ExceptionType": ["SageMaker.CAPACITY_ERROR"],
        "IntervalSeconds": 1,
        "BackoffRate": 1.0,
        "MaxAttempts": 2,
    }
    flaky = processing("RetryFlaky", RetryPolicies=[policy])
    return Shape(
        "retry",
        pipeline(flaky, processing("RetryAfter", DependsOn=["RetryFlaky"])),
        (
            lasts("RetryFlaky", 8),
            fails("RetryFlaky", 6, "CapacityError: no instance is free", name="*-1"),
            lasts("RetryAfter", 3),
        ),
    )


def _failure() -> Shape:
    """A job that fails for good, beside one that completes."""
    return Shape(
        "failure",
        pipeline(
            processing("FailBad"),
            processing("FailAfter", DependsOn=["FailBad"]),
            processing("FailBeside"),
        ),
        (fails("FailBad", 8, "AlgorithmError: no luck"), lasts("FailBeside", 14)),
        ends="failed",
    )


def _limited() -> Shape:
    """Jobs that wait in the worker, since no more than two may run at once."""
    return Shape(
        "limited",
        pipeline(*map(processing, ("LimitedA", "LimitedB", "LimitedC"))),
        (lasts("LimitedA", 12), lasts("LimitedB", 8), lasts("LimitedC", 10)),
        max_parallel=2,
    )


# A scheduler that is killed takes a try of every task that runs, and here one is killed every two
# minutes or so: the three retries that a step has by default for such deaths would not do.
DEATHS = 20
LOADER = f'''\
"""The airflow dag of every pipeline of these tests."""
from pathlib import Path

from airflow_sm_pipelines import load_dags

DAGS = load_dags(Path(__file__).parent / "pipelines")
for dag in DAGS.values():
    for task in dag.tasks:
        task.retries += {DEATHS}
globals().update(DAGS)
'''

RUN = "run"
"""The parameter, in small letters, by which a run tells its resources its id."""

SHAPES: Mapping[str, Shape] = {
    shape.name: shape
    for shape in (_chain(), _fan_out(), _condition(), _retry(), _failure(), _limited())
}
