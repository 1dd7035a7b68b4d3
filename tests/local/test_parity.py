"""The same requests to moto's SageMaker and to ours: what callers see is the same.

Not asked: what moto gets wrong. It takes a name twice, runs no job, has no tags of models, and no
words for experiments that are not there.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.sessions import neutral_session
from airflow_sm_pipelines.local.transport import connect

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"
VARIANT = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
CONTAINER = {"Image": "image", "Environment": {"A": "1"}}

# What one of them leaves out where it says nothing, and what takes a while with us.
VOLATILE = {
    "ResponseMetadata",
    "CertifyForMarketplace",
    "CreatedBy",
    "DisplayName",
    "EnableNetworkIsolation",
    "LastModifiedTime",
    "ModelPackageStatus",
    "ModelPackageStatusDetails",
}

# Operation and request, NAME standing for a name that nobody else uses.
STORY: list[tuple[str, dict[str, Any]]] = [
    (
        "create_model",
        {"ModelName": "NAME", "ExecutionRoleArn": ROLE, "PrimaryContainer": CONTAINER},
    ),
    ("describe_model", {"ModelName": "NAME"}),
    ("describe_model", {"ModelName": "NAME-no"}),
    (
        "create_endpoint_config",
        {"EndpointConfigName": "NAME", "ProductionVariants": [{**VARIANT, "ModelName": "NAME"}]},
    ),
    ("describe_endpoint_config", {"EndpointConfigName": "NAME"}),
    ("describe_endpoint_config", {"EndpointConfigName": "NAME-no"}),
    (
        "create_endpoint_config",
        {
            "EndpointConfigName": "NAME-2",
            "ProductionVariants": [{**VARIANT, "ModelName": "NAME-no"}],
        },
    ),
    (
        "create_model_package_group",
        {"ModelPackageGroupName": "NAME", "ModelPackageGroupDescription": "ours"},
    ),
    ("describe_model_package_group", {"ModelPackageGroupName": "NAME"}),
    ("describe_model_package_group", {"ModelPackageGroupName": "NAME-no"}),
    (
        "create_model_package",
        {"ModelPackageGroupName": "NAME", "ModelApprovalStatus": "Approved"},
    ),
    ("create_model_package", {"ModelPackageGroupName": "NAME"}),
    ("describe_model_package", {"ModelPackageName": f"{ARN}:model-package/NAME/1"}),
    (
        "update_model_package",
        {
            "ModelPackageArn": f"{ARN}:model-package/NAME/2",
            "ModelApprovalStatus": "Rejected",
        },
    ),
    ("describe_endpoint", {"EndpointName": "NAME-no"}),
    ("create_endpoint", {"EndpointName": "NAME", "EndpointConfigName": "NAME-no"}),
    ("delete_endpoint", {"EndpointName": "NAME-no"}),
    ("create_experiment", {"ExperimentName": "NAME"}),
    ("describe_experiment", {"ExperimentName": "NAME"}),
    ("create_trial", {"TrialName": "NAME", "ExperimentName": "NAME"}),
    ("describe_trial", {"TrialName": "NAME"}),
    ("delete_model", {"ModelName": "NAME"}),
    ("delete_endpoint_config", {"EndpointConfigName": "NAME"}),
    ("describe_endpoint_config", {"EndpointConfigName": "NAME"}),
]


@pytest.fixture(scope="module")
def moto() -> Any:
    made = neutral_session().create_client(
        "sagemaker",
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    connect(made, Moto())
    return made


def test_callers_see_the_same_answers(sagemaker: Any, moto: Any, name: str) -> None:
    expected, found = (list(told(client, name)) for client in (moto, sagemaker))
    assert found == expected


def told(client: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What each operation of the story answers, or the error and its words."""
    for operation, request in STORY:
        call: Callable[..., Any] = getattr(client, operation)
        try:
            yield operation, steady(call(**named(request, name)))
        except ClientError as error:
            refused = error.response["Error"]
            yield operation, (refused["Code"], refused["Message"].replace("'", '"'))


def named(value: Any, name: str) -> Any:
    """A request with a name for NAME."""
    match value:
        case dict():
            return {key: named(each, name) for key, each in value.items()}
        case list():
            return [named(each, name) for each in value]
        case str():
            return value.replace("NAME", name)
    return value


def steady(value: Any) -> Any:
    """An answer without what differs from call to call."""
    match value:
        case dict():
            kept = {key: steady(each) for key, each in value.items() if key not in VOLATILE}
            return {key: each for key, each in kept.items() if each not in ({}, [])}
        case datetime():
            return "a time"
    return value
