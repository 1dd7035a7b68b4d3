"""Requests of the kinds of job that are not executed, and ways to follow what their scripts say."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.session

from .calls import IMAGE, channel, resources, until

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
S3 = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://nowhere/in"}}
SERVICE = botocore.session.get_session().get_service_model("sagemaker")


@dataclass(frozen=True)
class Kind:
    """A kind of job as a caller sees it."""

    noun: str
    request: Callable[[str], dict[str, Any]]
    also: dict[str, str]
    code: str = "ResourceNotFound"

    def call(self, client: Any, verb: str, name: str) -> Any:
        """Describe, stop or delete the job of a name."""
        return self.operation(client, verb)(**{f"{self.noun}Name": name}, **self.also)

    def create(self, client: Any, name: str, **changes: Any) -> str:
        """Create a job; its ARN."""
        created = self.operation(client, "Create")(**{**self.request(name), **changes})
        arn: str = created[f"{self.noun}Arn"]
        return arn

    def operation(self, client: Any, verb: str, plural: str = "") -> Any:
        name = botocore.xform_name(f"{verb}{self.noun}{plural}")
        return getattr(client, name)

    def list(self, client: Any, **filters: Any) -> list[dict[str, Any]]:
        answer = self.operation(client, "List", plural="s")(**self.also, **filters)
        rows: list[dict[str, Any]] = next(v for v in answer.values() if isinstance(v, list))
        return rows

    def status(self, client: Any, name: str) -> str:
        status: str = self.call(client, "Describe", name)[f"{self.noun}Status"]
        return status

    def final(self, client: Any, name: str) -> dict[str, Any]:
        return until(
            lambda: dict(self.call(client, "Describe", name)),
            lambda seen: seen[f"{self.noun}Status"] not in ("InProgress", "Stopping"),
        )


def _transform(name: str) -> dict[str, Any]:
    return {
        "TransformJobName": name,
        "ModelName": name,
        "TransformInput": {"DataSource": S3},
        "TransformOutput": {"S3OutputPath": "s3://nowhere/out"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
    }


def _tuning(name: str) -> dict[str, Any]:
    eta = {"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "rmse"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"ContinuousParameterRanges": [eta]},
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "rmse", "Regex": "rmse=(.*?);"}],
            },
            "RoleArn": ROLE,
            "InputDataConfig": [channel("train", "s3://nowhere/in")],
            "OutputDataConfig": {"S3OutputPath": "s3://nowhere/out"},
            "ResourceConfig": resources(),
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def _auto_ml(name: str) -> dict[str, Any]:
    return {
        "AutoMLJobName": name,
        "InputDataConfig": [{"DataSource": S3, "TargetAttributeName": "y"}],
        "OutputDataConfig": {"S3OutputPath": "s3://nowhere/out"},
        "RoleArn": ROLE,
    }


def _job(name: str) -> dict[str, Any]:
    return {
        "JobName": name,
        "RoleArn": ROLE,
        "JobCategory": "AgentRFT",
        "JobConfigSchemaVersion": "1.0.0",
        "JobConfigDocument": "{}",
    }


TRANSFORM = Kind("TransformJob", _transform, {}, code="ValidationException")
TUNING = Kind("HyperParameterTuningJob", _tuning, {})
AUTO_ML = Kind("AutoMLJob", _auto_ml, {})
JOB = Kind("Job", _job, {"JobCategory": "AgentRFT"})
KINDS = (TRANSFORM, TUNING, AUTO_ML, JOB)
UNEXECUTED = (JOB,)
