"""What several tests of `airflow-sm check` need: definitions, and their inspection."""

import json
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.cli.checking.inspection import Inspection, inspect
from airflow_sm_pipelines.sources import Source

TRAINING: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def training(**keys: Any) -> dict[str, Any]:
    return {"Name": "Train", "Type": "Training", "Arguments": TRAINING, **keys}


def text(*steps: Any, **keys: Any) -> str:
    return json.dumps({"Version": "2020-12-01", "Steps": steps, **keys}, indent=2)


def inspected(definition: str | bytes, where: str = "folder/definition.json") -> Inspection:
    source = Source(text=definition, name="p", where=where, path=Path(where))
    return inspect(where, lambda _: source)


GOOD = text(training())
UNKNOWN_TYPE = text(training(Type="Trainign"))
TWICE = text(training(), training())
TOO_LONG = text(training(Arguments={**TRAINING, "RoleArn": "no arn"}))
CACHED = text(
    training(CacheConfig={"Enabled": True}),
    MlflowConfig={
        "MlflowResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/t"
    },
)
"""With a caution, and a feature that is different."""
