"""Spark itself in steps, job runs and processing jobs; `make test-slow` asks for it."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.environments import default_cache, ready
from airflow_sm_pipelines.local.images import Images
from tests.fakes import until

APPLICATION = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
source, target = sys.argv[1:]
rows = spark.read.csv(source, header=True)
rows.groupBy("team").count().write.json(target)
print("rows:", rows.count())
"""
ROWS = "team,points\na,1\nb,2\na,3\n"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        "SM_PIPELINES_SPARK" not in os.environ, reason="it takes a minute: make test-slow"
    ),
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    config = tmp_path_factory.mktemp("images") / "images.toml"
    config.write_text("")
    images = Images(config=config)
    lock = images.rule("emr:emr-7.0.0").lock
    if not shutil.which("java"):
        pytest.skip("Spark needs Java, and there is none on PATH")
    if not (lock and ready(lock, default_cache())):
        pytest.skip("there is no environment with pyspark; make it: airflow-sm local prepare Spark")
    with LocalAWS(tmp_path_factory.mktemp("aws"), images=images) as server:
        yield server


SESSION: Any = boto3.Session("key", "secret", region_name="us-east-1")


def client(service: str, aws: LocalAWS) -> Any:
    return SESSION.client(service, endpoint_url=aws.endpoint_url)


@pytest.fixture(scope="module")
def data(aws: LocalAWS) -> str:
    """Where the application and its rows are."""
    s3, bucket = client("s3", aws), aws.account.bucket
    s3.put_object(Bucket=bucket, Key="app/count.py", Body=APPLICATION.encode())
    s3.put_object(Bucket=bucket, Key="in/rows.csv", Body=ROWS.encode())
    return f"s3://{bucket}"


def test_a_step_reads_and_writes_s3_and_one_that_cannot_says_why(data: str, aws: LocalAWS) -> None:
    emr, s3 = client("emr", aws), client("s3", aws)
    submit = ["spark-submit", "--deploy-mode", "cluster", f"{data}/app/count.py"]
    steps = [
        {
            "Name": "s",
            "ActionOnFailure": "CONTINUE",
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": [*submit, source, target]},
        }
        for source, target in (
            (f"{data}/in/", f"{data}/out/step"),
            (f"{data}/no/", f"{data}/out/never"),
        )
    ]
    instances = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    request = {"Name": "c", "ReleaseLabel": "emr-7.0.0", "Instances": instances}
    cluster = emr.run_job_flow(**request, StepConcurrencyLevel=2, Steps=steps)["JobFlowId"]

    def statuses() -> list[dict[str, Any]]:
        return [each["Status"] for each in emr.list_steps(ClusterId=cluster)["Steps"][::-1]]

    until(lambda: all("EndDateTime" in each["Timeline"] for each in statuses()), seconds=300)
    counted, failed = statuses()
    assert (counted["State"], failed["State"]) == ("COMPLETED", "FAILED")
    assert "[PATH_NOT_FOUND]" in failed["FailureDetails"]["Message"]
    identifier = emr.list_steps(ClusterId=cluster)["Steps"][-1]["Id"]
    log = (aws.root / "emr" / cluster / identifier / "stdout").read_text()
    assert "\nrows: 3\n" in log
    listed = s3.list_objects_v2(Bucket=aws.account.bucket, Prefix="out/")["Contents"]
    keys = [each["Key"] for each in listed]
    assert "out/step/_SUCCESS" in keys
    assert not [key for key in keys if key.endswith(".crc")]
    parts = [key for key in keys if key.endswith(".json")]
    told = [s3.get_object(Bucket=aws.account.bucket, Key=key)["Body"].read() for key in parts]
    assert sorted(b"".join(told).splitlines()) == [
        b'{"team":"a","count":2}',
        b'{"team":"b","count":1}',
    ]


def test_a_job_run_counts_rows(data: str, aws: LocalAWS) -> None:
    serverless = client("emr-serverless", aws)
    application = serverless.create_application(releaseLabel="emr-7.0.0", type="SPARK")
    request = {"applicationId": application["applicationId"], "executionRoleArn": ROLE}
    runs = []
    for number, source in enumerate(("in", "no")):
        submit = {
            "entryPoint": f"{data}/app/count.py",
            "entryPointArguments": [f"{data}/{source}/", f"{data}/out/run{number}"],
            "sparkSubmitParameters": "--conf spark.executor.cores=1",
        }
        started = serverless.start_job_run(**request, jobDriver={"sparkSubmit": submit})
        runs.append(started["jobRunId"])

    def told() -> list[dict[str, Any]]:
        return [
            serverless.get_job_run(applicationId=request["applicationId"], jobRunId=run)["jobRun"]
            for run in runs
        ]

    until(lambda: all("endedAt" in each for each in told()), seconds=300)
    counted, failed = told()
    assert (counted["state"], failed["state"]) == ("SUCCESS", "FAILED")
    assert failed["stateDetails"].startswith("Job failed, exit code 1. ")
    assert "[PATH_NOT_FOUND]" in failed["stateDetails"]


def test_a_processing_job_of_the_spark_image_reads_and_writes_s3(data: str, aws: LocalAWS) -> None:
    sagemaker, s3 = client("sagemaker", aws), client("s3", aws)
    code = "/opt/ml/processing/input/code"
    source, target = (f"{data.replace('s3:', 's3a:')}/{each}" for each in ("in/", "out/job"))
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu"
    located = {
        "S3Uri": f"{data}/app/count.py",
        "LocalPath": code,
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    sagemaker.create_processing_job(
        ProcessingJobName="spark",
        RoleArn=ROLE,
        AppSpecification={
            "ImageUri": image,
            "ContainerEntrypoint": ["smspark-submit", f"{code}/count.py"],
            "ContainerArguments": [source, target],
        },
        ProcessingInputs=[{"InputName": "code", "S3Input": located}],
        ProcessingResources={
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
    )

    def told() -> dict[str, Any]:
        return dict(sagemaker.describe_processing_job(ProcessingJobName="spark"))

    until(lambda: told()["ProcessingJobStatus"] != "InProgress", seconds=300)
    assert told()["ProcessingJobStatus"] == "Completed", told()
    assert "\nrows: 3\n" in (aws.root / "jobs" / "spark" / "log.txt").read_text()
    listed = s3.list_objects_v2(Bucket=aws.account.bucket, Prefix="out/job/")["Contents"]
    assert "out/job/_SUCCESS" in [each["Key"] for each in listed]
