"""SageMaker Runtime: what callers of an endpoint get.

Its operations are told by their path: `/endpoints/<name>/invocations`, and `async-invocations`.
"""

import json
import logging
import re
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from werkzeug.wrappers import Request, Response

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.errors import AwsError, JobError
from airflow_sm_pipelines.local.fetching import fetch
from airflow_sm_pipelines.local.registry import ENDPOINT
from airflow_sm_pipelines.local.serving.caller import Reply
from airflow_sm_pipelines.local.serving.deployment import Deployment, Variant
from airflow_sm_pipelines.local.serving.endpoints import Endpoints

logger = logging.getLogger(__name__)

_PATH = re.compile(r"/endpoints/([^/]+)/(async-invocations|invocations)")
_OTHERS = re.compile(r"/endpoints/[^/]+/invocations-response-stream")
_TIMEOUT_SECONDS = 60.0
_ASYNC_TIMEOUT_SECONDS = 900.0
_OWN = "X-Amzn-SageMaker-"


class Invocations:
    """InvokeEndpoint and InvokeEndpointAsync."""

    def __init__(self, account: Account, endpoints: Endpoints) -> None:
        self._account = account
        self._endpoints = endpoints
        self._registry = endpoints.registry
        self._objects = endpoints.objects

    def concern(self, path: str) -> bool:
        """Whether a request is one to an endpoint."""
        return bool(_PATH.fullmatch(path) or _OTHERS.fullmatch(path))

    def answer(self, request: Request) -> Response:
        """The answer to such a request; raises `AwsError`."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            raise _invalid("InvokeEndpointWithResponseStream is not there in the local AWS")
        name, kind = found.groups()
        for header in ("Target-Model", "Target-Container-Hostname", "Inference-Component"):
            if _OWN + header in request.headers:
                raise _invalid(f"{_OWN}{header} is not there in the local AWS; leave it out")
        deployment = self._deployment(name)
        if kind == "invocations":
            return self._invoke(name, deployment, request)
        return self._invoke_later(name, deployment, request)

    def _deployment(self, name: str) -> Deployment:
        """What is behind an endpoint that is in service."""
        where = f"Endpoint {name} of account {self._account.id}"
        try:
            status = self._registry.get(ENDPOINT, name)["EndpointStatus"]
        except AwsError as error:
            raise _invalid(f"{where} not found.") from error
        if status in ("Creating", "Failed", "Deleting"):
            raise _invalid(f"{where} is {status}; it would be InService.")
        try:
            return self._endpoints.serving(name)
        except JobError as error:
            raise _invalid(f"{where} cannot be served by the local AWS: {error}") from error

    def _invoke(self, name: str, deployment: Deployment, request: Request) -> Response:
        if "AsyncInferenceConfig" in deployment.config:
            raise _invalid(f"Endpoint {name} is asynchronous; use InvokeEndpointAsync.")
        target = request.headers.get(f"{_OWN}Target-Variant", "")
        variant = self._chosen(name, deployment, target)
        headers = _passed(request, {"Content-Type": "Content-Type", "Accept": "Accept"})
        reply = _asked(deployment, variant, request.get_data(), headers, _TIMEOUT_SECONDS)
        if not reply.fine:
            return self._model_error(name, variant, reply)
        return Response(
            reply.body,
            status=reply.status,
            content_type=reply.headers.get("content-type"),
            headers={
                **{
                    key: value
                    for key, value in reply.headers.items()
                    if key.startswith(_OWN.lower())
                },
                "x-Amzn-Invoked-Production-Variant": variant.name,
            },
        )

    def _invoke_later(self, name: str, deployment: Deployment, request: Request) -> Response:
        config = deployment.config.get("AsyncInferenceConfig")
        if not config:
            raise _invalid(f"Endpoint {name} is not asynchronous; use InvokeEndpoint.")
        given = request.headers.get(f"{_OWN}InputLocation", "")
        variant = self._chosen(name, deployment, "")
        number = str(uuid.uuid4())
        places = config["OutputConfig"]
        folder = places.get("S3OutputPath") or f"s3://{self._account.bucket}/async-endpoint-outputs"
        output = f"{folder.rstrip('/')}/{number}.out"
        failures = places.get("S3FailurePath") or folder
        failure = f"{failures.rstrip('/')}/{number}-error.out"
        own = {"Content-Type": f"{_OWN}Content-Type", "Accept": f"{_OWN}Accept"}
        headers = _passed(request, own)
        seconds = float(request.headers.get(f"{_OWN}InvocationTimeoutSeconds", 0))

        def work() -> None:
            with TemporaryDirectory(prefix="airflow-sm-async-") as held:
                timeout = seconds or _ASYNC_TIMEOUT_SECONDS
                asked = (given, headers, timeout)
                self._put(deployment, variant, asked, Path(held), (output, failure))

        threading.Thread(target=work, name=f"async {number}").start()
        inference = request.headers.get(f"{_OWN}Inference-Id") or number
        return Response(
            json.dumps({"InferenceId": inference}),
            status=202,
            content_type="application/json",
            headers={f"{_OWN}OutputLocation": output, f"{_OWN}FailureLocation": failure},
        )

    def _put(
        self,
        deployment: Deployment,
        variant: Variant,
        asked: tuple[str, Mapping[str, str], float],
        folder: Path,
        places: tuple[str, str],
    ) -> None:
        """Store what the model makes of an object, or why it does not."""
        given, headers, timeout_seconds = asked
        source, result = folder / "in", folder / "out"
        try:
            if not fetch(self._objects, given, source):
                raise JobError("there is no such object")
            reply = _asked(deployment, variant, source.read_bytes(), headers, timeout_seconds)
        except JobError as error:
            reply = Reply(status=400, body=f"{given}: {error}".encode(), headers={})
        result.write_bytes(reply.body)
        try:
            self._objects.upload(result, places[0 if reply.fine else 1])
        except JobError as error:
            logger.error("asynchronous invocation of %s: %s", given, error)

    def _chosen(self, name: str, deployment: Deployment, target: str) -> Variant:
        """The variant that answers a request."""
        described = self._registry.get(ENDPOINT, name).get("ProductionVariants") or ()
        weights = {each["VariantName"]: each["CurrentWeight"] for each in described}
        variant = deployment.choose(target, weights)
        if variant is None:
            raise _invalid(f"Variant {target} not found for Request")
        if not variant.model:
            raise _invalid(
                f"Variant {variant.name} has no model of its own, and inference components are not "
                "served by the local AWS"
            )
        return variant

    def _model_error(self, name: str, variant: Variant, reply: Reply) -> Response:
        """ModelError: what the model said, with its own status."""
        whose = "client" if reply.status < 500 else "server"
        said = reply.body.decode(errors="replace")
        region, account = self._account.region, self._account.id
        message = (
            f'Received {whose} error ({reply.status}) from primary with message "{said}". '
            f"See the log group /aws/sagemaker/Endpoints/{name} in account {account} for more "
            "information."
        )
        content = {
            "Message": message,
            "OriginalStatusCode": reply.status,
            "OriginalMessage": said,
            "LogStreamArn": f"arn:aws:logs:{region}:{account}:log-group:"
            f"/aws/sagemaker/Endpoints/{name}",
        }
        response = json_error("ModelError", message, 424)
        response.set_data(json.dumps(content))
        return response


def _asked(
    deployment: Deployment,
    variant: Variant,
    body: bytes,
    headers: Mapping[str, str],
    timeout_seconds: float,
) -> Reply:
    """What a variant answers; where nothing does, what AWS makes of that."""
    try:
        if variant.servers:
            return variant.invoke(body, headers, timeout_seconds=timeout_seconds)
        message = "the model's server has ended"
    except TimeoutError:
        message = f"Your invocation timed out after {timeout_seconds:g} seconds"
    except OSError as error:
        message = f"the model's server does not answer: {error}"
    deployment.mend(variant)
    return Reply(status=500, body=message.encode(), headers={})


def _passed(request: Request, plain: Mapping[str, str]) -> dict[str, str]:
    """The headers that the container gets."""
    named = {name: request.headers.get(header, "") for name, header in plain.items()}
    own = {
        key: value for key, value in request.headers.items() if key.startswith("X-Amzn-Sagemaker-")
    }
    return {name: value for name, value in {**named, **own}.items() if value}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)
