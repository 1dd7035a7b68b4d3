"""moto's services, and what callers are told of what moto cannot do."""

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Client = Callable[[str], Any]


def refused(call: Callable[..., Any], **arguments: Any) -> Any:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    return response["Error"]


def test_a_json_operation_that_moto_lacks_is_a_clean_400(client: Client) -> None:
    assert refused(client("logs").list_integrations) == {
        "Code": "NotImplemented",
        "Message": "logs: ListIntegrations is not there in the local AWS",
    }


def test_a_query_operation_that_moto_lacks_is_a_clean_400(client: Client) -> None:
    assert refused(client("sts").decode_authorization_message, EncodedMessage="a") == {
        "Code": "NotImplemented",
        "Message": "sts: DecodeAuthorizationMessage is not there in the local AWS",
    }


@pytest.mark.parametrize(("service", "operation"), [("sts", "AssumeRole"), ("sqs", "CreateQueue")])
def test_a_failure_inside_moto_is_a_clean_400_that_names_it(
    raw_client: Client, service: str, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = raw_client(service)
    error = refused(getattr(client, xform_name(operation)))
    assert error["Code"] == "InternalFailure"
    assert error["Message"].startswith(f"{service}: {operation} failed in moto (TypeError: ")
    assert f"{service}: moto failed" in caplog.text


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "package", "extra"),
    [
        ("apigateway", "get_rest_apis", {}, "openapi_spec_validator", "apigateway"),
        ("cloudformation", "list_stacks", {}, "openapi_spec_validator", "cloudformation"),
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}, "joserfc", "cognitoidp"),
        ("glue", "get_databases", {}, "pyparsing", "glue"),
        ("xray", "get_groups", {}, "aws_xray_sdk", "xray"),
    ],
)
def test_a_service_that_needs_another_package_is_a_clean_400_that_names_it(
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    service: str,
    operation: str,
    arguments: dict[str, Any],
    package: str,
    extra: str,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    error = refused(getattr(client(service), operation), **arguments)
    assert error["Code"] == "NotImplemented"
    assert error["Message"].endswith(
        f" needs the package {package}; pip install 'moto[{extra}]', then start the local AWS again"
    )


def test_a_service_that_moto_has_not_is_a_clean_400(client: Client) -> None:
    assert refused(client("braket").search_devices, filters=[]) == {
        "Code": "NotImplemented",
        "Message": "braket: SearchDevices is not there in the local AWS",
    }


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("lambda", "GetAccountSettings", {}),  # moto has no such path: 404, a page
        ("emr-serverless", "ListJobRunAttempts", {"applicationId": "a", "jobRunId": "b"}),
        ("route53", "ListCidrCollections", {}),  # 404, three words; answers are XML
        ("eks", "ListAddons", {"clusterName": "a"}),
        ("ec2", "DescribeIpamPools", {}),
        ("translate", "ListLanguages", {}),
    ],
)
def test_whatever_the_protocol_the_operation_that_is_not_there_is_named(
    client: Client, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    error = refused(getattr(client(service), xform_name(operation)), **arguments)
    assert error["Code"] == "NotImplemented"
    assert error["Message"] == f"{service}: {operation} is not there in the local AWS"


def sent(
    aws: LocalAWS, service: str, path: str = "/", data: bytes | None = b"", **headers: str
) -> tuple[int, str, str]:
    """The status, the type and the text of the answer to a request that no client of AWS makes."""
    scope = f"Credential=key/20260101/us-east-1/{service}/aws4_request"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
    request = urllib.request.Request(aws.endpoint_url + path, data=data, headers=signed | named)
    with pytest.raises(urllib.error.HTTPError) as error, urllib.request.urlopen(request):
        pass
    with error.value as answer:
        return answer.code, answer.headers.get_content_type(), answer.read().decode()


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("service", "request_", "kind", "code", "named"),
    [
        ("sqs", {"X_Amz_Target": "AmazonSQS.DoIt"}, "json", "UnknownOperationException", "DoIt"),
        ("nonesuch", {"X_Amz_Target": "No.DoIt"}, "json", "NotImplemented", "nonesuch: DoIt"),
        ("iam", {"data": b"Action=DoIt", "Content_Type": FORM}, "xml", "InvalidAction", "DoIt"),
        ("nonesuch", {"data": b"Action=DoIt", "Content_Type": FORM}, "xml", "NotImpl", "DoIt"),
        ("lambda", {"path": "/a/b", "data": None}, "json", "NotImplemented", "lambda: GET /a/b"),
        ("cloudfront", {"path": "/a/b", "data": None}, "xml", "NotImplemented", "GET /a/b"),
        ("sagemaker", {"data": b"{}"}, "json", "NotImplemented", "sagemaker: POST /"),
    ],
)
def test_what_no_service_knows_is_a_clean_400_in_its_protocol(
    aws: LocalAWS, service: str, request_: dict[str, Any], kind: str, code: str, named: str
) -> None:
    status, content_type, text = sent(aws, service, **request_)
    assert status == 400
    assert kind in content_type
    assert code in text
    assert named in text


def test_an_error_that_moto_words_itself_stays_as_it_is(client: Client) -> None:
    with pytest.raises(ClientError) as error:
        client("lambda").get_function(FunctionName="nobody")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize(
    ("service", "operation", "key"),
    [
        ("sts", "get_caller_identity", "Account"),
        ("sqs", "list_queues", "ResponseMetadata"),
        ("iam", "list_roles", "Roles"),
        ("logs", "describe_log_groups", "logGroups"),
    ],
)
def test_services_of_moto_answer(client: Client, service: str, operation: str, key: str) -> None:
    assert key in getattr(client(service), operation)()


def test_a_role_takes_the_policies_that_aws_manages(client: Client) -> None:
    iam = client("iam")
    iam.create_role(RoleName="for-a-function", AssumeRolePolicyDocument="{}")
    for name in ("AmazonSageMakerFullAccess", "service-role/AWSLambdaBasicExecutionRole"):
        arn = f"arn:aws:iam::aws:policy/{name}"
        iam.attach_role_policy(RoleName="for-a-function", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="for-a-function")["AttachedPolicies"]
    assert len(attached) == 2


def test_objects_keep_their_metadata_and_names(s3: "S3Client", bucket: str) -> None:
    key = "dir/ü ä+b%20?.txt"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x", Metadata={"with_underscore": "1"})
    assert s3.get_object(Bucket=bucket, Key=key)["Metadata"] == {"with_underscore": "1"}


def test_a_presigned_url_is_answered_by_s3(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="open.txt", Body=b"x", ACL="public-read")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "open.txt"})
    with urllib.request.urlopen(url) as response:
        assert response.read() == b"x"
