import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS, shapes

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def post(aws: LocalAWS, operation: str, body: bytes = b"{}", **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        aws.endpoint_url, body, {"X-Amz-Target": f"SageMaker.{operation}", **headers}
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_operation_that_sagemaker_does_not_have_is_a_clean_400(aws: LocalAWS) -> None:
    assert post(aws, "CreateUnicorn") == (
        400,
        {
            "__type": "UnknownOperationException",
            "message": "SageMaker has no operation 'CreateUnicorn'",
        },
    )


@pytest.mark.parametrize(
    "operation",
    [
        "CreateTransformJob",
        "CreateHyperParameterTuningJob",
        "CreateAutoMLJobV2",
        "ListTransformJobs",
        "StartPipelineExecution",
        "CreateInferenceComponent",
        "Search",
    ],
)
def test_what_moto_would_only_pretend_is_a_clean_400(aws: LocalAWS, operation: str) -> None:
    status, answer = post(aws, operation)
    assert status == 400
    assert answer["message"] == f"{operation} is not there in the local AWS"


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"[]", b'"text"'])
def test_a_body_that_is_no_json_object_is_a_clean_400(aws: LocalAWS, body: bytes) -> None:
    status, answer = post(aws, "DescribeModel", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_web_page_gets_no_answer(aws: LocalAWS) -> None:
    status, answer = post(aws, "ListModels", Origin="https://example.com")
    assert (status, answer["__type"]) == (403, "AccessDenied")


def test_every_operation_that_is_answered_is_one_of_the_service(aws: LocalAWS) -> None:
    described = ["ProcessingJob", "TrainingJob", "Model", "ModelPackage", "ModelPackageGroup"]
    for noun in [*described, "EndpointConfig", "Endpoint"]:
        for operation in (f"Create{noun}", f"Describe{noun}", f"List{noun}s"):
            assert shapes.operation(operation) is not None
            status, answer = post(aws, operation)
            assert "is not there" not in str(answer), status


def test_tags_are_added_listed_and_removed(sagemaker: "SageMakerClient", name: str) -> None:
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName=name, Tags=[{"Key": "a", "Value": "1"}]
    )["ModelPackageGroupArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_pipelines_are_kept_by_moto_with_their_tags(
    sagemaker: "SageMakerClient", name: str
) -> None:
    arn = sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition="{}",
        RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        ClientRequestToken=name * 2,
        Tags=[{"Key": "a", "Value": "1"}],
    )["PipelineArn"]
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"] == arn
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]


def test_an_answer_is_what_boto_can_parse_times_included(
    sagemaker: "SageMakerClient", name: str
) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    created = sagemaker.describe_model_package_group(ModelPackageGroupName=name)["CreationTime"]
    assert created.microsecond % 1000 == 0
    with pytest.raises(ClientError):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
