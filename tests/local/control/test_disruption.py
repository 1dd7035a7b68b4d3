"""What callers see of faults, and what is written down, over the wire."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from airflow_sm_pipelines.local import LocalAWS

Fault = Callable[..., None]
Client = Callable[..., Any]
Request = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def nothing_left(aws: LocalAWS) -> Iterator[None]:
    aws.requests.clear()
    yield
    aws.faults.replace()
    aws.scripts.replace()


@pytest.fixture
def fault(aws: LocalAWS) -> Fault:
    return lambda kind, **keys: aws.faults.add({"Kind": kind, **keys})


@pytest.fixture(scope="session")
def once(aws: LocalAWS) -> Client:
    """Clients that try no request a second time."""
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")

    def made(service: str = "sagemaker", **options: Any) -> Any:
        config = Config(retries={"total_max_attempts": 1}, **options)
        return session.client(service, endpoint_url=aws.endpoint_url, config=config)

    return made


@pytest.fixture
def job(training_request: Request, aws: LocalAWS) -> dict[str, Any]:
    """A request of a job that goes on until somebody stops it."""
    moments = [{"Status": "InProgress", "Seconds": 600}, {"Status": "Completed"}]
    aws.scripts.add({"Kind": "TrainingJob", "Moments": moments})
    return training_request()


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error: Any = raised.value.response
    status: int = error["ResponseMetadata"]["HTTPStatusCode"]
    return error["Error"]["Code"], error["Error"]["Message"], status


def noted(aws: LocalAWS, operation: str) -> list[tuple[str, str, bool]]:
    return [
        (entry["Name"], entry["Outcome"], entry["Effect"])
        for entry in aws.requests.documents()
        if entry["Operation"] == operation
    ]


@pytest.mark.parametrize(
    ("kind", "code", "status", "message"),
    [
        ("Throttling", "ThrottlingException", 400, "Rate exceeded"),
        ("TooManyRequests", "TooManyRequestsException", 429, "Too Many Requests"),
        ("InternalFailure", "InternalFailure", 500, "The request processing has failed"),
        ("ServiceUnavailable", "ServiceUnavailable", 503, "The request has failed due to a"),
        ("ExpiredToken", "ExpiredTokenException", 400, "The security token included in the"),
        ("AccessDenied", "AccessDeniedException", 400, "User: arn:aws:sts::123456789012:user"),
    ],
)
def test_an_error_comes_instead_of_what_was_asked_for(
    aws: LocalAWS,
    once: Client,
    fault: Fault,
    job: dict[str, Any],
    kind: str,
    code: str,
    status: int,
    message: str,
) -> None:
    fault(kind, Operations="CreateTrainingJob", Times=1)
    found = refused(once().create_training_job, **job)
    assert (found[0], found[2]) == (code, status)
    assert found[1].startswith(message)
    assert refused(once().describe_training_job, TrainingJobName=job["TrainingJobName"])
    once().create_training_job(**job)
    assert noted(aws, "CreateTrainingJob") == [
        (job["TrainingJobName"], code, False),
        (job["TrainingJobName"], "ok", True),
    ]


def test_a_denial_names_the_action(once: Client, fault: Fault) -> None:
    fault("AccessDenied", Operations="List*")
    assert "is not authorized to perform: sagemaker:ListModels" in refused(once().list_models)[1]


@pytest.mark.parametrize(
    ("kind", "s3", "sts", "logs"),
    [
        ("Throttling", "SlowDown", "Throttling", "ThrottlingException"),
        ("InternalFailure", "InternalError", "InternalFailure", "InternalFailure"),
        ("ServiceUnavailable", *["ServiceUnavailable"] * 3),
        ("ExpiredToken", "ExpiredToken", "ExpiredToken", "ExpiredTokenException"),
        ("AccessDenied", "AccessDenied", "AccessDenied", "AccessDeniedException"),
        ("TooManyRequests", *["TooManyRequestsException"] * 3),
    ],
)
def test_other_services_have_errors_of_their_own(
    once: Client, fault: Fault, kind: str, s3: str, sts: str, logs: str
) -> None:
    fault(kind, Operations="*:*")
    assert refused(once("s3").list_buckets)[0] == s3
    assert refused(once("sts").get_caller_identity)[0] == sts
    assert refused(once("logs").describe_log_groups)[0] == logs
    assert refused(once("emr-serverless").list_applications)[0] == logs
    assert refused(once("cloudwatch").list_dashboards)[0] == logs


def test_a_head_request_has_the_status_alone(once: Client, fault: Fault) -> None:
    fault("AccessDenied", Operations="s3:HeadBucket")
    assert refused(once("s3").head_bucket, Bucket="bucket")[2] == 403


def test_a_limit_names_the_instances_that_were_asked_for(
    aws: LocalAWS, once: Client, fault: Fault, training_request: Request
) -> None:
    fault("ResourceLimit")
    resources = {"InstanceCount": 2, "InstanceType": "ml.p4d.24xlarge", "VolumeSizeInGB": 1}
    request = training_request(ResourceConfig=resources)
    code, message, status = refused(once().create_training_job, **request)
    assert (code, status) == ("ResourceLimitExceeded", 400)
    assert message == (
        "The account-level service limit 'ml.p4d.24xlarge for training job usage' is 0 Instances, "
        "with current utilization of 0 Instances and a request delta of 2 Instances. Please use "
        "AWS Service Quotas to request an increase for this quota."
    )


def test_a_connection_is_reset_before_anything_happens(
    aws: LocalAWS, once: Client, fault: Fault, job: dict[str, Any]
) -> None:
    fault("ResetBefore", Operations="CreateTrainingJob", Times=1)
    with pytest.raises(ConnectionClosedError):
        once().create_training_job(**job)
    assert refused(once().describe_training_job, TrainingJobName=job["TrainingJobName"])
    assert noted(aws, "CreateTrainingJob") == [(job["TrainingJobName"], "reset", False)]


def test_a_connection_is_reset_after_the_job_was_created(
    aws: LocalAWS, once: Client, fault: Fault, job: dict[str, Any]
) -> None:
    fault("ResetAfter", Operations="Create*", Times=1)
    with pytest.raises(ConnectionClosedError):
        once().create_training_job(**job)
    assert refused(once().create_training_job, **job)[0] == "ResourceInUse"
    name = job["TrainingJobName"]
    assert noted(aws, "CreateTrainingJob") == [
        (name, "reset", True),
        (name, "ResourceInUse", False),
    ]


def test_motos_services_are_reset_after_the_effect_too(
    once: Client, fault: Fault, name: str
) -> None:
    fault("ResetAfter", Operations="s3:CreateBucket")
    with pytest.raises(ConnectionClosedError):
        once("s3").create_bucket(Bucket=name)
    once("s3").head_bucket(Bucket=name)


def test_a_reset_is_one_of_the_connection_itself(aws: LocalAWS, fault: Fault) -> None:
    fault("ResetBefore", Operations="ListModels")
    host, port = aws.endpoint_url.removeprefix("http://").split(":")
    request = f"POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: SageMaker.ListModels\r\n"
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(f"{request}Content-Length: 2\r\n\r\n{{}}".encode())
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


def test_a_reset_leaves_no_trace_in_the_log(
    once: Client, fault: Fault, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    fault("ResetBefore", Operations="ListModels", Times=3)
    for _ in range(3):
        with pytest.raises(ConnectionClosedError):
            once().list_models()
    once().list_models()
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_an_answer_that_comes_late_keeps_nobody_else_waiting(
    aws: LocalAWS, once: Client, fault: Fault, job: dict[str, Any]
) -> None:
    fault("Latency", Operations="CreateTrainingJob", Seconds=600)
    with pytest.raises(ReadTimeoutError):
        once(read_timeout=0.2).create_training_job(**job)
    name = job["TrainingJobName"]
    assert once().describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"
    assert noted(aws, "CreateTrainingJob") == [(name, "ok", True)]


def test_an_error_can_come_late(once: Client, fault: Fault) -> None:
    fault("Throttling")
    fault("Latency", Seconds=0.01)
    assert refused(once().list_models)[0] == "ThrottlingException"


def test_a_new_job_is_unseen_though_its_name_is_taken(
    aws: LocalAWS, once: Client, fault: Fault, job: dict[str, Any]
) -> None:
    fault("Unseen", Operations="CreateTrainingJob", Seconds=600, Times=1)
    name, client = job["TrainingJobName"], once()
    client.create_training_job(**job)
    found = refused(client.describe_training_job, TrainingJobName=name)
    assert found == ("ValidationException", "Requested resource not found.", 400)
    assert client.list_training_jobs(NameContains=name)["TrainingJobSummaries"] == []
    assert refused(client.create_training_job, **job)[0] == "ResourceInUse"
    client.create_training_job(**{**job, "TrainingJobName": f"{name}-2"})
    assert client.describe_training_job(TrainingJobName=f"{name}-2")
    aws.faults.replace()
    assert client.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "InProgress"


def test_a_new_model_and_a_new_package_are_unseen(
    aws: LocalAWS, once: Client, fault: Fault, name: str
) -> None:
    client = once()
    client.create_model_package_group(ModelPackageGroupName=name)
    fault("Unseen", Seconds=600)
    model = {"ModelName": name, "PrimaryContainer": {"Image": "image"}}
    client.create_model(**model)
    arn = client.create_model_package(ModelPackageGroupName=name)["ModelPackageArn"]
    assert refused(client.describe_model, ModelName=name)[1].startswith("Could not find model")
    assert "does not exist" in refused(client.describe_model_package, ModelPackageName=arn)[1]
    versions = client.list_model_packages(ModelPackageGroupName=name)
    assert versions["ModelPackageSummaryList"] == []
    assert "already existing" in refused(client.create_model, **model)[1]
    aws.faults.replace()
    assert client.describe_model(ModelName=name)["ModelName"] == name


def test_a_package_that_is_asked_for_again_is_no_effect(
    aws: LocalAWS, once: Client, name: str
) -> None:
    client = once()
    client.create_model_package_group(ModelPackageGroupName=name)
    request = {"ModelPackageGroupName": name, "ClientToken": name}
    arns = {client.create_model_package(**request)["ModelPackageArn"] for _ in range(2)}
    assert len(arns) == 1
    assert noted(aws, "CreateModelPackage") == [(name, "ok", True), (name, "ok", False)]


def test_what_moto_answers_is_written_down_with_its_code(
    aws: LocalAWS, once: Client, name: str
) -> None:
    client = once()
    request = {"PipelineName": name, "PipelineDefinition": "{}", "ClientRequestToken": name * 2}
    client.create_pipeline(**request, RoleArn=aws.account.role_arn)
    refused(client.describe_pipeline, PipelineName=f"{name}-2")
    assert noted(aws, "CreatePipeline") == [(name, "ok", True)]
    assert noted(aws, "DescribePipeline") == [(f"{name}-2", "ValidationException", False)]


def test_other_services_are_counted(aws: LocalAWS, once: Client) -> None:
    once("s3").list_buckets()
    once("sts").get_caller_identity()
    once("logs").describe_log_groups()
    assert aws.requests.counts() == {
        "s3:ListBuckets": 1,
        "sts:GetCallerIdentity": 1,
        "logs:DescribeLogGroups": 1,
    }


def test_faults_never_happen_to_what_sets_them_nor_to_the_engine(
    aws: LocalAWS, fault: Fault, trained: Request
) -> None:
    for kind in ("Throttling", "ResetBefore"):
        fault(kind, Operations="logs:*")
    description = trained("print('said')")
    assert description["TrainingJobStatus"] == "Completed"
    fault("Throttling", Operations="*:*")
    host, port = aws.endpoint_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /_local/faults HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert len(json.loads(answer.partition(b"\r\n\r\n")[2])["Faults"]) == 3
