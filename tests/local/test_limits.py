import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.limits import LARGEST_REQUEST_BYTES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def answered(aws: LocalAWS, headers: dict[str, str], body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", int(aws.endpoint_url.rpartition(":")[2]))
    connection.request("POST", "/", body, headers)
    response = connection.getresponse()
    told = response.status, json.loads(response.read())
    connection.close()
    return told


def test_a_request_that_is_too_large_is_refused_unread(aws: LocalAWS) -> None:
    length = str(LARGEST_REQUEST_BYTES + 1)
    headers = {"X-Amz-Target": "SageMaker.CreateModel", "Content-Length": length}
    status, told = answered(aws, headers)
    assert (status, told["__type"]) == (413, "RequestEntityTooLargeException")
    assert told["message"] == (
        f"the request has {length} bytes; the local AWS takes {LARGEST_REQUEST_BYTES}"
    )


@pytest.mark.parametrize("body", [b"{}", iter([b"{", b"}"])])
def test_a_request_of_any_form_is_read(aws: LocalAWS, body: Any) -> None:
    status, told = answered(aws, {"X-Amz-Target": "SageMaker.ListModels"}, body)
    assert (status, told.keys() - {"NextToken"}) == (200, {"Models"})


def test_an_upload_may_be_larger(aws: LocalAWS, s3: "S3Client", bucket: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(aws.endpoint_url.rpartition(":")[2]))
    length = LARGEST_REQUEST_BYTES + 1
    connection.request(
        "PUT", f"/{bucket}/a", iter([bytes(length)]), {"Content-Length": str(length)}
    )
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.head_object(Bucket=bucket, Key="a")["ContentLength"] == length
    s3.delete_object(Bucket=bucket, Key="a")
