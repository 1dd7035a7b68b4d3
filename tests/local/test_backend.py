"""moto's services, and what callers are told of what moto cannot do."""

import sys
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

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
    assert refused(client("iam").get_context_keys_for_custom_policy, PolicyInputList=["{}"]) == {
        "Code": "NotImplemented",
        "Message": "iam: GetContextKeysForCustomPolicy is not there in the local AWS",
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
        "Message": "braket: POST /devices is not there in the local AWS",
    }


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


def test_objects_keep_their_metadata_and_names(s3: "S3Client", bucket: str) -> None:
    key = "dir/ü ä+b%20?.txt"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x", Metadata={"with_underscore": "1"})
    assert s3.get_object(Bucket=bucket, Key=key)["Metadata"] == {"with_underscore": "1"}


def test_a_presigned_url_is_answered_by_s3(s3: "S3Client", bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="open.txt", Body=b"x", ACL="public-read")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "open.txt"})
    with urllib.request.urlopen(url) as response:
        assert response.read() == b"x"
