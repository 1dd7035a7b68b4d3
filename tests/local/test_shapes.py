from typing import Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.errors import AwsError

PROCESSING: dict[str, Any] = {
    "ProcessingJobName": "job",
    "ProcessingResources": {
        "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
}


def problems(**changes: Any) -> str:
    with pytest.raises(AwsError) as refused:
        shapes.check("CreateProcessingJob", {**PROCESSING, **changes})
    assert refused.value.code == "ValidationException"
    return refused.value.message


def test_a_request_as_the_service_wants_it_passes() -> None:
    shapes.check("CreateProcessingJob", PROCESSING)


def test_a_member_that_is_null_counts_as_not_given() -> None:
    shapes.check("CreateProcessingJob", {**PROCESSING, "Environment": None})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"RoleArn": None},
            "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
        ),
        (
            {"ProcessingJobName": 3},
            "Value '3' at 'processingJobName' failed to satisfy "
            "constraint: Member must be a string",
        ),
        (
            {"ProcessingJobName": "a_b"},
            "Value 'a_b' at 'processingJobName' failed to satisfy "
            "constraint: Member must satisfy regular expression pattern: "
            "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"ProcessingJobName": "a" * 64},
            f"Value '{'a' * 64}' at 'processingJobName' failed to "
            "satisfy constraint: Member must have length less than or equal to 63",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 0}},
            "Value '0' at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1",
        ),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": True}},
            "Value 'True' at "
            "'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: Member must be "
            "an integer",
        ),
        (
            {"ProcessingInputs": [{"InputName": "a"}, {}]},
            "Value null at 'processingInputs.2.member.inputName' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            {"Environment": {"A": 1}},
            "Value '1' at 'environment.A.member' failed to satisfy "
            "constraint: Member must be a string",
        ),
        (
            {"NetworkConfig": {"EnableNetworkIsolation": "yes"}},
            "Value 'yes' at "
            "'networkConfig.enableNetworkIsolation' failed to satisfy constraint: Member must be a "
            "boolean",
        ),
        (
            {"ProcessingOutputConfig": {"Outputs": {}}},
            "Value '{}' at "
            "'processingOutputConfig.outputs' failed to satisfy constraint: Member must be a list",
        ),
    ],
)
def test_what_is_wrong_is_said_in_the_words_of_the_service(
    changes: dict[str, Any], problem: str
) -> None:
    assert problems(**changes) == f"1 validation error detected: {problem}"


def test_an_unknown_member_is_refused_with_those_that_are_known() -> None:
    message = problems(AppSpecification={"ImageUri": "image", "Image": "x"})
    assert message == (
        "1 validation error detected: Value 'x' at 'appSpecification.image' failed to satisfy "
        "constraint: Member must be one of: ImageUri, ContainerEntrypoint, ContainerArguments"
    )


def test_a_value_outside_an_enum_is_refused_with_the_enum() -> None:
    message = problems(
        ProcessingInputs=[
            {"InputName": "a", "S3Input": {"S3Uri": "s3://b/c", "S3DataType": "Folder"}}
        ]
    )
    assert message.endswith("Member must satisfy enum value set: [ManifestFile, S3Prefix]")


@pytest.mark.parametrize("moment", [1e300, float("nan"), float("inf")])
def test_a_number_that_is_no_time_is_refused(moment: float) -> None:
    with pytest.raises(AwsError, match="Member must be a time in seconds since 1970"):
        shapes.check("ListTrainingJobs", {"CreationTimeAfter": moment})


def test_all_problems_are_said_at_once() -> None:
    message = problems(ProcessingJobName=None, RoleArn=None)
    assert message.startswith("2 validation errors detected: ")
    assert "'processingJobName'" in message
    assert "'roleArn'" in message


def test_a_request_that_is_no_structure_is_refused() -> None:
    with pytest.raises(AwsError, match="Member must be a structure"):
        shapes.check("CreateProcessingJob", [])


def test_a_long_value_is_shown_in_part() -> None:
    assert len(problems(ProcessingJobName="word " * 1000)) < 2000


def test_every_operation_has_rules_for_every_type_it_uses() -> None:
    service = shapes.service()
    used = {service.shape_for(name).type_name for name in service.shape_names}
    assert used <= shapes.RULES.keys()


def test_answered_keeps_what_the_operation_answers_with_and_drops_null() -> None:
    values: dict[str, Any] = {
        "ModelName": "m",
        "Tags": [],
        "PrimaryContainer": None,
        "ModelArn": "arn",
    }
    assert shapes.answered("DescribeModel", values) == {"ModelName": "m", "ModelArn": "arn"}


def test_a_request_with_a_missing_member_reaches_boto_callers_as_a_client_error(
    raw_sagemaker: Any,
) -> None:
    with pytest.raises(ClientError) as refused:
        raw_sagemaker.create_processing_job(ProcessingJobName="job")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert refused.value.response["Error"]["Message"].startswith("3 validation errors detected: ")
