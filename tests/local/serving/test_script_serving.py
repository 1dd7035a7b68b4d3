"""The `serve` of framework images: a user's module, over the wire."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS

from ..calls import until
from ..models import SCRIPT_MODE, make_model, packed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

FUNCTIONS = """
import json, os

def model_fn(model_dir):
    return open(os.path.join(model_dir, "weight")).read()

def input_fn(data, content_type):
    return [type(data).__name__, content_type, data if isinstance(data, str) else len(data)]

def predict_fn(data, model):
    return [model, *data]

def output_fn(prediction, accept):
    return json.dumps(prediction), accept
"""
TRANSFORM = """
def model_fn(model_dir):
    return "model"

def transform_fn(model, data, content_type, accept):
    return f"{model} {data} {content_type}", "text/plain"
"""


TOOLKIT = """
import json
from sagemaker_containers.beta.framework import (
    content_types, encoders, env, modules, server, transformer, worker)
from sagemaker_inference import content_types, decoder, encoder, errors, utils
import sagemaker_inference.default_inference_handler

def model_fn(model_dir):
    return env.model_dir

def input_fn(data, content_type):
    if content_type == "text/plain":
        raise errors.BaseInferenceToolkitError(418, "teapot", "I am a teapot")
    return decoder.decode(data, content_type)

def predict_fn(data, model):
    return data

def output_fn(prediction, accept):
    if accept == "application/json":
        return worker.Response(json.dumps({"instances": prediction.tolist()}), mimetype=accept)
    return worker.Response(encoders.encode(prediction, accept), mimetype=accept)
"""


@pytest.fixture
def runtime(client: Callable[[str], Any]) -> Any:
    return client("sagemaker-runtime")


@pytest.fixture
def serve(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> Iterator[Callable[..., dict[str, Any]]]:
    """Put a model behind an endpoint; the endpoint's description when it is settled."""

    def made(files: dict[str, str | bytes], **environment: str) -> dict[str, Any]:
        make_model(sagemaker, s3, bucket, files, name=name, image=SCRIPT_MODE, **environment)
        variant: Any = {
            "VariantName": "all",
            "ModelName": name,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return until(
            lambda: dict(sagemaker.describe_endpoint(EndpointName=name)),
            lambda endpoint: endpoint["EndpointStatus"] != "Creating",
        )

    yield made
    with suppress(ClientError):
        sagemaker.delete_endpoint(EndpointName=name)


def answered(runtime: Any, name: str, body: bytes = b"1,2", **headers: str) -> tuple[str, str]:
    told = runtime.invoke_endpoint(EndpointName=name, Body=body, **headers)
    return told["Body"].read().decode(), told["ContentType"]


def test_the_functions_of_the_code_in_the_model_answer(
    serve: Callable[..., dict[str, Any]], runtime: Any, name: str
) -> None:
    serve({"code/inference.py": FUNCTIONS, "weight": "heavy"})
    body, kind = answered(runtime, name, ContentType="text/csv", Accept="application/x-mine")
    assert (json.loads(body), kind) == (["heavy", "str", "text/csv", "1,2"], "application/x-mine")
    body, _ = answered(runtime, name, ContentType="image/png")
    assert json.loads(body) == ["heavy", "bytes", "image/png", 3]


def test_what_the_code_needs_is_installed_beside_it(
    aws: LocalAWS, serve: Callable[..., dict[str, Any]], name: str
) -> None:
    serve({"code/inference.py": TRANSFORM, "code/requirements.txt": "pip\n"})
    (log,) = (aws.root / "endpoints").glob(f"{name}-*/all/log.txt")
    assert "Requirement already satisfied: pip" in log.read_text()


def test_a_script_reads_and_writes_by_the_toolkits(
    serve: Callable[..., dict[str, Any]], runtime: Any, name: str
) -> None:
    serve({"code/inference.py": TOOLKIT})
    body, kind = answered(runtime, name, b"1,2\n3,4", ContentType="text/csv")
    told = {"instances": [[1, 2], [3, 4]]}
    assert (json.loads(body), kind) == (told, "application/json")
    assert answered(runtime, name, b"a,b", ContentType="text/csv", Accept="text/csv") == (
        "a\nb\n",
        "text/csv",
    )


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"ContentType": "image/png"}, 415, "Content type image/png is not supported"),
        ({"ContentType": "text/csv", "Accept": "image/png"}, 406, "image/png is not supported"),
        ({"ContentType": "text/plain"}, 418, "I am a teapot"),
    ],
)
def test_an_error_of_the_toolkit_is_the_status_that_it_stands_for(
    serve: Callable[..., dict[str, Any]],
    runtime: Any,
    name: str,
    headers: dict[str, str],
    status: int,
    message: str,
) -> None:
    serve({"code/inference.py": TOOLKIT})
    with pytest.raises(ClientError) as refused:
        answered(runtime, name, b"1,2", **headers)
    told: Any = refused.value.response
    assert told["OriginalStatusCode"] == status
    assert message in told["OriginalMessage"]


def test_transform_fn_answers_alone(
    serve: Callable[..., dict[str, Any]], runtime: Any, name: str
) -> None:
    serve({"code/serving.py": TRANSFORM}, SAGEMAKER_PROGRAM="serving.py")
    told = answered(runtime, name, ContentType="text/csv")
    assert told == ("model 1,2 text/csv", "text/plain")


def test_code_comes_from_where_the_submit_directory_says(
    serve: Callable[..., dict[str, Any]], s3: "S3Client", bucket: str, runtime: Any, name: str
) -> None:
    code = packed({"inference.py": "from beside import *", "beside.py": FUNCTIONS})
    s3.put_object(Bucket=bucket, Key="code/sourcedir.tar.gz", Body=code)
    serve(
        {"weight": "light"},
        SAGEMAKER_PROGRAM="inference.py",
        SAGEMAKER_SUBMIT_DIRECTORY=f"s3://{bucket}/code/sourcedir.tar.gz",
    )
    assert json.loads(answered(runtime, name, ContentType="text/csv")[0])[0] == "light"


@pytest.mark.parametrize(
    ("files", "environment", "reason"),
    [
        (
            {"weight": "x"},
            {},
            "LookupError: model_fn is missing: this image has no default for it; write "
            "model_fn(model_dir) in the module that SAGEMAKER_PROGRAM names, or in "
            "code/inference.py of the model",
        ),
        (
            {"code/other.py": ""},
            {"SAGEMAKER_PROGRAM": "inference.py"},
            "ClientError: SAGEMAKER_PROGRAM: no inference.py in the code (which has other.py)",
        ),
        (
            {"code/inference.py": f"{FUNCTIONS}\n{TRANSFORM}", "weight": "x"},
            {},
            "ValueError: transform_fn and input_fn, output_fn, predict_fn: write one or the other",
        ),
        (
            {"code/inference.py": "import nothing_of_this_name"},
            {},
            "ModuleNotFoundError: No module named 'nothing_of_this_name'",
        ),
    ],
)
def test_a_module_that_cannot_serve_says_why(
    serve: Callable[..., dict[str, Any]],
    files: dict[str, str],
    environment: dict[str, str],
    reason: str,
) -> None:
    endpoint = serve(files, **environment)
    assert endpoint["EndpointStatus"] == "Failed"
    assert endpoint["FailureReason"] == (
        f"Production variant all: AlgorithmError: {reason}, exit code: 1"
    )


def test_an_error_of_a_function_is_the_answer_to_that_request_alone(
    serve: Callable[..., dict[str, Any]], runtime: Any, name: str
) -> None:
    serve(
        {
            "code/inference.py": "def model_fn(folder): return 1\n"
            "def transform_fn(model, data, content_type, accept): return str(1 / int(data))"
        }
    )
    with pytest.raises(ClientError) as refused:
        answered(runtime, name, b"0", ContentType="text/csv")
    told: dict[str, Any] = {**refused.value.response}
    assert told["OriginalMessage"] == "ZeroDivisionError: division by zero"
    assert answered(runtime, name, b"1", ContentType="text/csv")[0] == "1.0"
