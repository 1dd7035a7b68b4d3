"""What a request asks for, told from what boto3 really sends."""

import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from airflow_sm_pipelines.local.calls import Call, called, operations, reads
from airflow_sm_pipelines.local.sessions import neutral_session
from airflow_sm_pipelines.local.transport import connect


def sent(service: str, operation: str, **request: Any) -> Call:
    """The call that is seen where boto3 sends a request."""
    seen: list[Call] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(called(environ))
        start_response("500 No", [])
        return [b""]

    client: Any = neutral_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url="http://192.0.2.1:1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    connect(client, app)
    client.meta.events.register("needs-retry", lambda **_: None)
    with pytest.raises((client.exceptions.ClientError, ValueError)):
        getattr(client, operation)(**request)
    return seen[0]


AT = {"Bucket": "bucket", "Key": "a/b"}
UPLOAD = {**AT, "PartNumber": 1, "UploadId": "id"}


@pytest.mark.parametrize(
    ("service", "operation", "request_", "action", "protocol"),
    [
        ("sagemaker", "list_jobs", {"JobCategory": "AgentRFT"}, "sagemaker:ListJobs", "json"),
        ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups", "json"),
        ("sqs", "list_queues", {}, "sqs:ListQueues", "json"),
        ("sts", "get_caller_identity", {}, "sts:GetCallerIdentity", "query"),
        ("iam", "list_roles", {}, "iam:ListRoles", "query"),
        ("emr", "list_clusters", {}, "elasticmapreduce:ListClusters", "json"),
        (
            "emr-serverless",
            "get_job_run",
            {"applicationId": "a", "jobRunId": "b"},
            "emr-serverless:GetJobRun",
            "json",
        ),
        ("cloudwatch", "list_dashboards", {}, "monitoring:ListDashboards", "json"),
        ("s3", "list_buckets", {}, "s3:ListBuckets", "s3"),
        ("s3", "create_bucket", {"Bucket": "bucket"}, "s3:CreateBucket", "s3"),
        ("s3", "list_objects", {"Bucket": "bucket"}, "s3:ListObjects", "s3"),
        ("s3", "list_objects_v2", {"Bucket": "bucket"}, "s3:ListObjectsV2", "s3"),
        ("s3", "get_object", AT, "s3:GetObject", "s3"),
        ("s3", "head_object", AT, "s3:HeadObject", "s3"),
        ("s3", "get_object_tagging", AT, "s3:GetObjectTagging", "s3"),
        ("s3", "put_object", {**AT, "Body": b"1"}, "s3:PutObject", "s3"),
        ("s3", "copy_object", {**AT, "CopySource": "other/key"}, "s3:CopyObject", "s3"),
        ("s3", "upload_part", {**UPLOAD, "Body": b"1"}, "s3:UploadPart", "s3"),
        ("s3", "upload_part_copy", {**UPLOAD, "CopySource": "b/k"}, "s3:UploadPartCopy", "s3"),
        ("s3", "create_multipart_upload", AT, "s3:CreateMultipartUpload", "s3"),
        (
            "s3",
            "delete_objects",
            {"Bucket": "b", "Delete": {"Objects": []}},
            "s3:DeleteObjects",
            "s3",
        ),
    ],
)
def test_the_operation_of_a_request_is_known(
    service: str, operation: str, request_: dict[str, Any], action: str, protocol: str
) -> None:
    call = sent(service, operation, **request_)
    assert (call.action, call.protocol) == (action, protocol)


def test_a_link_is_signed_in_its_query() -> None:
    query = "X-Amz-Credential=key%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/bucket/key", "QUERY_STRING": query}
    assert called(environ).action == "s3:GetObject"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"TrainingJobName": 7}'])
def test_a_request_that_cannot_be_read_is_about_nothing(body: bytes) -> None:
    target = "SageMaker.CreateTrainingJob"
    with_body = {
        "REQUEST_METHOD": "POST",
        "HTTP_X_AMZ_TARGET": target,
        "CONTENT_LENGTH": str(len(body)),
    }
    call = called({**with_body, "wsgi.input": io.BytesIO(body)})
    assert (call.action, call.name) == ("sagemaker:CreateTrainingJob", "")


def test_what_cannot_be_told_is_a_question_mark() -> None:
    assert called({"REQUEST_METHOD": "GET", "PATH_INFO": "/x"}).action == "?:?"


@pytest.mark.parametrize(
    ("operation", "request_", "name"),
    [
        ("CreateTrainingJob", {"TrainingJobName": "job"}, "job"),
        ("StopProcessingJob", {"ProcessingJobName": "job"}, "job"),
        ("CreateModelPackage", {"ModelPackageGroupName": "group"}, "group"),
        ("CreateModelPackage", {"ModelPackageName": "one"}, "one"),
        ("UpdateModelPackage", {"ModelPackageArn": "arn"}, "arn"),
        ("UpdateEndpoint", {"EndpointName": "e", "EndpointConfigName": "c"}, "e"),
        ("AddTags", {"ResourceArn": "arn"}, "arn"),
        ("ListModelPackages", {"ModelPackageGroupName": "group"}, "group"),
        ("CreateExperiment", {"ExperimentName": "x"}, "x"),
        ("ListTrainingJobs", {"NameContains": "x"}, ""),
    ],
)
def test_what_a_request_is_about_is_known(
    operation: str, request_: dict[str, str], name: str
) -> None:
    assert Call(service="sagemaker", operation=operation, request=request_).name == name


@pytest.mark.parametrize("operation", ["DescribeModel", "ListTags", "BatchDescribeModelPackage"])
def test_a_look_changes_nothing(operation: str) -> None:
    assert reads(operation)
    assert not reads(operation.replace("Describe", "Delete").replace("List", "Add"))


def test_operations_are_known_by_iams_name_of_a_service() -> None:
    assert "AddJobFlowSteps" in (operations("elasticmapreduce") or ())
    assert "CreateTrainingJob" in (operations("sagemaker") or ())
    assert operations("unicorn") is None
