from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .calls import IMAGE, until

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Play = Callable[..., None]

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
ARN = "arn:aws:sagemaker:us-east-1:123456789012"


def message(refused: "pytest.ExceptionInfo[ClientError]") -> str:
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    return refused.value.response["Error"]["Message"]


@pytest.fixture(autouse=True)
def played(play: Play) -> None:
    """Endpoints come into service by a script: the models of these tests have no server."""
    play("Endpoint", {"Status": "Creating", "Seconds": 0.2}, {"Status": "InService"})
    play("Endpoint", {"Status": "Updating", "Seconds": 0.2}, {"Status": "InService"}, On="Update")


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


def test_an_endpoint_without_its_configuration_is_refused(
    sagemaker: "SageMakerClient", name: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="nothing")
    arn = f"{ARN}:endpoint-config/nothing"
    assert message(refused) == f'Could not find endpoint configuration "{arn}".'


def test_an_endpoint_fails_for_the_reason_in_its_script(
    sagemaker: "SageMakerClient", config: str, play: Play
) -> None:
    play("Endpoint", {"Status": "Failed", "FailureReason": "no capacity"})
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    endpoint = sagemaker.describe_endpoint(EndpointName=config)
    assert (endpoint["EndpointStatus"], endpoint["FailureReason"]) == ("Failed", "no capacity")
    assert endpoint.get("ProductionVariants") is None
    with pytest.raises(ClientError, match=r"Cannot update in-progress endpoint .*Failed"):
        sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=config)


def test_an_endpoint_is_creating_as_long_as_its_script_says(
    sagemaker: "SageMakerClient", config: str, play: Play
) -> None:
    play("Endpoint", {"Status": "Creating", "Seconds": 600}, {"Status": "InService"})
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    assert sagemaker.describe_endpoint(EndpointName=config)["EndpointStatus"] == "Creating"


@pytest.mark.parametrize(
    "moments",
    [
        [
            {"Status": "Updating", "Seconds": 0.1},
            {"Status": "RollingBack", "Seconds": 0.1},
            {"Status": "InService"},
        ],
        [{"Status": "InService", "FailureReason": "no capacity"}],
        [{"Status": "UpdateRollbackFailed", "FailureReason": "no capacity"}],
    ],
)
def test_an_update_that_fails_leaves_the_old_configuration(
    sagemaker: "SageMakerClient", config: str, model: str, play: Play, moments: list[Any]
) -> None:
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    before = in_service(sagemaker, config)
    new = make_config(sagemaker, f"{config}-new", model)
    play("Endpoint", *moments, On="Update")
    sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=new)
    after = until(
        lambda: sagemaker.describe_endpoint(EndpointName=config),
        lambda endpoint: endpoint["EndpointStatus"] == moments[-1]["Status"],
    )
    assert after["EndpointConfigName"] == config
    assert after.get("FailureReason") == moments[-1].get("FailureReason")
    assert after["LastModifiedTime"] > before["LastModifiedTime"]


def test_the_reason_of_a_failed_update_goes_with_the_next_one(
    sagemaker: "SageMakerClient", config: str, model: str, play: Play
) -> None:
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    in_service(sagemaker, config)
    new = make_config(sagemaker, f"{config}-new", model)
    play("Endpoint", {"Status": "InService", "FailureReason": "no"}, On="Update", Times=1)
    sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=new)
    assert sagemaker.describe_endpoint(EndpointName=config)["FailureReason"] == "no"
    sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=new)
    updated = until(
        lambda: sagemaker.describe_endpoint(EndpointName=config),
        lambda endpoint: endpoint["EndpointConfigName"] == new,
    )
    assert updated["EndpointStatus"] == "InService"
    assert "FailureReason" not in updated


def test_an_endpoint_that_is_being_updated_is_not_updated_again(
    sagemaker: "SageMakerClient", config: str, play: Play
) -> None:
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    in_service(sagemaker, config)
    play("Endpoint", {"Status": "Updating", "Seconds": 600}, {"Status": "InService"}, On="Update")
    sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=config)
    with pytest.raises(ClientError) as refused:
        sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=config)
    assert message(refused) == f"Cannot update in-progress endpoint '{config}': it is Updating."


def test_a_script_of_an_update_says_nothing_of_a_creation(
    sagemaker: "SageMakerClient", config: str, play: Play
) -> None:
    play("Endpoint", {"Status": "Failed", "FailureReason": "no"}, On="Update")
    sagemaker.create_endpoint(EndpointName=config, EndpointConfigName=config)
    assert in_service(sagemaker, config)["EndpointConfigName"] == config


def test_an_endpoint_that_is_not_there_cannot_be_updated(
    sagemaker: "SageMakerClient", config: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.update_endpoint(EndpointName=config, EndpointConfigName=config)
    assert message(refused) == f'Could not find endpoint "{ARN}:endpoint/{config}".'
