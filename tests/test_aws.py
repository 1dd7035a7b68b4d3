import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber

from airflow_sm_pipelines import aws, emr
from airflow_sm_pipelines.aws import Resource
from airflow_sm_pipelines.definition.resources import (
    ENDPOINT,
    INFERENCE_COMPONENT,
    JOB,
    MODEL,
    MODEL_PACKAGE,
    PROCESSING,
    TRAINING,
    TRANSFORM,
    Job,
)
from airflow_sm_pipelines.errors import AccessDeniedError, JobError, JobLostError, NameTakenError
from airflow_sm_pipelines.local import LocalAWS

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
CONTAINER = {"Image": "python:3", "ModelDataUrl": "s3://bucket/model.tar.gz"}

REQUESTS: dict[Job, dict[str, Any]] = {
    PROCESSING: {
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "AppSpecification": {
            "ImageUri": "python:3",
            "ContainerEntrypoint": ["python3", "-c", "print('one'); print('two'); input()"],
        },
    },
    TRAINING: {
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "python:3", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://sagemaker-us-east-1-123456789012/models"},
        "ResourceConfig": CLUSTER,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    },
    MODEL: {"ExecutionRoleArn": ROLE, "PrimaryContainer": CONTAINER},
    MODEL_PACKAGE: {
        "InferenceSpecification": {
            "Containers": [CONTAINER],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }
    },
}
# What makes a job of the kind one that can still be stopped.
LASTING: dict[Job, dict[str, Any]] = {
    TRAINING: {
        "AlgorithmSpecification": {
            "TrainingImage": "python:3",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["sleep", "60"],
        }
    }
}
KINDS = list(REQUESTS)
NAMED = [job for job in KINDS if job.create_name]


@pytest.fixture(scope="module")
def client(local_aws: LocalAWS) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in local_aws.environment.items():
            patch.setenv(variable, value)
        return aws.Connection("aws_default").client("sagemaker")


@pytest.fixture
def stubbed(client: Any) -> Iterator[Stubber]:
    """What AWS answers in words of its own; the local AWS does not have all of them."""
    with Stubber(client) as stubber:
        yield stubber


@pytest.fixture
def name() -> str:
    return f"test-{uuid4().hex[:12]}"


def request(job: Job, name: str) -> dict[str, Any]:
    identity = (
        {job.create_name: name}
        if job.create_name
        else {"ModelPackageGroupName": name, "ClientToken": name}
    )
    return {**REQUESTS[job], **identity}


def of_noun(job: Job) -> str:
    return job.noun


# What is asked for


def test_a_job_of_a_category_is_asked_for_by_it() -> None:
    made = Resource.of(JOB, "j", {"JobName": "j", "JobCategory": "AgentRFT"})
    assert made.request == {"JobName": "j", "JobCategory": "AgentRFT"}
    assert Resource.of(TRAINING, "t", {"RoleArn": ROLE}).request == {"TrainingJobName": "t"}


@pytest.mark.parametrize(
    ("status", "changed", "final"),
    [
        ("InService", "15:30", None),
        ("Failed", "15:30", None),
        ("Updating", "15:31", None),
        ("InService", "15:31", "InService"),
        ("Failed", "15:31", "Failed"),
    ],
)
def test_a_status_from_before_the_update_is_not_final(
    status: str, changed: str, final: str | None
) -> None:
    updated = Resource(ENDPOINT, "e", unchanged_since="2026-01-02T10:00:00+00:00")
    described = {"EndpointStatus": status, "LastModifiedTime": f"2026-01-02T{changed}:00+05:30"}
    assert updated.final_status(described) == final


def test_a_status_is_final_where_there_was_no_update() -> None:
    described = {"EndpointStatus": "InService", "LastModifiedTime": "2026-01-02T10:00:00+00:00"}
    assert Resource(ENDPOINT, "e").final_status(described) == "InService"
    assert Resource(ENDPOINT, "e").final_status({}) is None


def test_a_last_change_is_told_in_utc() -> None:
    told = aws.last_change({"LastModifiedTime": "2026-01-02T15:30:00+05:30"})
    assert told == "2026-01-02T10:00:00+00:00"
    assert aws.last_change({}) == ""


def test_an_update_takes_what_of_a_create_it_knows(stubbed: Stubber, client: Any) -> None:
    taken = {"EndpointName": "e", "EndpointConfigName": "c"}
    stubbed.add_response("update_endpoint", {"EndpointArn": "arn:aws:sagemaker:::e"}, taken)
    aws.update(client, ENDPOINT, {**taken, "Tags": [{"Key": "a", "Value": "b"}]})
    stubbed.assert_no_pending_responses()


def test_the_endpoint_of_a_component_is_not_updatable(client: Any) -> None:
    taken = aws.updatable(client, INFERENCE_COMPONENT)
    assert "Specification" in taken
    assert not {"EndpointName", "VariantName", "Tags"} & taken


# The life of a resource


@pytest.mark.parametrize("job", KINDS, ids=of_noun)
def test_what_was_created_can_be_described(client: Any, name: str, job: Job) -> None:
    resource = aws.create(client, job, request(job, name))
    described = aws.describe(client, resource)
    assert resource.identifier in (described.get(job.create_name or ""), described[job.arn])
    assert json.loads(json.dumps(described)) == described
    assert "ResponseMetadata" not in described
    assert datetime.fromisoformat(str(described["CreationTime"])).tzinfo


@pytest.mark.parametrize("job", NAMED, ids=of_noun)
def test_a_name_that_is_taken_is_told(client: Any, name: str, job: Job) -> None:
    aws.create(client, job, request(job, name))
    with pytest.raises(NameTakenError, match=f"^{job.noun} {name}$"):
        aws.create(client, job, request(job, name))


def test_a_second_create_with_the_same_token_is_the_same_package(client: Any, name: str) -> None:
    made = [aws.create(client, MODEL_PACKAGE, request(MODEL_PACKAGE, name)) for _ in range(2)]
    assert made[0] == made[1]
    listed = client.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]
    assert len(listed) == 1


def test_a_package_without_a_group_makes_none(client: Any, name: str) -> None:
    unversioned = {**REQUESTS[MODEL_PACKAGE], "ModelPackageName": name, "ClientToken": name}
    made = aws.create(client, MODEL_PACKAGE, unversioned)
    assert aws.describe(client, made)["ModelPackageName"] == name
    assert not client.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]


@pytest.mark.parametrize("job", NAMED, ids=of_noun)
def test_what_aws_does_not_know_is_told(client: Any, job: Job) -> None:
    with pytest.raises(JobLostError) as raised:
        aws.describe(client, Resource(job, "never-created"))
    assert str(raised.value) == f"{job.noun} never-created: AWS does not know it (any more)"


@pytest.mark.parametrize("job", [job for job in KINDS if job.stops], ids=of_noun)
def test_a_job_is_stopped_once(client: Any, name: str, job: Job) -> None:
    aws.create(client, job, {**request(job, name), **LASTING.get(job, {})})
    assert aws.stop(client, Resource(job, name))
    client_status = aws.describe(client, Resource(job, name))[str(job.status)]
    assert client_status in {"Stopping", "Stopped"}


def test_a_job_that_has_ended_is_not_stopped(client: Any, caplog: Any) -> None:
    assert not aws.stop(client, Resource(TRAINING, "never-created"))
    with caplog.at_level("INFO"):
        aws.stop(client, Resource(TRAINING, "never-created"))
    assert "TrainingJob never-created was not stopped, it has ended" in caplog.text


@pytest.mark.parametrize("job", [job for job in KINDS if not job.stops], ids=of_noun)
def test_what_cannot_be_stopped_is_logged_and_left(client: Any, job: Job, caplog: Any) -> None:
    assert not aws.stop(client, Resource(job, "it"))
    assert f"{job.noun} it cannot be stopped: AWS has no call for it" in caplog.text


def test_a_refused_stop_is_told(stubbed: Stubber, client: Any) -> None:
    stubbed.add_client_error("stop_training_job", "AccessDeniedException", "no", 400)
    with pytest.raises(AccessDeniedError, match="sagemaker:StopTrainingJob on job"):
        aws.stop(client, Resource(TRAINING, "job"))


def test_a_stop_that_aws_is_too_busy_for_is_told(stubbed: Stubber, client: Any) -> None:
    stubbed.add_client_error("stop_training_job", "ThrottlingException", "Rate exceeded", 400)
    with pytest.raises(ClientError, match="Rate exceeded"):
        aws.stop(client, Resource(TRAINING, "job"))


# AWS's own words


@pytest.mark.parametrize(
    ("job", "code", "message"),
    [
        (
            TRAINING,
            "ResourceInUse",
            "Job name must be unique within an AWS account and region, and a job with this name "
            "already exists (arn:aws:sagemaker:us-east-1:123456789012:training-job/a)",
        ),
        (
            MODEL,
            "ValidationException",
            'Cannot create already existing model "arn:aws:sagemaker:us-east-1:1:model/a".',
        ),
    ],
)
def test_aws_words_for_a_taken_name_are_known(
    stubbed: Stubber, client: Any, job: Job, code: str, message: str
) -> None:
    stubbed.add_client_error(f"create_{'model' if job is MODEL else 'training_job'}", code, message)
    with pytest.raises(NameTakenError):
        aws.create(client, job, request(job, "a"))


def test_another_refusal_of_a_request_is_no_taken_name(stubbed: Stubber, client: Any) -> None:
    stubbed.add_client_error("create_training_job", "ValidationException", "No S3 objects found")
    with pytest.raises(ClientError, match="No S3 objects found"):
        aws.create(client, TRAINING, request(TRAINING, "a"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ResourceNotFound", "Could not find the requested resource"),
        ("ValidationException", "Requested resource not found."),
        ("ValidationException", 'Could not find model "arn:aws:sagemaker:us-east-1:1:model/a".'),
        ("ValidationException", "ModelPackage arn:aws:sagemaker:::model-package/a does not exist."),
    ],
)
def test_aws_words_for_what_it_does_not_know_are_known(
    stubbed: Stubber, client: Any, code: str, message: str
) -> None:
    stubbed.add_client_error("describe_training_job", code, message)
    with pytest.raises(JobLostError):
        aws.describe(client, Resource(TRAINING, "a"))


def test_another_error_of_describe_is_no_lost_job(stubbed: Stubber, client: Any) -> None:
    stubbed.add_client_error("describe_training_job", "ThrottlingException", "Rate exceeded")
    with pytest.raises(ClientError, match="Rate exceeded"):
        aws.describe(client, Resource(TRAINING, "a"))


def test_a_request_that_botocore_refuses_is_told(client: Any) -> None:
    with pytest.raises(ParamValidationError, match="Missing required parameter"):
        aws.create(client, TRAINING, {"TrainingJobName": "a"})


# Refusals

USER = "User: arn:aws:sts::123456789012:assumed-role/airflow/worker is not authorized to perform:"


@pytest.mark.parametrize(
    ("code", "message", "action", "resource"),
    [
        (
            "AccessDeniedException",
            f"{USER} sagemaker:CreateTrainingJob on resource: arn:aws:sagemaker:us-east-1:"
            "123456789012:training-job/a because no identity-based policy allows the "
            "sagemaker:CreateTrainingJob action",
            "sagemaker:CreateTrainingJob",
            "arn:aws:sagemaker:us-east-1:123456789012:training-job/a",
        ),
        (
            "AccessDeniedException",
            f"{USER} iam:PassRole on resource: {ROLE} with an explicit deny",
            "iam:PassRole",
            ROLE,
        ),
        (
            "AccessDenied",
            f'{USER} s3:GetObject on resource: "arn:aws:s3:::bucket/key" because no '
            "identity-based policy allows the s3:GetObject action",
            "s3:GetObject",
            "arn:aws:s3:::bucket/key",
        ),
        ("AccessDeniedException", "", "sagemaker:CreateTrainingJob", "a"),
    ],
)
def test_a_refusal_names_the_action_and_the_resource(
    stubbed: Stubber, client: Any, code: str, message: str, action: str, resource: str
) -> None:
    stubbed.add_client_error("create_training_job", code, message, 400)
    with pytest.raises(AccessDeniedError) as raised:
        aws.create(client, TRAINING, request(TRAINING, "a"))
    assert (raised.value.action, raised.value.resource) == (action, resource)
    assert str(raised.value) == (
        f"{action} on {resource}: access denied; allow the action for the connection's identity. "
        f"AWS says: {message}"
    )


def test_a_refusal_that_names_nothing_has_a_star(stubbed: Stubber, client: Any) -> None:
    stubbed.add_client_error("list_training_jobs", "AccessDeniedException", "no", 400)
    with pytest.raises(AccessDeniedError) as raised:
        aws.call(client, "ListTrainingJobs", {})
    assert (raised.value.action, raised.value.resource) == ("sagemaker:ListTrainingJobs", "*")


def test_a_refused_group_does_no_harm_where_it_is_there(
    stubbed: Stubber, client: Any, caplog: Any
) -> None:
    stubbed.add_client_error("create_model_package_group", "AccessDeniedException", "no", 400)
    stubbed.add_response("create_model_package", {"ModelPackageArn": "arn:aws:sagemaker:::a/1"})
    made = aws.create(client, MODEL_PACKAGE, request(MODEL_PACKAGE, "a"))
    assert made == Resource(MODEL_PACKAGE, "arn:aws:sagemaker:::a/1")
    assert "sagemaker:CreateModelPackageGroup on a: access denied" in caplog.text


def test_a_group_that_cannot_be_made_is_told(stubbed: Stubber, client: Any) -> None:
    stubbed.add_client_error(
        "create_model_package_group", "ResourceLimitExceeded", "too many groups"
    )
    with pytest.raises(ClientError, match="too many groups"):
        aws.create(client, MODEL_PACKAGE, request(MODEL_PACKAGE, "a"))


# Logs


@pytest.fixture(scope="module")
def logs(local_aws: LocalAWS) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in local_aws.environment.items():
            patch.setenv(variable, value)
        return aws.Connection("aws_default").client("logs")


def test_the_log_tail_is_the_last_lines_of_all_hosts_by_time(logs: Any, name: str) -> None:
    group = TRANSFORM.log_group
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        logs.create_log_group(logGroupName=group)
    now = int(datetime.now(UTC).timestamp() * 1000)
    for host, moments in {"algo-1-1": (0, 2, 4), "algo-2-1": (1, 3), "other": ()}.items():
        stream = f"{name}/{host}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        events = [{"timestamp": now + i, "message": f"{host} {i}"} for i in moments]
        if events:
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
    assert aws.log_tail(logs, TRANSFORM, name, lines=3) == (
        "algo-1-1 2",
        "algo-2-1 3",
        "algo-1-1 4",
    )


def test_a_log_that_cannot_be_read_is_empty_with_a_warning(logs: Any, caplog: Any) -> None:
    with Stubber(logs) as stubber:
        stubber.add_client_error("describe_log_streams", "AccessDeniedException", "no", 400)
        assert aws.log_tail(logs, TRAINING, "job") == ()
    assert "the log of TrainingJob job cannot be read: logs:DescribeLogStreams" in caplog.text


def test_a_log_that_was_never_written_is_empty_with_a_warning(logs: Any, caplog: Any) -> None:
    with Stubber(logs) as stubber:
        stubber.add_client_error(
            "describe_log_streams", "ResourceNotFoundException", "The log group does not exist."
        )
        assert aws.log_tail(logs, TRAINING, "job") == ()
    assert "the log of TrainingJob job cannot be read" in caplog.text


def test_what_has_no_log_has_no_tail(logs: Any) -> None:
    assert aws.log_tail(logs, MODEL, "model") == ()


# JSON


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        ({"a": [datetime(2026, 1, 2, tzinfo=UTC)]}, {"a": ["2026-01-02T00:00:00+00:00"]}),
        (math.nan, "NaN"),
        ([math.inf, -math.inf], ["Infinity", "-Infinity"]),
        (1.5, 1.5),
        (True, True),
        (None, None),
    ],
)
def test_a_response_is_json(value: Any, expected: Any) -> None:
    made = aws.as_json(value)
    assert made == expected
    json.dumps(made, allow_nan=False)


# The connection


def test_a_client_tries_five_times_more(client: Any) -> None:
    assert client.meta.config.retries == {"mode": "standard", "total_max_attempts": 6}


def test_the_connections_own_botocore_settings_stay(
    aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {
        "endpoint_url": aws_environment.endpoint_url,
        "region_name": "us-east-1",
        "config_kwargs": {"read_timeout": 7, "retries": {"mode": "adaptive"}},
    }
    connection = {"conn_type": "aws", "login": "a", "password": "b", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_PATIENT", json.dumps(connection))
    made: Any = aws.Connection("patient").client("sagemaker")
    assert made.meta.config.read_timeout == 7
    assert made.meta.config.retries == {"mode": "adaptive"}


def test_a_region_goes_before_the_connections(aws_environment: LocalAWS) -> None:
    made = aws.Connection("aws_default", "eu-central-1").client("sagemaker")
    assert made.meta.region_name == "eu-central-1"
    assert aws.Connection("aws_default").client("sagemaker").meta.region_name == "us-east-1"


# Lists

SESSION: Any = boto3.Session("key", "secret", region_name="us-east-1")


@pytest.mark.parametrize(
    ("service", "operation", "rows", "token"),
    [
        ("sagemaker", "ListModels", "Models", "NextToken"),
        ("emr", "ListClusters", "Clusters", "Marker"),
        ("emr-serverless", "ListApplications", "applications", "nextToken"),
    ],
)
def test_a_list_is_followed_to_its_last_page(
    service: str, operation: str, rows: str, token: str
) -> None:
    client: Any = SESSION.client(service)
    with Stubber(client) as stubber:
        method = xform_name(operation)
        stubber.add_response(method, {rows: [], token: "more"}, {})
        stubber.add_response(method, {rows: []}, {token: "more"})
        assert [sorted(page) for page in aws.pages(client, operation, {})] == [
            sorted([rows, token]),
            [rows],
        ]
        stubber.assert_no_pending_responses()


def test_a_search_on_emr_that_does_not_end_takes_nothing_for_absent() -> None:
    client: Any = SESSION.client("emr")
    with Stubber(client) as stubber:
        for _ in range(emr.MOST_PAGES + 1):
            stubber.add_response("list_steps", {"Steps": [], "Marker": "more"})
        with pytest.raises(JobError, match="ListSteps: more than 40 pages; what is there cannot"):
            emr.find(client, name="n", told_apart={"ClusterId": "j-1"}, since=datetime.now(UTC))
