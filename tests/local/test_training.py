"""The container contract of training jobs, as a script sees it."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.sandbox import choose

from .calls import IMAGE, channel, final_training_job, keys, resources, text, until
from .containers import RESOURCES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]

WRITE_MODEL = 'open("/opt/ml/model/weights", "w").write("w")'


def algorithm(**changes: Any) -> dict[str, Any]:
    return {"TrainingImage": IMAGE, "TrainingInputMode": "File", **changes}


def members(s3: "S3Client", bucket: str, key: str) -> list[str]:
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return sorted(tar.getnames())


def test_the_model_is_uploaded_as_a_flat_archive_where_describe_says(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    job = trained(
        "import os; os.mkdir('/opt/ml/model/code'); open('/opt/ml/model/code/x.py', 'w');"
        + WRITE_MODEL
    )
    assert job["TrainingJobStatus"] == "Completed"
    uri = f"s3://{bucket}/models/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == uri
    key = f"models/{name}/output/model.tar.gz"
    assert members(s3, bucket, key) == ["code", "code/x.py", "weights"]


def test_what_a_request_does_not_say_is_described(trained: Run) -> None:
    job = trained("")
    assert job["OutputDataConfig"]["KmsKeyId"] == ""
    assert not job["EnableNetworkIsolation"]
    assert not job["EnableManagedSpotTraining"]


def test_other_output_is_uploaded_beside_the_model(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    trained('open("/opt/ml/output/data/plot.png", "w").write("p")')
    assert members(s3, bucket, f"models/{name}/output/output.tar.gz") == ["plot.png"]


def test_a_completed_job_has_a_model_archive_even_where_it_is_empty(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    trained()
    assert keys(s3, bucket, "models") == [f"models/{name}/output/model.tar.gz"]


def test_a_failed_job_leaves_what_it_had_written(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    job = trained(WRITE_MODEL + "; raise SystemExit(1)")
    assert job["TrainingJobStatus"] == "Failed"
    assert members(s3, bucket, f"models/{name}/output/model.tar.gz") == ["weights"]


def test_without_compression_the_files_are_uploaded_as_they_are(
    trained: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    output = {"S3OutputPath": f"s3://{bucket}/models", "CompressionType": "NONE"}
    job = trained(WRITE_MODEL, OutputDataConfig=output)
    uri = f"s3://{bucket}/models/{name}/output/model"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == uri
    assert text(s3, bucket, f"models/{name}/output/model/weights") == "w"


def test_hyperparameters_arrive_as_the_strings_they_are(trained: Run, job_folder: Path) -> None:
    trained(HyperParameters={"eta": "0.2", "quoted": '"x"', "template": "{% raw %}"})
    file = job_folder / "ml/input/config/hyperparameters.json"
    assert json.loads(file.read_text()) == {
        "eta": "0.2",
        "quoted": '"x"',
        "template": "{% raw %}",
    }


def test_channels_are_folders_that_the_configuration_describes(
    trained: Run, s3: "S3Client", bucket: str, job_folder: Path
) -> None:
    s3.put_object(Bucket=bucket, Key="data/train.csv", Body=b"1\n")
    trained(
        InputDataConfig=[
            channel("code", f"s3://{bucket}/code"),
            channel("train", f"s3://{bucket}/data/train.csv", ContentType="text/csv"),
        ]
    )
    assert (job_folder / "ml/input/data/train/train.csv").read_text() == "1\n"
    file = job_folder / "ml/input/config/inputdataconfig.json"
    assert json.loads(file.read_text())["train"] == {
        "ContentType": "text/csv",
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    }


def test_the_only_host_is_described(trained: Run, job_folder: Path) -> None:
    trained()
    file = job_folder / "ml/input/config/resourceconfig.json"
    assert json.loads(file.read_text()) == {**RESOURCES, "network_interface_name": "lo"}


def test_the_folders_of_the_contract_are_there_at_the_start(trained: Run, job_folder: Path) -> None:
    trained(
        """
import os
for folder in ("model", "code", "checkpoints", "output/data", "output/intermediate"):
    print(os.listdir(f"/opt/ml/{folder}"), os.access(f"/opt/ml/{folder}", os.W_OK))
"""
    )
    assert (job_folder / "log.txt").read_text() == "[] True\n" * 5


def test_the_failure_file_counts_as_far_as_its_first_1024_bytes(trained: Run) -> None:
    job = trained('open("/opt/ml/output/failure", "w").write("x" * 2000); exit(1)')
    assert len(job["FailureReason"]) == 1024
    assert job["FailureReason"].startswith("AlgorithmError: xxx")
    assert job["FailureReason"].endswith("x, exit code: 1")


def test_the_environment_of_the_request_reaches_the_job(trained: Run, job_folder: Path) -> None:
    job = trained("import os; print(os.environ['MINE'])", Environment={"MINE": "yes"})
    assert job["Environment"] == {"MINE": "yes"}
    assert (job_folder / "log.txt").read_text() == "yes\n"


def test_the_job_is_named_in_the_environment(trained: Run, job_folder: Path, name: str) -> None:
    job = trained(
        "import os; print(os.environ['TRAINING_JOB_NAME'], os.environ['TRAINING_JOB_ARN'])"
    )
    assert (job_folder / "log.txt").read_text() == f"{name} {job['TrainingJobArn']}\n"


def test_an_entry_point_of_the_request_replaces_that_of_the_image(
    trained: Run, job_folder: Path
) -> None:
    trained(
        AlgorithmSpecification=algorithm(
            ContainerEntrypoint=["/bin/sh", "-c"], ContainerArguments=["echo $0 && pwd"]
        )
    )
    root = "/" if choose().name == "namespace" else job_folder / "work"
    assert (job_folder / "log.txt").read_text() == f"/bin/sh\n{root}\n"


def test_metrics_are_the_last_values_that_the_log_has(trained: Run) -> None:
    job = trained(
        "print('loss=3; acc=0.5;'); print('loss=1e-2; acc=nan-ish;')",
        AlgorithmSpecification=algorithm(
            MetricDefinitions=[
                {"Name": "loss", "Regex": "loss=(.*?);"},
                {"Name": "val:acc", "Regex": "acc=(.*?);"},
                {"Name": "never", "Regex": "never=(.*)"},
            ]
        ),
    )
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert metrics == {"loss": pytest.approx(0.01), "val:acc": 0.5}


def test_a_metric_that_is_no_regular_expression_fails_the_job(trained: Run) -> None:
    definitions = [{"Name": "loss", "Regex": "loss=("}]
    job = trained(AlgorithmSpecification=algorithm(MetricDefinitions=definitions))
    assert job["FailureReason"].startswith(
        "ClientError: MetricDefinitions: the Regex of 'loss' is no regular expression: "
    )


def test_the_secondary_status_goes_through_the_stages_of_the_service(trained: Run) -> None:
    job = trained()
    stages = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert stages == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["SecondaryStatus"] == "Completed"
    assert all("EndTime" in each for each in job["SecondaryStatusTransitions"])


def test_a_running_job_says_that_it_is_training(
    sagemaker: "SageMakerClient", training_request: Run, name: str
) -> None:
    sagemaker.create_training_job(**training_request("import time; time.sleep(60)"))
    running = until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["SecondaryStatus"] == "Training",
    )
    assert running["TrainingJobStatus"] == "InProgress"
    assert "EndTime" not in running["SecondaryStatusTransitions"][-1]
    sagemaker.stop_training_job(TrainingJobName=name)


def test_a_stopped_job_can_save_its_model_in_the_time_of_grace(
    sagemaker: "SageMakerClient",
    training_request: Run,
    s3: "S3Client",
    bucket: str,
    name: str,
    job_folder: Path,
) -> None:
    script = f"""
import signal, sys, time
def save(*_):
    {WRITE_MODEL}
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(60)
"""
    sagemaker.create_training_job(**training_request(script))
    until((job_folder / "log.txt").read_text, lambda log: "ready" in log)
    sagemaker.stop_training_job(TrainingJobName=name)
    job = final_training_job(sagemaker, name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "Stopped"
    assert members(s3, bucket, f"models/{name}/output/model.tar.gz") == ["weights"]


def test_a_job_that_runs_too_long_is_stopped_and_says_so(trained: Run, job_folder: Path) -> None:
    job = trained("import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    log = (job_folder / "log.txt").read_text()
    assert "[local AWS] stopped after MaxRuntimeInSeconds = 1\n" in log


def test_the_failure_file_wins_over_the_log(trained: Run) -> None:
    job = trained(
        'open("/opt/ml/output/failure", "w").write("bad data in row 7"); raise ValueError("no")'
    )
    assert job["FailureReason"] == "AlgorithmError: bad data in row 7, exit code: 1"
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == job["FailureReason"]


def test_a_built_in_algorithm_says_which_kind_of_error_it_is(trained: Run) -> None:
    write = 'open("/opt/ml/output/failure", "w").write("ClientError: no channel: train")'
    job = trained(f"{write}; raise SystemExit(2)")
    assert job["FailureReason"] == "ClientError: no channel: train, exit code: 2"


def test_an_error_of_that_name_in_the_log_is_the_algorithms(trained: Run) -> None:
    job = trained("class ClientError(Exception): pass\nraise ClientError('mine')")
    assert job["FailureReason"] == "AlgorithmError: ClientError: mine, exit code: 1"


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        (
            "s3://no-such-bucket/data",
            'No S3 objects found under S3 URL "s3://no-such-bucket/data" given in input data '
            "source. Please ensure that the bucket exists",
        ),
        (
            "https://example.com/data",
            "InputDataConfig[0].DataSource.S3DataSource.S3Uri: 'https://example.com/data' is no "
            "S3 URI; it would be s3://bucket/key",
        ),
        (
            "s3://no bucket!/data",
            "InputDataConfig[0].DataSource.S3DataSource.S3Uri: 's3://no bucket!/data' is no "
            "S3 URI; it would be s3://bucket/key",
        ),
    ],
)
def test_a_channel_that_leads_nowhere_is_a_validation_error(
    sagemaker: "SageMakerClient", training_request: Run, uri: str, problem: str
) -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**training_request(InputDataConfig=[channel("train", uri)]))
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(problem)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_a_channel_without_objects_is_refused_before_there_is_a_job(
    sagemaker: "SageMakerClient", training_request: Run, bucket: str, name: str
) -> None:
    request = training_request(InputDataConfig=[channel("train", f"s3://{bucket}/none")])
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    message = refused.value.response["Error"]["Message"]
    assert message.startswith(f'No S3 objects found under S3 URL "s3://{bucket}/none"')
    with pytest.raises(ClientError, match=r"Requested resource not found\."):
        sagemaker.describe_training_job(TrainingJobName=name)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}},
            "AlgorithmSpecification.TrainingImage: not there in the local AWS; "
            "name a TrainingImage",
        ),
        (
            {"ResourceConfig": {"InstanceCount": 1, "VolumeSizeInGB": 1}},
            "ResourceConfig.InstanceType: missing; it would be such as 'ml.m5.large'",
        ),
        (
            {"ResourceConfig": {}},
            "ResourceConfig.InstanceType: missing; it would be such as 'ml.m5.large'",
        ),
        (
            {"ResourceConfig": {**resources(), "InstanceCount": 251}},
            "ResourceConfig: 251 instances are too many; it would be 250 at most",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://b/c", "LocalPath": "/tmp/c"}},
            "LocalPath '/tmp/c' must be below /opt/ml",
        ),
    ],
)
def test_what_is_not_there_fails_the_job_with_what_would_be_right(
    trained: Run, changes: dict[str, Any], reason: str
) -> None:
    job = trained(**changes)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == f"ClientError: {reason}"


def test_a_request_without_resources_fails_with_what_would_be_right(
    sagemaker: "SageMakerClient", training_request: Run, name: str
) -> None:
    request = training_request()
    del request["ResourceConfig"]
    sagemaker.create_training_job(**request)
    assert final_training_job(sagemaker, name)["FailureReason"] == (
        "ClientError: ResourceConfig.InstanceType: missing; it would be such as 'ml.m5.large'"
    )


@pytest.mark.parametrize(
    ("condition", "spot", "refusal"),
    [
        (
            {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            True,
            "It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"MaxRuntimeInSeconds": 60},
            True,
            "It must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
            False,
            "It is only supported when EnableManagedSpotTraining is set to true",
        ),
    ],
)
def test_a_time_to_wait_for_spot_capacity_that_makes_no_sense_is_refused(
    sagemaker: "SageMakerClient",
    training_request: Run,
    condition: dict[str, int],
    spot: bool,
    refusal: str,
) -> None:
    request = training_request(StoppingCondition=condition, EnableManagedSpotTraining=spot)
    with pytest.raises(ClientError) as refused:
        sagemaker.create_training_job(**request)
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": f"Invalid MaxWaitTimeInSeconds. {refusal}",
    }


def test_a_spot_job_is_billed_for_the_time_it_trained(trained: Run) -> None:
    condition = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}
    job = trained(
        "import time; time.sleep(0.6)", StoppingCondition=condition, EnableManagedSpotTraining=True
    )
    assert job["EnableManagedSpotTraining"] is True
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] == 1


def test_an_algorithm_that_fails_is_not_tried_again(trained: Run, job_folder: Path) -> None:
    job = trained("print('try'); exit(1)", RetryStrategy={"MaximumRetryAttempts": 3})
    assert job["TrainingJobStatus"] == "Failed"
    assert job["RetryStrategy"] == {"MaximumRetryAttempts": 3}
    assert (job_folder / "log.txt").read_text() == "try\n"


def test_a_warm_pool_is_not_kept_and_the_log_says_so(trained: Run, job_folder: Path) -> None:
    job = trained(ResourceConfig={**resources(), "KeepAlivePeriodInSeconds": 60})
    assert job["TrainingJobStatus"] == "Completed"
    assert (job_folder / "log.txt").read_text() == (
        "[local AWS] KeepAlivePeriodInSeconds: there are no warm pools here; it has no effect\n"
    )


def test_metrics_are_described_while_the_job_runs(
    sagemaker: "SageMakerClient", training_request: Run, name: str
) -> None:
    request = training_request(
        "import time; print('loss=2;'); time.sleep(60)",
        AlgorithmSpecification=algorithm(
            MetricDefinitions=[{"Name": "loss", "Regex": "loss=(.*?);"}]
        ),
    )
    sagemaker.create_training_job(**request)
    seen = until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: "FinalMetricDataList" in job,
    )
    assert seen["TrainingJobStatus"] == "InProgress"
    assert [each["Value"] for each in seen["FinalMetricDataList"]] == [2.0]
    sagemaker.stop_training_job(TrainingJobName=name)


def test_a_description_has_every_member_that_the_service_model_requires(trained: Run) -> None:
    model = shapes.service().operation_model("DescribeTrainingJob").output_shape
    assert model is not None
    assert set(model.required_members) <= trained().keys()
