"""Checkpoints of training jobs, as a script and S3 see them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .calls import final_training_job, keys, text, until
from .test_channels import put

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]


def test_checkpoints_of_an_earlier_job_are_there_at_the_start(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"c/epoch/1.bin": "one", "cx": "of somebody else"})
    job = trained(
        """
import os
assert os.listdir("/opt/ml/checkpoints") == ["epoch"]
assert open("/opt/ml/checkpoints/epoch/1.bin").read() == "one"
open("/opt/ml/checkpoints/epoch/2.bin", "w").write("two")
""",
        CheckpointConfig={"S3Uri": f"s3://{bucket}/c"},
    )
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert job["CheckpointConfig"] == {"S3Uri": f"s3://{bucket}/c"}
    assert text(s3, bucket, "c/epoch/2.bin") == "two"


def test_what_has_not_changed_is_not_uploaded_again(
    trained: Run, s3: "S3Client", bucket: str
) -> None:
    put(s3, bucket, {"c/1": "one", "c/2": "two"})
    before = s3.head_object(Bucket=bucket, Key="c/1")["LastModified"]
    trained(
        "import time; time.sleep(1); open('/opt/ml/checkpoints/2', 'w').write('changed')",
        CheckpointConfig={"S3Uri": f"s3://{bucket}/c"},
    )
    assert s3.head_object(Bucket=bucket, Key="c/1")["LastModified"] == before
    assert text(s3, bucket, "c/2") == "changed"


def test_checkpoints_reach_s3_while_the_job_runs_and_when_it_is_stopped(
    sagemaker: "SageMakerClient", training_request: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    script = """
import signal, sys, time
def save(*_):
    open("/opt/ml/own/last", "w").write("last")
    sys.exit()
signal.signal(signal.SIGTERM, save)
open("/opt/ml/own/first", "w").write("first")
time.sleep(60)
"""
    config = {"S3Uri": f"s3://{bucket}/c/", "LocalPath": "/opt/ml/own"}
    sagemaker.create_training_job(**training_request(script, CheckpointConfig=config))
    until(lambda: keys(s3, bucket, "c/"), lambda found: found == ["c/first"])
    sagemaker.stop_training_job(TrainingJobName=name)
    assert final_training_job(sagemaker, name)["TrainingJobStatus"] == "Stopped"
    assert keys(s3, bucket, "c/") == ["c/first", "c/last"]


def test_a_failed_job_leaves_its_checkpoints(trained: Run, s3: "S3Client", bucket: str) -> None:
    job = trained(
        "open('/opt/ml/checkpoints/1', 'w').write('one'); exit(1)",
        CheckpointConfig={"S3Uri": f"s3://{bucket}/c"},
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert keys(s3, bucket, "c/") == ["c/1"]


def test_without_a_configuration_checkpoints_stay_where_they_are(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    trained("open('/opt/ml/checkpoints/1', 'w').write('one')")
    assert keys(s3, bucket) == ["code/script.py", f"models/{name}/output/model.tar.gz"]
