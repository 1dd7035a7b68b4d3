from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .calls import IMAGE, until

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
INFERENCE: Any = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def group(sagemaker: "SageMakerClient", name: str) -> str:
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


def error(refused: "pytest.ExceptionInfo[ClientError]") -> tuple[str, str]:
    found = refused.value.response["Error"]
    return found["Code"], found["Message"]


def version(sagemaker: "SageMakerClient", group: str, **changes: Any) -> str:
    return sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=INFERENCE, **changes
    )["ModelPackageArn"]


def test_versions_of_a_group_are_counted_from_one(sagemaker: "SageMakerClient", group: str) -> None:
    assert version(sagemaker, group) == f"{ARN}:model-package/{group}/1"
    assert version(sagemaker, group) == f"{ARN}:model-package/{group}/2"


def test_a_number_is_not_given_again_after_its_version_is_deleted(
    sagemaker: "SageMakerClient", group: str
) -> None:
    sagemaker.delete_model_package(ModelPackageName=version(sagemaker, group))
    assert version(sagemaker, group).endswith("/2")


def test_the_same_client_token_gives_the_same_version(
    sagemaker: "SageMakerClient", group: str
) -> None:
    first = version(sagemaker, group, ClientToken=f"token-{group}")
    assert version(sagemaker, group, ClientToken=f"token-{group}") == first
    assert version(sagemaker, group).endswith("/2")


def test_a_client_token_of_another_request_is_a_conflict(
    sagemaker: "SageMakerClient", group: str
) -> None:
    version(sagemaker, group, ClientToken=f"token-{group}")
    with pytest.raises(ClientError) as refused:
        version(sagemaker, group, ClientToken=f"token-{group}", ModelPackageDescription="x")
    assert error(refused)[0] == "ConflictException"


def test_a_version_is_pending_and_then_completed(sagemaker: "SageMakerClient", group: str) -> None:
    arn = version(sagemaker, group)
    package = until(
        lambda: sagemaker.describe_model_package(ModelPackageName=arn),
        lambda package: package["ModelPackageStatus"] != "Pending",
    )
    assert package["ModelPackageStatus"] == "Completed"
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert (package["ModelPackageGroupName"], package["ModelPackageVersion"]) == (group, 1)
    assert package["InferenceSpecification"] == INFERENCE


def test_a_version_fails_for_the_reason_in_its_script(
    sagemaker: "SageMakerClient", group: str, play: Callable[..., None]
) -> None:
    pending = {"Status": "Pending", "Seconds": 0.1}
    play("ModelPackage", pending, {"Status": "Failed", "FailureReason": "no such image"})
    arn = version(sagemaker, group)
    package = until(
        lambda: sagemaker.describe_model_package(ModelPackageName=arn),
        lambda package: package["ModelPackageStatus"] != "Pending",
    )
    assert package["ModelPackageStatus"] == "Failed"
    (failure,) = package["ModelPackageStatusDetails"]["ValidationStatuses"]
    assert (failure["Status"], failure["FailureReason"]) == ("Failed", "no such image")


def test_what_is_changed_while_a_version_is_pending_stays(
    sagemaker: "SageMakerClient", group: str, play: Callable[..., None]
) -> None:
    play("ModelPackage", {"Status": "Pending", "Seconds": 0.2}, {"Status": "Completed"})
    arn = version(sagemaker, group)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    package = until(
        lambda: sagemaker.describe_model_package(ModelPackageName=arn),
        lambda package: package["ModelPackageStatus"] == "Completed",
    )
    assert package["ModelApprovalStatus"] == "Approved"


def test_tags_of_a_version_are_refused(sagemaker: "SageMakerClient", group: str) -> None:
    with pytest.raises(ClientError) as refused:
        version(sagemaker, group, Tags=[{"Key": "a", "Value": "b"}])
    assert error(refused) == (
        "ValidationException",
        "Tags cannot be given with ModelPackageGroupName: a version has the tags of its model "
        "package group.",
    )


def test_a_group_is_not_made_by_its_first_version(sagemaker: "SageMakerClient", name: str) -> None:
    with pytest.raises(ClientError) as refused:
        version(sagemaker, name)
    assert error(refused) == (
        "ValidationException",
        f"ModelPackageGroup {ARN}:model-package-group/{name} does not exist.",
    )


def test_a_second_group_of_the_same_name_is_refused(
    sagemaker: "SageMakerClient", group: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
    # The amazon provider recognises it by its beginning.
    assert error(refused)[1].startswith("Model Package Group already exists")


def test_a_group_is_described(sagemaker: "SageMakerClient", group: str) -> None:
    described = sagemaker.describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupStatus"] == "Completed"


def test_a_group_with_versions_cannot_be_deleted(sagemaker: "SageMakerClient", group: str) -> None:
    arn = version(sagemaker, group)
    with pytest.raises(ClientError, match="it has versions"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName=group)


def test_approval_and_metadata_can_be_changed(sagemaker: "SageMakerClient", group: str) -> None:
    arn = version(sagemaker, group, CustomerMetadataProperties={"a": "1", "b": "2"})
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"c": "3"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    package = until(
        lambda: sagemaker.describe_model_package(ModelPackageName=arn),
        lambda package: package["ModelPackageStatus"] == "Completed",
    )
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"] == {"b": "2", "c": "3"}


def test_a_package_without_a_group_has_a_name(sagemaker: "SageMakerClient", name: str) -> None:
    arn = sagemaker.create_model_package(
        ModelPackageName=name, InferenceSpecification=INFERENCE, Tags=[{"Key": "a", "Value": "b"}]
    )["ModelPackageArn"]
    assert arn == f"{ARN}:model-package/{name}"
    assert sagemaker.describe_model_package(ModelPackageName=name)["ModelPackageName"] == name
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ((), "Missing ARN."),
        (
            ("ModelPackageName", "ModelPackageGroupName"),
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot "
            "determine which one to use.",
        ),
    ],
)
def test_a_package_is_named_in_one_way(
    sagemaker: "SageMakerClient", group: str, names: tuple[str, ...], problem: str
) -> None:
    named: dict[str, Any] = dict.fromkeys(names, group)
    with pytest.raises(ClientError) as refused:
        sagemaker.create_model_package(**named)
    assert error(refused) == ("ValidationException", problem)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["unversioned"]),
        ({"ModelPackageType": "Versioned"}, ["1", "2"]),
        ({"ModelPackageType": "Both"}, ["1", "2", "unversioned"]),
        ({"group": True}, ["1", "2"]),
        ({"group": True, "ModelApprovalStatus": "Approved"}, ["2"]),
    ],
)
def test_packages_are_listed_by_group_type_and_approval(
    sagemaker: "SageMakerClient", group: str, query: dict[str, Any], expected: list[str]
) -> None:
    version(sagemaker, group)
    version(sagemaker, group, ModelApprovalStatus="Approved")
    sagemaker.create_model_package(
        ModelPackageName=f"{group}-unversioned", InferenceSpecification=INFERENCE
    )
    asked = {key: value for key, value in query.items() if key != "group"}
    if "group" in query:
        asked["ModelPackageGroupName"] = group
    rows = [
        row
        for page in sagemaker.get_paginator("list_model_packages").paginate(**asked)
        for row in page["ModelPackageSummaryList"]
        if group in row["ModelPackageArn"]
    ]
    assert [
        row["ModelPackageArn"].replace("-unversioned", "/unversioned").rpartition("/")[2]
        for row in rows
    ] == expected
