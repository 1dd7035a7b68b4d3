"""The local AWS is an AWS: operators that know nothing of this package run on it."""

from typing import TYPE_CHECKING, Any

import boto3
from airflow.providers.amazon.aws.operators.sagemaker import (
    SageMakerProcessingOperator,
    SageMakerTrainingOperator,
)

from .steps import ROLE

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

BUCKET = "sagemaker-us-east-1-123456789012"


def test_processing_operator(aws_environment: "LocalAWS") -> None:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    operator = SageMakerProcessingOperator(
        task_id="process",
        print_log=False,
        check_interval=1,
        config={
            "ProcessingJobName": "stock-processing",
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {
                "ImageUri": "python:3",
                "ContainerEntrypoint": ["python3", "-c", WRITES_OUTPUT],
            },
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "out",
                        "S3Output": {
                            "S3Uri": f"s3://{BUCKET}/stock/out",
                            "LocalPath": "/opt/ml/processing/out",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
            "RoleArn": ROLE,
        },
    )
    result = operator.execute({})
    assert result["Processing"]["ProcessingJobStatus"] == "Completed"
    assert _object(aws_environment, "stock/out/greeting.txt") == b"hello"


def test_training_operator(aws_environment: "LocalAWS") -> None:
    operator = SageMakerTrainingOperator(
        task_id="train",
        print_log=False,
        check_interval=1,
        config={
            "TrainingJobName": "stock-training",
            "AlgorithmSpecification": {
                "TrainingImage": "python:3",
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "-c", WRITES_MODEL],
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
            },
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/stock"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "RoleArn": ROLE,
        },
    )
    trained: dict[str, Any] = operator.execute({})["Training"]
    assert trained["TrainingJobStatus"] == "Completed"
    assert trained["FinalMetricDataList"][0]["Value"] == 0.25
    assert _object(aws_environment, "stock/stock-training/output/model.tar.gz")


def _object(aws: "LocalAWS", key: str) -> bytes:
    s3 = boto3.client("s3", endpoint_url=aws.endpoint_url)
    return s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


WRITES_OUTPUT = "open('/opt/ml/processing/out/greeting.txt', 'w').write('hello')"
WRITES_MODEL = "print('loss=0.25'); open('/opt/ml/model/model.bin', 'w').write('weights')"
