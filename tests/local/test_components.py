"""Inference components, over the wire."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from .calls import IMAGE, until

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Play = Callable[..., None]

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
SERVICE = botocore.session.get_session().get_service_model("sagemaker")


def container(image: str = IMAGE, **changes: Any) -> dict[str, Any]:
    return {"Container": {"Image": image, "Environment": {"A": "b"}}, **changes}


def in_service(sagemaker: "SageMakerClient", name: str) -> Any:
    return until(
        lambda: sagemaker.describe_inference_component(InferenceComponentName=name),
        lambda component: component["InferenceComponentStatus"] == "InService",
    )


@pytest.fixture
def endpoint(sagemaker: "SageMakerClient", name: str) -> str:
    variant: Any = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return name


@pytest.fixture
def create(sagemaker: Any, endpoint: str) -> Callable[..., str]:
    """Create the inference component of the test; its ARN."""

    def made(**changes: Any) -> str:
        request = {
            "InferenceComponentName": endpoint,
            "EndpointName": endpoint,
            "VariantName": "all",
            "Specification": container(),
            "RuntimeConfig": {"CopyCount": 2},
        }
        arn: str = sagemaker.create_inference_component(**{**request, **changes})[
            "InferenceComponentArn"
        ]
        return arn

    return made


def test_an_inference_component_is_creating_and_then_in_service(
    sagemaker: "SageMakerClient", create: Callable[..., str], name: str
) -> None:
    assert create() == f"{ARN}:inference-component/{name}"
    component = in_service(sagemaker, name)
    assert component["EndpointArn"] == f"{ARN}:endpoint/{name}"
    assert component["Specification"]["Container"] == {
        "DeployedImage": {"SpecifiedImage": IMAGE, "ResolvedImage": IMAGE},
        "Environment": {"A": "b"},
    }
    assert component["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    shape = SERVICE.operation_model("DescribeInferenceComponent").output_shape
    assert shape is not None
    assert set(shape.required_members) <= set(component)


def test_no_copy_of_it_is_there_while_it_is_creating(
    sagemaker: "SageMakerClient", create: Callable[..., str], name: str, play: Play
) -> None:
    play("InferenceComponent", {"Status": "Creating", "Seconds": 600}, {"Status": "InService"})
    create()
    component = sagemaker.describe_inference_component(InferenceComponentName=name)
    assert component["InferenceComponentStatus"] == "Creating"
    assert component["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 0}


def test_it_fails_for_the_reason_in_its_script(
    sagemaker: "SageMakerClient", create: Callable[..., str], name: str, play: Play
) -> None:
    play("InferenceComponent", {"Status": "Failed", "FailureReason": "no capacity"})
    create()
    component = sagemaker.describe_inference_component(InferenceComponentName=name)
    assert component["InferenceComponentStatus"] == "Failed"
    assert component["FailureReason"] == "no capacity"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"EndpointName": "nobody"}, f'Could not find endpoint "{ARN}:endpoint/nobody".'),
        (
            {"Specification": {"ModelName": "nobody"}},
            f'Could not find model "{ARN}:model/nobody".',
        ),
        (
            {"Specification": {"BaseInferenceComponentName": "nobody"}},
            f'Could not find inference component "{ARN}:inference-component/nobody".',
        ),
        ({"Specification": {}}, "Either Specification or Specifications must be provided."),
    ],
)
def test_what_it_names_must_be_there(
    create: Callable[..., str], changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ClientError) as refused:
        create(**changes)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("ValidationException", problem)


def test_a_second_one_of_the_same_name_is_refused(create: Callable[..., str]) -> None:
    arn = create()
    with pytest.raises(ClientError) as refused:
        create()
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": f'Cannot create already existing inference component "{arn}".',
    }


def test_several_specifications_are_described_each(
    sagemaker: "SageMakerClient", raw_sagemaker: Any, endpoint: str
) -> None:
    given = [container(f"image:{number}", InstanceType="ml.m5.large") for number in (1, 2)]
    raw_sagemaker.create_inference_component(
        InferenceComponentName=endpoint, EndpointName=endpoint, Specifications=given
    )
    described: Any = in_service(sagemaker, endpoint)
    images = [
        each["Container"]["DeployedImage"]["SpecifiedImage"] for each in described["Specifications"]
    ]
    assert images == ["image:1", "image:2"]


def test_one_of_a_model_is_described_as_it_was_created(
    sagemaker: "SageMakerClient", create: Callable[..., str], name: str
) -> None:
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": IMAGE})
    create(Specification={"ModelName": name})
    assert in_service(sagemaker, name)["Specification"] == {"ModelName": name}


def test_an_updated_one_has_its_new_specification_when_it_is_in_service(
    sagemaker: Any, create: Callable[..., str], name: str, play: Play
) -> None:
    create()
    in_service(sagemaker, name)
    play(
        "InferenceComponent",
        {"Status": "Updating", "Seconds": 0.3},
        {"Status": "InService"},
        On="Update",
    )
    policy = {"MaximumBatchSize": {"Type": "COPY_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
    deployment = {"RollingUpdatePolicy": policy}
    sagemaker.update_inference_component(
        InferenceComponentName=name,
        Specification=container("image:new"),
        RuntimeConfig={"CopyCount": 3},
        DeploymentConfig=deployment,
    )
    updated = until(
        lambda: sagemaker.describe_inference_component(InferenceComponentName=name),
        lambda component: component["RuntimeConfig"]["CurrentCopyCount"] == 3,
    )
    assert updated["InferenceComponentStatus"] == "InService"
    assert updated["LastDeploymentConfig"] == deployment
    image = updated["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"]
    assert image == "image:new"


def test_an_update_that_fails_leaves_the_old_specification(
    sagemaker: Any, create: Callable[..., str], name: str, play: Play
) -> None:
    create()
    in_service(sagemaker, name)
    play("InferenceComponent", {"Status": "InService", "FailureReason": "no"}, On="Update")
    sagemaker.update_inference_component(
        InferenceComponentName=name, Specification=container("image:new")
    )
    component = sagemaker.describe_inference_component(InferenceComponentName=name)
    assert component["FailureReason"] == "no"
    image = component["Specification"]["Container"]["DeployedImage"]["SpecifiedImage"]
    assert image == IMAGE


def test_one_that_is_being_created_is_not_updated(
    sagemaker: Any, create: Callable[..., str], name: str, play: Play
) -> None:
    play("InferenceComponent", {"Status": "Creating", "Seconds": 600}, {"Status": "InService"})
    create()
    with pytest.raises(ClientError, match="Cannot update in-progress inference component"):
        sagemaker.update_inference_component(InferenceComponentName=name, Specification=container())


def test_a_deleted_one_is_gone(
    sagemaker: "SageMakerClient", create: Callable[..., str], name: str
) -> None:
    create()
    sagemaker.delete_inference_component(InferenceComponentName=name)
    with pytest.raises(ClientError, match=f"Could not find inference component .*{name}"):
        sagemaker.describe_inference_component(InferenceComponentName=name)


def test_they_are_listed_by_endpoint(
    sagemaker: "SageMakerClient", create: Callable[..., str], name: str
) -> None:
    arn = create(Tags=[{"Key": "a", "Value": "1"}])
    in_service(sagemaker, name)
    (row,) = sagemaker.list_inference_components(
        EndpointNameEquals=name, VariantNameEquals="all", StatusEquals="InService", MaxResults=100
    )["InferenceComponents"]
    assert row["InferenceComponentArn"] == arn
    shape = SERVICE.operation_model("ListInferenceComponents").output_shape
    assert shape is not None
    rows: Any = shape.members["InferenceComponents"]
    assert set(rows.member.required_members) <= set(row)
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
