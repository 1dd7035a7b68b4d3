"""The endpoint that a job makes for a model, asks and deletes, as Clarify's does ("shadow").

A job has the standard library alone, so it speaks HTTP to the local AWS. Its requests name
credentials and are not signed: enough for the local AWS, which checks no signature, and no more.
"""

import http.client
import json
import signal
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from ..container import ClientError

_LOOK_SECONDS = 0.1
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Service:
    """The local AWS, by its address."""

    url: str
    region: str

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """The response of an operation of SageMaker."""
        headers = {
            "X-Amz-Target": f"SageMaker.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        }
        status, body = self._post("/", json.dumps(request).encode(), headers)
        if status != 200:
            raise ClientError(f"{operation}: {_message(body)}")
        answer: dict[str, Any] = json.loads(body or b"{}")
        return answer

    def invoke(self, name: str, body: bytes, headers: Mapping[str, str]) -> str:
        """What an endpoint answers."""
        status, answer = self._post(f"/endpoints/{quote(name)}/invocations", body, headers)
        if status != 200:
            raise ClientError(f"InvokeEndpoint {name}: {_message(answer)}")
        return answer.decode()

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        scope = f"Credential=local/20000101/{self.region}/sagemaker/aws4_request"
        signed = f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request("POST", path, body, {**headers, "Authorization": signed})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ClientError(f"{self.url} does not answer: {error}") from error
        finally:
            connection.close()


def service(environment: Mapping[str, str]) -> Service:
    """The local AWS that has started this job."""
    url = environment.get("AWS_ENDPOINT_URL")
    if not url:
        raise ClientError("AWS_ENDPOINT_URL is not set: the model cannot be asked")
    return Service(url, environment.get("AWS_DEFAULT_REGION") or "us-east-1")


@contextmanager
def shadow(local: Service, predictor: Mapping[str, Any]) -> Iterator[str]:
    """The name of an endpoint of a model, which is there as long as it is asked."""
    prefix = predictor.get("endpoint_name_prefix") or "sagemaker-clarify"
    name = f"{prefix}-{uuid.uuid4().hex[:16]}"[-_LONGEST_NAME:].lstrip("-")
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": predictor["model_name"],
        "InitialInstanceCount": predictor.get("initial_instance_count") or 1,
        "InstanceType": predictor.get("instance_type") or "ml.m5.large",
    }
    # A job that is stopped leaves no endpoint behind.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    local.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])
    try:
        local.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
        _await(local, name)
        yield name
    finally:
        with suppress(ClientError):
            local.call("DeleteEndpoint", EndpointName=name)
        local.call("DeleteEndpointConfig", EndpointConfigName=name)
        signal.signal(signal.SIGTERM, before)


def _await(local: Service, name: str) -> None:
    """Wait until an endpoint is in service; a model may need an environment first."""
    while (told := local.call("DescribeEndpoint", EndpointName=name))["EndpointStatus"] != _READY:
        if told["EndpointStatus"] == "Failed":
            raise ClientError(f"the model cannot be asked: {told.get('FailureReason')}")
        time.sleep(_LOOK_SECONDS)


def _message(body: bytes) -> str:
    """What an error of AWS says."""
    try:
        told = json.loads(body)
        return str(told.get("message") or told.get("Message") or told)
    except (ValueError, AttributeError):
        return body.decode(errors="replace")


_READY = "InService"
