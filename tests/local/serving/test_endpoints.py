"""Endpoints that serve: over the wire, with models that run."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS

from ..calls import IMAGE, keys, text, until
from ..launched import launchers
from ..models import OWN_NETWORK, OWN_PORT, make_model, server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

WORD = "def line(text): return os.environ['WORD'] + ' ' + text"


@pytest.fixture
def runtime(client: Callable[[str], Any]) -> Any:
    return client("sagemaker-runtime")


@pytest.fixture
def deploy(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> Iterator[Callable[..., str]]:
    """Create an endpoint whose variants are models of one's own; its name, when it is settled."""

    def made(*words: str, code: str = WORD, image: str = OWN_PORT, **config: Any) -> str:
        configure(sagemaker, s3, bucket, name, words or ("a",), code=code, image=image, **config)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        settled(sagemaker, name)
        return name

    yield made
    with suppress(ClientError):  # a test has deleted it
        sagemaker.delete_endpoint(EndpointName=name)


def configure(
    sagemaker: "SageMakerClient",
    s3: "S3Client",
    bucket: str,
    name: str,
    words: tuple[str, ...],
    *,
    code: str = WORD,
    image: str = OWN_PORT,
    weights: tuple[float, ...] = (),
    **config: Any,
) -> None:
    variants: list[Any] = []
    for number, word in enumerate(words):
        model = f"{name}-{word}"
        make_model(sagemaker, s3, bucket, server(code), name=model, image=image, WORD=word)
        variants.append(
            {
                "VariantName": word,
                "ModelName": model,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "InitialVariantWeight": weights[number] if weights else 1,
            }
        )
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **config)


def settled(sagemaker: "SageMakerClient", name: str) -> dict[str, Any]:
    return until(
        lambda: dict(sagemaker.describe_endpoint(EndpointName=name)),
        lambda endpoint: endpoint["EndpointStatus"] not in ("Creating", "Updating"),
    )


def invoke(runtime: Any, name: str, body: str = "x", **others: str) -> tuple[str, str]:
    """What an endpoint answers, and the variant that did."""
    told = runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **others)
    return told["Body"].read().decode().rstrip(), told["InvokedProductionVariant"]


def refusal(runtime: Any, name: str, **others: str) -> dict[str, Any]:
    with pytest.raises(ClientError) as refused:
        runtime.invoke_endpoint(EndpointName=name, Body=b"x", **others)
    response: dict[str, Any] = dict(refused.value.response)
    return response


@pytest.mark.parametrize("image", [OWN_PORT, OWN_NETWORK])
def test_an_endpoint_in_service_answers_by_its_model(
    deploy: Callable[..., str], sagemaker: "SageMakerClient", runtime: Any, image: str
) -> None:
    name = deploy(image=image)
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["ProductionVariants"][0]["VariantName"] == "a"
    assert invoke(runtime, name) == ("a x", "a")


def test_variants_answer_by_their_weights_or_as_they_are_asked_for(
    deploy: Callable[..., str], runtime: Any
) -> None:
    name = deploy("a", "b", weights=(3, 1))
    answered = [invoke(runtime, name)[1] for _ in range(8)]
    assert (answered.count("a"), answered.count("b")) == (6, 2)
    assert invoke(runtime, name, TargetVariant="b") == ("b x", "b")
    assert refusal(runtime, name, TargetVariant="c")["Error"]["Message"] == (
        "Variant c not found for Request"
    )


def test_weights_can_be_changed(
    deploy: Callable[..., str], sagemaker: "SageMakerClient", runtime: Any
) -> None:
    name = deploy("a", "b")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 0},
            {"VariantName": "b", "DesiredInstanceCount": 2},
        ],
    )
    a, b = sagemaker.describe_endpoint(EndpointName=name)["ProductionVariants"]
    assert (a["CurrentWeight"], b["CurrentWeight"], b["CurrentInstanceCount"]) == (0, 1, 2)
    assert {invoke(runtime, name)[1] for _ in range(4)} == {"b"}
    with pytest.raises(ClientError, match="Could not find variant 'c' of endpoint"):
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "c"}]
        )


def test_the_model_is_told_and_tells_by_headers(deploy: Callable[..., str], runtime: Any) -> None:
    tell = """
def answer(body, headers):
    names = ("Content-Type", "Accept", "X-Amzn-SageMaker-Custom-Attributes")
    return json.dumps([headers[name] for name in names]).encode()
"""
    told = runtime.invoke_endpoint(
        EndpointName=deploy(code=tell),
        Body=b"x",
        ContentType="text/csv",
        Accept="application/json",
        CustomAttributes="trace",
    )
    assert json.loads(told["Body"].read()) == ["text/csv", "application/json", "trace"]
    assert told["ContentType"] == "text/plain"


@pytest.mark.parametrize(("status", "whose"), [(400, "client"), (503, "server")])
def test_an_error_of_the_model_is_told_with_its_status(
    deploy: Callable[..., str], runtime: Any, status: int, whose: str
) -> None:
    name = deploy(code=f"def answer(body, headers): return {status}, b'bad column'")
    told = refusal(runtime, name)
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert told["Error"]["Code"] == "ModelError"
    assert told["Error"]["Message"].startswith(
        f'Received {whose} error ({status}) from primary with message "bad column".'
    )
    assert (told["OriginalStatusCode"], told["OriginalMessage"]) == (status, "bad column")


def test_a_server_that_dies_is_started_again(
    deploy: Callable[..., str], sagemaker: "SageMakerClient", runtime: Any
) -> None:
    name = deploy(code="import time\nBORN = time.time_ns()\ndef line(text): return str(BORN)")
    sagemaker.delete_model(ModelName=f"{name}-a")  # what is deployed stays
    born = invoke(runtime, name)[0]
    for pid in launchers(f"endpoints/{name}-"):
        os.kill(pid, signal.SIGKILL)

    def again() -> str:
        with suppress(runtime.exceptions.ModelError):
            return invoke(runtime, name)[0]
        return born

    assert until(again, lambda answered: answered != born)


@pytest.mark.parametrize(
    ("image", "code", "reason"),
    [
        (
            IMAGE,
            "",
            f"Production variant a: ClientError: {IMAGE} has no serve command in the local AWS; "
            "give serve in the image map",
        ),
        (
            OWN_PORT,
            "raise ValueError('no model')",
            "Production variant a: AlgorithmError: ValueError: no model, exit code: 1",
        ),
    ],
)
def test_an_endpoint_whose_model_does_not_serve_fails_and_says_why(
    deploy: Callable[..., str],
    sagemaker: "SageMakerClient",
    runtime: Any,
    image: str,
    code: str,
    reason: str,
) -> None:
    name = deploy(code=code, image=image)
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    assert (endpoint["EndpointStatus"], endpoint["FailureReason"]) == ("Failed", reason)
    told = refusal(runtime, name)["Error"]
    assert (
        told["Message"]
        == f"Endpoint {name} of account 123456789012 is Failed; it would be InService."
    )


def test_an_updated_endpoint_answers_by_its_new_models(
    deploy: Callable[..., str],
    sagemaker: "SageMakerClient",
    s3: "S3Client",
    bucket: str,
    runtime: Any,
) -> None:
    name = deploy()
    configure(sagemaker, s3, bucket, f"{name}-2", ("b",))
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    assert settled(sagemaker, name)["EndpointConfigName"] == f"{name}-2"
    assert invoke(runtime, name) == ("b x", "b")


def test_an_update_that_fails_leaves_what_was_there(
    deploy: Callable[..., str],
    sagemaker: "SageMakerClient",
    s3: "S3Client",
    bucket: str,
    runtime: Any,
) -> None:
    name = deploy()
    configure(sagemaker, s3, bucket, f"{name}-2", ("b",), code="raise ValueError('no')")
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2")
    endpoint = settled(sagemaker, name)
    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", name)
    assert "ValueError: no" in endpoint["FailureReason"]
    assert invoke(runtime, name) == ("a x", "a")


def test_a_deleted_endpoint_leaves_no_process_and_no_folder(
    aws: LocalAWS, deploy: Callable[..., str], sagemaker: "SageMakerClient", runtime: Any
) -> None:
    name = deploy()
    assert launchers(f"endpoints/{name}-")
    sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: launchers(f"endpoints/{name}-"), lambda left: not left)
    until(lambda: [*(aws.root / "endpoints").glob(f"{name}-*")], lambda left: not left)
    assert refusal(runtime, name)["Error"] == {
        "Code": "ValidationError",
        "Message": f"Endpoint {name} of account 123456789012 not found.",
    }


def test_an_endpoint_that_is_deleted_while_it_is_created_leaves_nothing(
    aws: LocalAWS, sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    code = "def healthy(): print('started', flush=True)"
    configure(sagemaker, s3, bucket, name, ("a",), code=code)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    folder = aws.root / "endpoints"

    logs = f"{name}-*/a/log.txt"
    until(
        lambda: [*folder.glob(logs)], lambda found: any("started" in f.read_text() for f in found)
    )
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating"
    sagemaker.delete_endpoint(EndpointName=name)
    until(lambda: [*folder.glob(f"{name}-*")], lambda left: not left)
    assert not launchers(f"endpoints/{name}-")


def test_an_endpoint_of_a_script_is_served_when_it_is_invoked(
    deploy: Callable[..., str], play: Callable[..., None], runtime: Any
) -> None:
    play("Endpoint", {"Status": "InService"})
    assert invoke(runtime, deploy()) == ("a x", "a")


def test_an_endpoint_of_a_script_that_cannot_be_served_says_so_when_it_is_invoked(
    deploy: Callable[..., str], play: Callable[..., None], runtime: Any
) -> None:
    play("Endpoint", {"Status": "InService"})
    told = refusal(runtime, deploy(image=IMAGE))["Error"]["Message"]
    assert "cannot be served by the local AWS: Production variant a: ClientError: " in told


def test_a_serverless_endpoint_answers_alike(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str, runtime: Any
) -> None:
    make_model(sagemaker, s3, bucket, server(WORD), name=name, WORD="serverless")
    serverless: Any = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {"VariantName": "all", "ModelName": name, "ServerlessConfig": serverless}
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    settled(sagemaker, name)
    assert invoke(runtime, name) == ("serverless x", "all")


def test_an_asynchronous_endpoint_stores_its_answers(
    deploy: Callable[..., str], s3: "S3Client", bucket: str, runtime: Any
) -> None:
    places = {"S3OutputPath": f"s3://{bucket}/out", "S3FailurePath": f"s3://{bucket}/bad"}
    code = "def answer(body, headers): return (400, b'bad') if body == b'bad' else body.upper()"
    name = deploy(code=code, AsyncInferenceConfig={"OutputConfig": places})
    for word in ("good", "bad"):
        s3.put_object(Bucket=bucket, Key=f"in/{word}", Body=word)
    for word, place, stored in (
        ("good", "OutputLocation", "GOOD"),
        ("bad", "FailureLocation", "bad"),
    ):
        told = runtime.invoke_endpoint_async(
            EndpointName=name, InputLocation=f"s3://{bucket}/in/{word}"
        )
        key = told[place].removeprefix(f"s3://{bucket}/")
        until(partial(keys, s3, bucket, key), bool)
        assert text(s3, bucket, key) == stored
    assert "use InvokeEndpointAsync" in refusal(runtime, name)["Error"]["Message"]


def test_what_is_not_there_is_refused(deploy: Callable[..., str], runtime: Any) -> None:
    name = deploy()
    assert (
        "Target-Model is not there" in refusal(runtime, name, TargetModel="x")["Error"]["Message"]
    )
    with pytest.raises(ClientError, match="is not asynchronous"):
        runtime.invoke_endpoint_async(EndpointName=name, InputLocation="s3://b/k")
    with pytest.raises(ClientError, match="InvokeEndpointWithResponseStream is not there"):
        runtime.invoke_endpoint_with_response_stream(EndpointName=name, Body=b"x")


def test_servers_end_with_the_local_aws(tmp_path: Any, images: Any, name: str) -> None:
    with LocalAWS(tmp_path, images=images) as aws:
        session: Any = boto3.Session("key", "secret", region_name="us-east-1")
        of = {
            each: session.client(each, endpoint_url=aws.endpoint_url)
            for each in ("sagemaker", "s3")
        }
        of["s3"].create_bucket(Bucket=name)
        configure(
            of["sagemaker"],
            of["s3"],
            name,
            name,
            ("a",),
        )
        of["sagemaker"].create_endpoint(EndpointName=name, EndpointConfigName=name)
        settled(of["sagemaker"], name)
        runtime = session.client("sagemaker-runtime", endpoint_url=aws.endpoint_url)
        assert invoke(runtime, name) == ("a x", "a")
    assert not launchers(f"endpoints/{name}-")


def test_an_endpoint_that_was_being_created_when_the_local_aws_ended_is_failed(
    tmp_path: Any, images: Any, name: str
) -> None:
    with LocalAWS(tmp_path, images=images) as aws:
        sagemaker, s3 = _clients(aws)
        s3.create_bucket(Bucket=name)
        slow = f"import time; time.sleep(60)\n{WORD}"
        configure(sagemaker, s3, name, name, ("a",), code=slow)
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating"
    with LocalAWS(tmp_path, images=images) as aws:
        endpoint = _clients(aws)[0].describe_endpoint(EndpointName=name)
    assert endpoint["EndpointStatus"] == "Failed"
    assert "the local AWS ended before" in endpoint["FailureReason"]


def _clients(aws: LocalAWS) -> tuple[Any, Any]:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    sagemaker, s3 = (
        session.client(service, endpoint_url=aws.endpoint_url) for service in ("sagemaker", "s3")
    )
    return sagemaker, s3
