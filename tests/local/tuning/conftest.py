"""Tuning jobs whose training jobs are a few lines of Python."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tests.local.calls import IMAGE, TEST_SECONDS, channel, resources, until

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Request = Callable[..., dict[str, Any]]
Tune = Callable[..., dict[str, Any]]

# The loss is least where x is 3.
PARABOLA = """
import json
given = json.load(open("/opt/ml/input/config/hyperparameters.json"))
x = float(json.loads(given["x"])) if given["x"].startswith('"') else float(given["x"])
print(f"loss={(x - 3) ** 2};")
open("/opt/ml/model/x", "w").write(str(x))
"""
LOSS = {"Name": "loss", "Regex": "loss=(.*?);"}
RANGE = {"Name": "x", "MinValue": "0", "MaxValue": "10"}


def categorical(*values: str, name: str = "x") -> dict[str, Any]:
    return {"CategoricalParameterRanges": [{"Name": name, "Values": list(values)}]}


def integer(**changes: str) -> dict[str, Any]:
    return {"IntegerParameterRanges": [{**RANGE, **changes}]}


def continuous(**changes: str) -> dict[str, Any]:
    return {"ContinuousParameterRanges": [{**RANGE, **changes}]}


def definition(bucket: str, **changes: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [LOSS],
        },
        "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        "InputDataConfig": [channel("code", f"s3://{bucket}/code/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
        "ResourceConfig": resources(),
        "StoppingCondition": {"MaxRuntimeInSeconds": TEST_SECONDS},
        **changes,
    }


def limits(most: int | None, parallel: int = 2, **more: int) -> dict[str, int]:
    number = {} if most is None else {"MaxNumberOfTrainingJobs": most}
    return {**number, "MaxParallelTrainingJobs": parallel, **more}


def config(**changes: Any) -> dict[str, Any]:
    return {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": limits(3),
        "ParameterRanges": continuous(),
        **changes,
    }


@pytest.fixture
def tuning_request(name: str, bucket: str, s3: "S3Client") -> Request:
    """A CreateHyperParameterTuningJob request; keywords replace members of its configuration."""

    def made(
        script: str = PARABOLA, *, job: dict[str, Any] | None = None, **changes: Any
    ) -> dict[str, Any]:
        s3.put_object(Bucket=bucket, Key="code/script.py", Body=script.encode())
        return {
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobConfig": config(**changes),
            "TrainingJobDefinition": definition(bucket),
            **(job or {}),
        }

    return made


@pytest.fixture
def tuned(sagemaker: "SageMakerClient", tuning_request: Request) -> Tune:
    """Run a tuning job to its end; its description."""

    def run(script: str = PARABOLA, **changes: Any) -> dict[str, Any]:
        request = tuning_request(script, **changes)
        sagemaker.create_hyper_parameter_tuning_job(**request)
        return final(sagemaker, request["HyperParameterTuningJobName"])

    return run


def final(sagemaker: "SageMakerClient", name: str) -> dict[str, Any]:
    return until(
        lambda: described(sagemaker, name),
        lambda job: job["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"),
    )


def described(sagemaker: "SageMakerClient", name: str) -> dict[str, Any]:
    return dict(sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))


def trials(sagemaker: "SageMakerClient", name: str, **query: Any) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=name, **query
    )
    return [dict(row) for page in pages for row in page["TrainingJobSummaries"]]
