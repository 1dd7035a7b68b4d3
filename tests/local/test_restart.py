"""What is there again when a server is started with the root of another, however that one ended."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.earlier import DIED
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.jobs import Jobs
from airflow_sm_pipelines.local.registry import GROUP, MODEL, PACKAGE, Registry

from .calls import IDLE, IMAGE, alone, final_processing_job, resources, until
from .conftest import IMAGE_MAP
from .launched import launchers
from .test_logs import messages

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
# A child of the command's own must not outlive the server either.
SLEEP = (
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print('ready', flush=True); time.sleep(600)"
)


def job(name: str, script: str = "print('hello')", **changes: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": resources()},
        "Environment": {"WHEN": "2026-11-22T10:30:00.123000+00:00"},
        **alone(script),
        **changes,
    }


def client(service: str, url: str) -> Any:
    made: Any = boto3.Session("key", "secret", region_name="us-east-1").client
    return made(service, endpoint_url=url)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The root of a server that was killed while a job ran and another had ended."""
    config = tmp_path / "config" / "airflow-sm-pipelines" / "images.toml"
    config.parent.mkdir(parents=True)
    config.write_text(IMAGE_MAP)
    root = tmp_path / "root"
    server = subprocess.Popen(
        [sys.executable, "-m", "airflow_sm_pipelines.local", "--root", str(root)],
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config")},
        stdout=subprocess.PIPE,
        text=True,
    )
    with server:
        try:
            assert server.stdout
            url = json.loads(server.stdout.readline())["endpoint_url"]
            fill(url, root)
        finally:
            server.send_signal(signal.SIGKILL)
    return root


def fill(url: str, root: Path) -> None:
    sagemaker, s3 = client("sagemaker", url), client("s3", url)
    s3.create_bucket(Bucket="kept-bucket")
    s3.put_object(Bucket="kept-bucket", Key="a/../b", Body=b"x", Metadata={"k": "v"})
    s3.create_multipart_upload(Bucket="kept-bucket", Key="half")
    sagemaker.create_processing_job(**job("ended", Tags=[{"Key": "team", "Value": "ml"}]))
    final_processing_job(sagemaker, "ended")
    sagemaker.create_processing_job(**job("running", SLEEP))
    until((root / "jobs/running/log.txt").read_text, lambda log: "ready" in log)
    sagemaker.create_model(
        ModelName="Model", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE}
    )
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    for _ in range(2):
        sagemaker.create_model_package(ModelPackageGroupName="group")
    sagemaker.delete_model_package(ModelPackageName=f"{arn('model-package', 'group')}/2")


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:{kind}/{name}"


def test_what_a_killed_server_had_is_there_again(killed: Path, images: Images) -> None:
    with LocalAWS(killed, images=images) as aws:
        url = aws.endpoint_url
        sagemaker, s3, logs = (client(each, url) for each in ("sagemaker", "s3", "logs"))
        if aws.isolation.startswith("namespace"):
            until(lambda: launchers(killed), lambda left: not left)
        _check_jobs(sagemaker)
        _check_records(sagemaker)
        got = s3.get_object(Bucket="kept-bucket", Key="a/../b")
        assert (got["Body"].read(), got["Metadata"]) == (b"x", {"k": "v"})
        uploads = s3.list_multipart_uploads(Bucket="kept-bucket")["Uploads"]
        assert [each["Key"] for each in uploads] == ["half"]
        group = "/aws/sagemaker/ProcessingJobs"
        ended, running = (
            logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{each}/")[
                "logStreams"
            ][0]["logStreamName"]
            for each in ("ended", "running")
        )
        assert messages(logs, group, ended) == ["hello"]
        assert messages(logs, group, running) == ["ready", f"[local AWS] {DIED}"]


def _check_jobs(sagemaker: Any) -> None:
    ended = sagemaker.describe_processing_job(ProcessingJobName="ended")
    assert ended["ProcessingJobStatus"] == "Completed"
    assert ended["CreationTime"] < ended["ProcessingEndTime"]
    assert ended["Environment"] == {"WHEN": "2026-11-22T10:30:00.123000+00:00"}
    tags = sagemaker.list_tags(ResourceArn=ended["ProcessingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "ml"}]
    died = sagemaker.describe_processing_job(ProcessingJobName="running")
    assert (died["ProcessingJobStatus"], died["FailureReason"]) == ("Failed", DIED)
    listed = sagemaker.list_processing_jobs()["ProcessingJobSummaries"]
    assert [each["ProcessingJobName"] for each in listed] == ["ended", "running"]
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.create_processing_job(**job("ended"))


def _check_records(sagemaker: Any) -> None:
    model = sagemaker.describe_model(ModelName="Model")
    assert model["PrimaryContainer"]["Image"] == IMAGE
    listed = sagemaker.list_model_packages(ModelPackageGroupName="group")
    versions = [each["ModelPackageVersion"] for each in listed["ModelPackageSummaryList"]]
    assert versions == [1]
    created = sagemaker.create_model_package(ModelPackageGroupName="group")
    assert created["ModelPackageArn"].endswith("/3")


KIND = replace(IDLE, deletes=True)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Callable[..., Jobs]]:
    """Jobs of a folder, as each new server knows them."""
    made: list[Jobs] = []

    def start(region: str = "us-east-1") -> Jobs:
        for jobs in made:
            jobs.close(grace_seconds=0)
        jobs = Jobs(Account(region), tmp_path, workers=1, grace_seconds=1)
        jobs.load([KIND])
        made.append(jobs)
        return jobs

    yield start
    for jobs in made:
        jobs.close(grace_seconds=0)


def create(jobs: Jobs, name: str) -> Path:
    made = jobs.create(KIND, {"ProcessingJobName": name})
    until(lambda: made.final, bool)
    return made.folder


def known(jobs: Jobs) -> list[str]:
    return [each["ProcessingJobName"] for each in jobs.descriptions(KIND)]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("", "it cannot be read"),
        ('{"Version": 99, "Kind": "ProcessingJob"}', "Version is 99"),
        ('{"Kind": "ProcessingJob", "Request": {}, "Description": {}}', "Version is None"),
        ('{"Version": 1, "Times": [], "Kind": "SomeJob"}', "Kind is 'SomeJob'"),
        ('{"Version": 1, "Times": [], "Kind": "ProcessingJob"}', "it has no 'Request'"),
    ],
)
def test_a_job_that_cannot_be_read_is_told_left_out_and_kept(
    engine: Callable[..., Jobs], damage: str, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = engine()
    create(jobs, "good")
    folder = create(jobs, "damaged")
    (folder / "job.json").write_text(damage)
    again = engine()
    assert known(again) == ["good"]
    assert f"{folder / 'job.json'}: left out: " in caplog.text
    assert problem in caplog.text
    assert create(again, "damaged") != folder
    assert (folder / "job.json").read_text() == damage


def test_jobs_of_another_region_are_not_seen(engine: Callable[..., Jobs]) -> None:
    create(engine(), "job")
    assert known(engine("eu-west-1")) == []
    assert known(engine()) == ["job"]


def test_a_job_that_was_deleted_stays_deleted(engine: Callable[..., Jobs]) -> None:
    jobs = engine()
    folder = create(jobs, "job")
    jobs.delete(KIND, {"ProcessingJobName": "job"})
    again = engine()
    assert known(again) == []
    assert (folder / "deleted.json").exists()
    assert create(again, "job") != folder
    assert known(engine()) == ["job"]


def test_records_and_their_moments_are_there_again(tmp_path: Path) -> None:
    account = Account("us-east-1")
    registry = Registry(account, folder=tmp_path)
    registry.create(MODEL, "kept", fields={"ExecutionRoleArn": ROLE})
    registry.create(MODEL, "deleted", fields={})
    registry.delete(MODEL, "deleted")
    registry.create(PACKAGE, "package", fields={}, gained={"Marked": True})
    registry.create(GROUP, "group", fields={})
    registry.update(GROUP, "group", fields={"ModelPackageGroupDescription": "changed"})
    (tmp_path / "Model/bad.json").write_text("{")
    again = Registry(account, folder=tmp_path)
    for kind in (MODEL, PACKAGE, GROUP):
        assert again.descriptions(kind) == registry.descriptions(kind)
    settled = until(lambda: again.get(PACKAGE, "package"), lambda each: "Marked" in each)
    assert settled["ModelPackageStatus"] == "Completed"
    assert Registry(Account("eu-west-1"), folder=tmp_path).descriptions(MODEL) == []
