"""Pipelines in the local AWS: recorded by moto, kept by us."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from werkzeug.test import Client

from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.objects import Objects
from airflow_sm_pipelines.local.pipelines import CHANGES, Pipelines
from airflow_sm_pipelines.local.s3.store import Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
DEFINITION = '{"Version": "2020-12-01", "Steps": []}'


def test_a_definition_may_be_in_s3(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="definition.json", Body=DEFINITION.encode())
    sagemaker.create_pipeline(
        PipelineName=name,
        ClientRequestToken="t" * 32,
        RoleArn=ROLE,
        PipelineDefinitionS3Location={"Bucket": bucket, "ObjectKey": "definition.json"},
    )
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == DEFINITION


def test_a_definition_that_is_not_there_is_said(
    sagemaker: "SageMakerClient", bucket: str, name: str
) -> None:
    with pytest.raises(ClientError, match="cannot read s3://"):
        sagemaker.create_pipeline(
            PipelineName=name,
            ClientRequestToken="t" * 32,
            RoleArn=ROLE,
            PipelineDefinitionS3Location={"Bucket": bucket, "ObjectKey": "no"},
        )


REQUEST = {"ClientRequestToken": "t" * 32, "RoleArn": ROLE, "PipelineDefinition": DEFINITION}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"RoleArn": "MyRole"}, "Value 'MyRole' at 'roleArn' failed to satisfy constraint: "),
        ({"PipelineName": "a_b"}, "Value 'a_b' at 'pipelineName' failed to satisfy constraint: "),
        ({"ClientRequestToken": "short"}, "length greater than or equal to 32"),
        ({"PipelineDefinition": None}, "Either Pipeline Definition or Pipeline Definition S3"),
        ({"PipelineDefinition": "Steps: []"}, "Unable to parse pipeline definition. Expecting "),
        ({"PipelineDefinition": "[]"}, "Unable to parse pipeline definition. Expecting "),
    ],
)
def test_a_pipeline_that_sagemaker_would_refuse_is_refused(
    raw_sagemaker: Any, name: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError) as refused:
        raw_sagemaker.create_pipeline(**{"PipelineName": name, **REQUEST, **changes})
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message in error["Message"]
    assert "An error occurred" not in error["Message"]


def test_a_name_in_use_is_refused_in_the_words_of_the_service(
    raw_sagemaker: Any, name: str
) -> None:
    raw_sagemaker.create_pipeline(PipelineName=name, **REQUEST)
    with pytest.raises(ClientError) as refused:
        raw_sagemaker.create_pipeline(PipelineName=name, **REQUEST)
    assert refused.value.response["Error"]["Message"] == (
        "Pipeline names must be unique within an AWS account and region. "
        f"Pipeline with name ({name}) already exists."
    )


def test_pipelines_are_listed_page_by_page_with_the_filter_after_the_page(
    sagemaker: "SageMakerClient", raw_sagemaker: Any, name: str
) -> None:
    for number in range(3):
        raw_sagemaker.create_pipeline(PipelineName=f"{name}-{number}", **REQUEST)
    created = sagemaker.describe_pipeline(PipelineName=f"{name}-0")["CreationTime"]
    asked: Any = {"CreatedAfter": created - timedelta(milliseconds=5), "SortOrder": "Ascending"}
    first = sagemaker.list_pipelines(MaxResults=2, PipelineNamePrefix=f"{name}-2", **asked)
    assert first["PipelineSummaries"] == []
    again = {"PipelineNamePrefix": f"{name}-2", "NextToken": first["NextToken"], **asked}
    (found,) = sagemaker.list_pipelines(**again)["PipelineSummaries"]
    assert found["PipelineName"] == f"{name}-2"
    with pytest.raises(ClientError, match="it belongs to a request with other parameters"):
        sagemaker.list_pipelines(**{**again, "PipelineNamePrefix": name})
    with pytest.raises(ClientError, match="Invalid NextToken"):
        sagemaker.list_pipelines(NextToken="1")


@pytest.fixture
def restarted(tmp_path: Path) -> Iterator[Callable[[], Callable[..., Any]]]:
    """SageMaker's operations of a server that has the shelf of the one before, and a new moto."""
    store = Store(tmp_path / "s3")

    def start() -> Callable[..., Any]:
        moto = Moto()
        for pipeline in call(moto, "ListPipelines")["PipelineSummaries"]:
            call(moto, "DeletePipeline", PipelineName=pipeline["PipelineName"])
        pipelines = Pipelines(moto, Objects(store), Shelf(tmp_path / "shelf"))
        return lambda operation, **request: call(pipelines, operation, **request)

    yield start
    store.close()


def call(app: Any, operation: str, **request: Any) -> Any:
    scope = "Credential=key/20260101/us-west-1/sagemaker/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"SageMaker.{operation}",
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
    }
    client = Client(app)
    response = client.post("/", "http://127.0.0.1", data=json.dumps(request), headers=headers)
    return response.get_json(force=True)


def test_a_pipeline_is_there_again_as_it_was_last(
    restarted: Callable[[], Callable[..., Any]],
) -> None:
    ask = restarted()
    for name in ("kept", "deleted"):
        ask("CreatePipeline", PipelineName=name, PipelineDefinition=DEFINITION, RoleArn=ROLE)
    ask("UpdatePipeline", PipelineName="kept", PipelineDisplayName="changed")
    ask("DeletePipeline", PipelineName="deleted")
    assert "__type" in ask("UpdatePipeline", PipelineName="nothing", PipelineDisplayName="x")
    again = restarted()
    listed = again("ListPipelines")["PipelineSummaries"]
    assert [each["PipelineName"] for each in listed] == ["kept"]
    described = again("DescribePipeline", PipelineName="kept")
    assert described["PipelineDefinition"] == DEFINITION
    assert described["PipelineDisplayName"] == "changed"


def test_every_change_is_an_operation_of_sagemaker(sagemaker: "SageMakerClient") -> None:
    known = sagemaker.meta.service_model.operation_names
    assert {target.partition(".")[2] for target in CHANGES} <= set(known)
