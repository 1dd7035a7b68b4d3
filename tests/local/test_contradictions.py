"""Create requests that contradict themselves are refused, all problems at once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.contradictions import RULES

from .calls import (
    IMAGE,
    channel,
    final_processing_job,
    final_training_job,
    processing_input,
    processing_output,
    resources,
)
from .models import final_transform_job, transform_request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Request = Callable[..., dict[str, Any]]

RAW = processing_input("raw", "s3://b/c")
GROUP = {"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 1}
VARIANT = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
GONE = "no-such-bucket-anywhere"


def problems(call: Callable[..., Any], **request: Any) -> list[str]:
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    return error["Message"].split("; ")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"ProcessingInputs": [RAW, {**RAW, "S3Input": {**RAW["S3Input"], "LocalPath": "/x"}}]},
            "ProcessingInputs: 2 have the InputName 'raw'",
        ),
        (
            {"ProcessingInputs": [RAW, {**RAW, "InputName": "other"}]},
            "ProcessingInputs: 2 have the LocalPath '/opt/ml/processing/raw'",
        ),
        (
            {"ProcessingInputs": [processing_input("raw", "s3://b/c", LocalPath="/opt/ml/raw")]},
            "ProcessingInputs[0].S3Input.LocalPath: '/opt/ml/raw' must begin with "
            "/opt/ml/processing/",
        ),
        (
            {
                "ProcessingInputs": [
                    processing_input("raw", "s3://b", LocalPath="/opt/ml/processing/../../x")
                ]
            },
            "ProcessingInputs[0].S3Input.LocalPath: '/opt/ml/processing/../../x' must begin with "
            "/opt/ml/processing/",
        ),
        (
            {"ProcessingOutputConfig": {"Outputs": [processing_output("o", "s3://b/o")] * 2}},
            "ProcessingOutputConfig.Outputs: 2 have the OutputName 'o'",
        ),
    ],
)
def test_a_processing_job_whose_inputs_and_outputs_clash_is_refused(
    raw_sagemaker: Any, processing_request: Request, changes: dict[str, Any], problem: str
) -> None:
    assert problem in problems(raw_sagemaker.create_processing_job, **processing_request(**changes))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"InputDataConfig": [channel("train", "s3://b/c"), channel("train", "s3://b/d")]},
            "InputDataConfig: 2 have the ChannelName 'train'",
        ),
        (
            {"InputDataConfig": [{"ChannelName": "train", "DataSource": {}}]},
            "InputDataConfig[0].DataSource: empty",
        ),
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": IMAGE,
                    "AlgorithmName": "mine",
                    "TrainingInputMode": "File",
                }
            },
            "AlgorithmSpecification: both TrainingImage and AlgorithmName are given",
        ),
        (
            {"ResourceConfig": {**resources(), "InstanceGroups": [GROUP]}},
            "ResourceConfig: InstanceType and InstanceCount cannot be given beside InstanceGroups",
        ),
    ],
)
def test_a_training_job_that_contradicts_itself_is_refused(
    raw_sagemaker: Any, training_request: Request, changes: dict[str, Any], problem: str
) -> None:
    assert problem in problems(raw_sagemaker.create_training_job, **training_request(**changes))


def test_all_problems_are_said_at_once(raw_sagemaker: Any, processing_request: Request) -> None:
    output = processing_output("o", "s3://b/o")
    request = processing_request(
        ProcessingInputs=[RAW, RAW], ProcessingOutputConfig={"Outputs": [output, output]}
    )
    found = problems(raw_sagemaker.create_processing_job, **request)
    assert len([each for each in found if " have the " in each]) == 3


def test_a_container_needs_an_image_or_a_package(raw_sagemaker: Any, name: str) -> None:
    containers = [{"Image": IMAGE}, {"Environment": {"A": "1"}}]
    found = problems(raw_sagemaker.create_model, ModelName=name, Containers=containers)
    assert found[0] == "Containers[1]: neither Image nor ModelPackageName is given"


def test_a_container_cannot_name_a_package_that_is_not_there(raw_sagemaker: Any, name: str) -> None:
    package = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}"
    container = {"ModelPackageName": package}
    found = problems(raw_sagemaker.create_model, ModelName=name, PrimaryContainer=container)
    assert found == [f"ModelPackage {package} does not exist."]


def test_variants_of_an_endpoint_have_names_of_their_own(raw_sagemaker: Any, name: str) -> None:
    request = {"EndpointConfigName": name, "ProductionVariants": [VARIANT, VARIANT]}
    found = problems(raw_sagemaker.create_endpoint_config, **request)
    assert found[0] == "ProductionVariants: 2 have the VariantName 'all'"


@pytest.mark.parametrize("operation", RULES)
def test_every_rule_is_about_an_operation_of_the_service(operation: str) -> None:
    assert shapes.operation(operation) is not None


NO_BUCKET = (
    "ClientError: Artifact upload failed:Unable to upload file to s3://{} (NoSuchBucket: "
    "The specified bucket does not exist)"
)


def test_a_processing_job_without_the_bucket_of_an_output_fails_before_it_runs(
    sagemaker: "SageMakerClient", processing_request: Request, name: str
) -> None:
    outputs = {"Outputs": [processing_output("o", f"s3://{GONE}/o")]}
    request = processing_request("1 / 0", ProcessingOutputConfig=outputs)
    sagemaker.create_processing_job(**request)
    reason = final_processing_job(sagemaker, name)["FailureReason"]
    assert reason == NO_BUCKET.format(f"{GONE}/o")


def test_a_training_job_without_the_bucket_of_its_model_fails_before_it_runs(
    sagemaker: "SageMakerClient", training_request: Request, name: str
) -> None:
    output = {"S3OutputPath": f"s3://{GONE}/models"}
    sagemaker.create_training_job(**training_request("1 / 0", OutputDataConfig=output))
    job = final_training_job(sagemaker, name)
    assert job["FailureReason"] == NO_BUCKET.format(f"{GONE}/models")
    stages = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert "Training" not in stages


def test_a_transform_job_without_the_bucket_of_its_output_fails_before_it_runs(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE})
    output = {"S3OutputPath": f"s3://{GONE}/out"}
    request = {**transform_request(name, name, bucket), "TransformOutput": output}
    sagemaker.create_transform_job(**request)
    reason = final_transform_job(sagemaker, name)["FailureReason"]
    assert reason == NO_BUCKET.format(f"{GONE}/out")
