"""What CreateModel looks for."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from .calls import IMAGE
from .models import ROLE

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

    from .test_hosting import Play


def source(uri: str, kind: str, compression: str) -> dict[str, Any]:
    located = {"S3Uri": uri, "S3DataType": kind, "CompressionType": compression}
    return {"ModelDataSource": {"S3DataSource": located}}


def create(sagemaker: "SageMakerClient", name: str, *containers: dict[str, Any]) -> None:
    definitions: Any = [{"Image": IMAGE, **each} for each in containers]
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=definitions)


@pytest.mark.parametrize("missing", ["model.tar.gz", "model", "models/", ""])
def test_data_that_is_not_there_is_refused_in_the_words_of_aws(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str, missing: str
) -> None:
    s3.put_object(Bucket=bucket, Key="model.tar.gz.old", Body=b"")
    s3.put_object(Bucket=bucket, Key="models/model.tar.gz", Body=b"")
    uri = f"s3://{bucket}/{missing}"
    with pytest.raises(ClientError) as refused:
        create(
            sagemaker,
            name,
            {"ModelDataUrl": f"s3://{bucket}/models/model.tar.gz"},
            {"ModelDataUrl": uri},
        )
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"] == f"Could not find model data at {uri}."


def test_a_bucket_that_is_not_there_has_no_data(sagemaker: "SageMakerClient", name: str) -> None:
    with pytest.raises(ClientError, match="Could not find model data at s3://not-there-at-all/m"):
        create(sagemaker, name, {"ModelDataUrl": "s3://not-there-at-all/m.tar.gz"})


def test_data_by_its_source_is_an_object_or_a_prefix(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="models/weights.bin", Body=b"")
    prefix = source(f"s3://{bucket}/models/", "S3Prefix", "None")
    object_ = source(f"s3://{bucket}/models/weights.bin", "S3Object", "None")
    create(sagemaker, name, prefix, object_)
    for container in (
        source(f"s3://{bucket}/other/", "S3Prefix", "None"),
        source(f"s3://{bucket}/models/", "S3Object", "Gzip"),
    ):
        with pytest.raises(ClientError, match="Could not find model data at"):
            create(sagemaker, f"{name}-2", container)


def test_of_a_multi_model_container_and_of_an_address_nothing_is_looked_for(
    sagemaker: "SageMakerClient", name: str
) -> None:
    several = {"Mode": "MultiModel", "ModelDataUrl": "s3://not-there-at-all/models/"}
    address = {"ModelDataUrl": "https://models.example.com/model.tar.gz"}
    create(sagemaker, name, several, address, {})


def test_what_a_script_says_of_a_job_is_taken_for_there(
    sagemaker: "SageMakerClient", name: str, play: "Play"
) -> None:
    play("TrainingJob", {"Status": "Completed"}, Name=name)
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://not-there-at-all/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    trained = sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]
    create(sagemaker, name, {"ModelDataUrl": trained["S3ModelArtifacts"]})
    with pytest.raises(ClientError, match="Could not find model data at"):
        create(sagemaker, f"{name}-2", {"ModelDataUrl": f"{trained['S3ModelArtifacts']}.2"})
