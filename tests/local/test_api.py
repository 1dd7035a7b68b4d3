import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from werkzeug.test import Client

from airflow_sm_pipelines.definition import resources as resource_rows
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.local import LocalAWS, shapes
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.api import Api
from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.control.disruption import Disruption
from airflow_sm_pipelines.local.control.faults import Faults
from airflow_sm_pipelines.local.control.journal import Journal
from airflow_sm_pipelines.local.control.paths import Control
from airflow_sm_pipelines.local.control.script_rules import OPERATIONS
from airflow_sm_pipelines.local.front import Front
from airflow_sm_pipelines.local.job import Ending, JobKind
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.registry import Registry
from airflow_sm_pipelines.local.services import Services

from .calls import IMAGE, resources

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

RESOURCES = [each for each in vars(resource_rows).values() if isinstance(each, Job)]

ARN = "arn:aws:sagemaker:us-east-1:123456789012"

VARIANT: dict[str, Any] = {
    "VariantName": "all",
    "InstanceType": "ml.m5.large",
    "InitialInstanceCount": 1,
}

# What is not a job and takes tags, with what its Create operation needs besides a name; NAME is
# one that the test uses, and what is named like that is there.
RECORDED: list[tuple[str, dict[str, Any]]] = [
    ("Model", {"PrimaryContainer": {"Image": IMAGE}}),
    ("ModelPackage", {}),
    ("ModelPackageGroup", {}),
    ("EndpointConfig", {"ProductionVariants": [VARIANT]}),
    ("Endpoint", {"EndpointConfigName": "NAME-there"}),
    ("Experiment", {}),
    ("Trial", {"ExperimentName": "NAME-there"}),
    ("TrialComponent", {}),
]


def post(aws: LocalAWS, operation: str, body: bytes = b"{}", **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        aws.endpoint_url, body, {"X-Amz-Target": f"SageMaker.{operation}", **headers}
    )
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_an_operation_that_sagemaker_does_not_have_is_a_clean_400(aws: LocalAWS) -> None:
    assert post(aws, "CreateUnicorn") == (
        400,
        {
            "__type": "UnknownOperationException",
            "message": "SageMaker has no operation 'CreateUnicorn'",
        },
    )


@pytest.mark.parametrize(
    "operation",
    [
        "CreateAutoMLJobV2",
        "CreateCompilationJob",
        "ListLabelingJobs",
        "StartPipelineExecution",
        "UpdateInferenceComponentRuntimeConfig",
    ],
)
def test_what_moto_would_only_pretend_is_a_clean_400(aws: LocalAWS, operation: str) -> None:
    status, answer = post(aws, operation)
    assert status == 400
    assert answer["message"].startswith(f"{operation} is not there in the local AWS")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"[]", b'"text"'])
def test_a_body_that_is_no_json_object_is_a_clean_400(aws: LocalAWS, body: bytes) -> None:
    status, answer = post(aws, "DescribeModel", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_web_page_gets_no_answer(aws: LocalAWS) -> None:
    status, answer = post(aws, "ListModels", Origin="https://example.com")
    assert (status, answer["__type"]) == (403, "AccessDenied")


def test_every_operation_that_is_answered_is_one_of_the_service(aws: LocalAWS) -> None:
    for noun in (*OPERATIONS, "Model", "ModelPackageGroup", "EndpointConfig"):
        for operation in (f"Create{noun}", f"Describe{noun}", f"List{noun}s"):
            assert shapes.operation(operation) is not None
            status, answer = post(aws, operation)
            assert "is not there" not in answer.get("message", ""), status


CREATED = (
    *OPERATIONS,
    *("Model", "ModelPackageGroup", "EndpointConfig", "Experiment", "Trial", "TrialComponent"),
    *("Pipeline", "Domain", "FeatureGroup", "NotebookInstance"),  # moto's
)


@pytest.mark.parametrize("noun", CREATED)
def test_a_create_request_is_checked_member_by_member(aws: LocalAWS, noun: str) -> None:
    model = shapes.service().operation_model(f"Create{noun}").input_shape
    assert model is not None
    status, answer = post(aws, f"Create{noun}", b'{"Unicorn": 1}')
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert (
        "Value '1' at 'unicorn' failed to satisfy constraint: Member must be one of: "
        in (answer["message"])
    )
    for member in model.required_members:
        name = member[0].lower() + member[1:]
        assert f"Value null at '{name}' failed to satisfy constraint" in answer["message"]


@pytest.mark.parametrize("noun", [noun for noun in CREATED if noun != "ModelPackage"])
def test_a_name_of_the_wrong_form_is_refused_for_every_kind(aws: LocalAWS, noun: str) -> None:
    for wrong in ("under_score!", "-dash", "a" * 300):
        body = json.dumps({f"{noun}Name": wrong}).encode()
        status, answer = post(aws, f"Create{noun}", body)
        assert (status, answer["__type"]) == (400, "ValidationException")
        assert f"Value '{wrong}' at '{noun[0].lower()}{noun[1:]}Name'" in answer["message"]


@pytest.mark.parametrize("row", RESOURCES, ids=lambda row: row.noun)
def test_every_operation_that_a_step_needs_is_answered(aws: LocalAWS, row: Job) -> None:
    stop, update = f"Stop{row.noun}", f"Update{row.noun}"
    further = [*([stop] if row.stops else []), *([update] if row.updates else [])]
    for operation in (f"Create{row.noun}", f"Describe{row.noun}", f"List{row.noun}s", *further):
        _, answer = post(aws, operation)
        assert "is not there" not in answer.get("message", "")


def test_tags_are_added_listed_and_removed(sagemaker: "SageMakerClient", name: str) -> None:
    arn = sagemaker.create_model_package_group(
        ModelPackageGroupName=name, Tags=[{"Key": "a", "Value": "1"}]
    )["ModelPackageGroupArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


@pytest.mark.parametrize("kind", RECORDED)
def test_every_kind_that_is_created_with_tags_has_them(
    sagemaker: Any, name: str, kind: tuple[str, dict[str, Any]]
) -> None:
    noun, request = kind
    there = f"{name}-there"
    sagemaker.create_endpoint_config(EndpointConfigName=there, ProductionVariants=[VARIANT])
    sagemaker.create_experiment(ExperimentName=there)
    filled = json.loads(json.dumps(request).replace("NAME", name))
    create = getattr(sagemaker, xform_name(f"Create{noun}"))
    first = [{"Key": "a", "Value": "1"}]
    arn = create(**{f"{noun}Name": name}, **filled, Tags=first)[f"{noun}Arn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [*first, {"Key": "b", "Value": "2"}]


def test_a_resource_that_is_made_again_has_none_of_its_old_tags(
    sagemaker: "SageMakerClient", name: str
) -> None:
    model: Any = {"ModelName": name, "PrimaryContainer": {"Image": IMAGE}}
    arn = sagemaker.create_model(**model, Tags=[{"Key": "a", "Value": "1"}])["ModelArn"]
    sagemaker.delete_model(ModelName=name)
    sagemaker.create_model(**model)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        ("model/nobody", f'Could not find model "{ARN}:model/nobody".'),
        ("model-package/nobody/1", f"ModelPackage {ARN}:model-package/nobody/1 does not exist."),
        ("endpoint/nobody", f'Could not find endpoint "{ARN}:endpoint/nobody".'),
        ("processing-job/nobody", "Could not find requested job with name: nobody"),
        ("training-job/nobody", "Requested resource not found."),
        ("transform-job/nobody", "Could not find requested job with name: nobody"),
        (
            "inference-component/nobody",
            f'Could not find inference component "{ARN}:inference-component/nobody".',
        ),
    ],
)
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("add_tags", {"Tags": [{"Key": "a", "Value": "1"}]}),
        ("list_tags", {}),
        ("delete_tags", {"TagKeys": ["a"]}),
    ],
)
def test_what_is_not_there_has_no_tags(
    sagemaker: Any, operation: str, arguments: dict[str, Any], resource: str, message: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(sagemaker, operation)(ResourceArn=f"{ARN}:{resource}", **arguments)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("ValidationException", message)


def test_a_job_is_tagged_by_its_arn_in_any_case(
    sagemaker: "SageMakerClient", processed: Callable[..., Any], name: str
) -> None:
    arn = processed(ProcessingJobName=f"{name}-Upper")["ProcessingJobArn"]
    given = arn.replace("-upper", "-Upper")
    sagemaker.add_tags(ResourceArn=given, Tags=[{"Key": "a", "Value": "1"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]


def test_an_error_that_nobody_expected_is_an_answer_in_aws_own_shape(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kind = JobKind(
        noun="ProcessingJob",
        slug="processing-job",
        unknown="",
        check=lambda request: None,
        opened=lambda request: {"ExitMessage": 1 // 0},
        stopping=lambda fields: {},
        ended=lambda fields, ending: {},
        run=lambda job: Ending(status="Completed"),
    )
    account = Account("us-east-1")
    jobs = Jobs(account, tmp_path, workers=1, grace_seconds=1)
    faults = Faults()
    api = Api(jobs, Registry(account), kinds=(kind,), faults=faults)
    journal = Journal()
    disruption = Disruption(faults, journal)
    front = Front(api, Moto(), control=Control({}), disruption=disruption, services=Services())
    request = {
        "ProcessingJobName": "job",
        "RoleArn": account.role_arn,
        "ProcessingResources": {"ClusterConfig": resources()},
        "AppSpecification": {"ImageUri": IMAGE},
    }
    target = "SageMaker.CreateProcessingJob"
    answer = Client(front).post("/", json=request, headers={"X-Amz-Target": target})
    jobs.close(grace_seconds=0)
    assert answer.status_code == 500
    assert json.loads(answer.data) == {
        "__type": "InternalFailure",
        "message": f"{target}: the local AWS failed "
        "(ZeroDivisionError: integer division or modulo by zero)",
    }
    assert [entry["Outcome"] for entry in journal.documents()] == ["InternalFailure"]
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_pipelines_are_kept_by_moto_with_their_tags(
    sagemaker: "SageMakerClient", name: str
) -> None:
    arn = sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition="{}",
        RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        ClientRequestToken=name * 2,
        Tags=[{"Key": "a", "Value": "1"}],
    )["PipelineArn"]
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineArn"] == arn
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]


def test_an_answer_is_what_boto_can_parse_times_included(
    sagemaker: "SageMakerClient", name: str
) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    created = sagemaker.describe_model_package_group(ModelPackageGroupName=name)["CreationTime"]
    assert created.microsecond % 1000 == 0
    with pytest.raises(ClientError):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
