from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .calls import IMAGE, until

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"


def message(refused: "pytest.ExceptionInfo[ClientError]") -> str:
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return refused.value.response["Error"]["Message"]


@pytest.fixture
def model(sagemaker: "SageMakerClient", name: str) -> str:
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})
    return name


@pytest.fixture
def config(sagemaker: "SageMakerClient", model: str) -> str:
    return make_config(sagemaker, model, model)


def make_config(sagemaker: "SageMakerClient", name: str, model: str) -> str:
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "all",
                "ModelName": model,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
            }
        ],
    )
    return name


def in_service(sagemaker: "SageMakerClient", name: str) -> Any:
    return until(
        lambda: sagemaker.describe_endpoint(EndpointName=name),
        lambda endpoint: endpoint["EndpointStatus"] == "InService",
    )


def test_a_model_is_described_as_it_was_created(sagemaker: "SageMakerClient", model: str) -> None:
    described = sagemaker.describe_model(ModelName=model)
    assert described["ModelArn"] == f"{ARN}:model/{model}"
    assert described["PrimaryContainer"] == {"Image": IMAGE}


def test_a_second_model_of_the_same_name_is_refused(
    sagemaker: "SageMakerClient", model: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model(ModelName=model, PrimaryContainer={"Image": IMAGE})
    assert message(refused) == f'Cannot create already existing model "{ARN}:model/{model}".'


@pytest.mark.parametrize(
    ("containers", "problem"),
    [
        ({}, "Either PrimaryContainer or Containers must be provided."),
        (
            {"PrimaryContainer": {"Image": IMAGE}, "Containers": [{"Image": IMAGE}]},
            "Only one of PrimaryContainer and Containers can be provided.",
        ),
    ],
)
def test_a_model_has_one_kind_of_container(
    sagemaker: "SageMakerClient", name: str, containers: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model(ModelName=name, **containers)
    assert message(refused) == problem


def test_a_deleted_model_is_gone(sagemaker: "SageMakerClient", model: str) -> None:
    sagemaker.delete_model(ModelName=model)
    with pytest.raises(ClientError) as refused:
        sagemaker.describe_model(ModelName=model)
    assert message(refused) == f'Could not find model "{ARN}:model/{model}".'


def test_an_endpoint_configuration_needs_its_models(
    sagemaker: "SageMakerClient", name: str
) -> None:
    with pytest.raises(ClientError) as refused:
        make_config(sagemaker, name, "no-such-model")
    assert message(refused) == f'Could not find model "{ARN}:model/no-such-model".'


def test_a_second_endpoint_configuration_of_the_same_name_is_refused(
    sagemaker: "SageMakerClient", config: str
) -> None:
    with pytest.raises(ClientError) as refused:
        make_config(sagemaker, config, config)
    arn = f"{ARN}:endpoint-config/{config}"
    assert message(refused) == f'Cannot create already existing endpoint configuration "{arn}".'


def test_an_endpoint_is_creating_and_then_in_service(
    sagemaker: "SageMakerClient", config: str
) -> None:
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    first = sagemaker.describe_endpoint(EndpointName=config)
    assert first["EndpointStatus"] in ("Creating", "InService")
    endpoint = in_service(sagemaker, config)
    assert endpoint["EndpointArn"] == f"{ARN}:endpoint/{config}"
    assert endpoint["ProductionVariants"][0]["VariantName"] == "all"


def test_a_second_endpoint_of_the_same_name_is_refused(
    sagemaker: "SageMakerClient", config: str
) -> None:
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    with pytest.raises(ClientError) as refused:
        sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    arn = f"{ARN}:endpoint/{config}"
    assert message(refused) == f'Cannot create already existing endpoint "{arn}".'


def test_an_updated_endpoint_has_its_old_configuration_until_it_is_in_service(
    sagemaker: "SageMakerClient", config: str, model: str
) -> None:
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    in_service(sagemaker, config)
    new = make_config(sagemaker, f"{config}-new", model)
    sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=new)
    seen = until(
        lambda: sagemaker.describe_endpoint(EndpointName=config),
        lambda endpoint: (
            endpoint["EndpointStatus"] != "Updating" or endpoint["EndpointConfigName"] == config
        ),
    )
    assert (seen["EndpointStatus"], seen["EndpointConfigName"]) in (
        ("Updating", config),
        ("InService", new),
    )
    assert in_service(sagemaker, config)["EndpointConfigName"] == new


def test_an_endpoint_that_is_not_there_cannot_be_updated(
    sagemaker: "SageMakerClient", config: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=config)
    assert message(refused) == f'Could not find endpoint "{ARN}:endpoint/{config}".'


def test_an_endpoint_is_not_invoked_and_says_why(client: Any, config: str) -> None:
    with pytest.raises(ClientError) as refused:
        client("sagemaker-runtime").invoke_endpoint(EndpointName=config, Body=b"1,2")
    assert refused.value.response["Error"]["Message"] == (
        "InvokeEndpoint is not there in the local AWS: endpoints are recorded only"
    )
