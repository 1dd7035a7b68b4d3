"""The job engine: names, states, stopping, what is kept on disk."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import AwsError, LocalAWS
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.job import Ending, Fields, Job
from airflow_sm_pipelines.local.jobs import Jobs

from .calls import IDLE, TEST_SECONDS, alone, final_processing_job, keys, processing_output, until
from .launched import launchers

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]

SLEEP = "import time; print('ready', flush=True); time.sleep(600)"


@pytest.fixture
def running(sagemaker: "SageMakerClient", processing_request: Run, job_folder: Path) -> Run:
    """Start a processing job, and return when its script runs; the request."""

    def start(script: str = SLEEP, **changes: Any) -> dict[str, Any]:
        request = processing_request(script, **changes)
        sagemaker.create_processing_job(**request)
        until((job_folder / "log.txt").read_text, lambda log: "ready" in log)
        return request

    return start


def test_a_name_in_use_is_refused_and_its_job_is_named(
    sagemaker: "SageMakerClient", processed: Run, processing_request: Run
) -> None:
    job = processed()
    with pytest.raises(ClientError) as refused:
        sagemaker.create_processing_job(**processing_request())
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    assert refused.value.response["Error"]["Message"] == (
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({job['ProcessingJobArn']})"
    )


def test_jobs_of_two_kinds_may_have_the_same_name(
    processed: Run, trained: Run, aws: LocalAWS, name: str
) -> None:
    assert processed("print('first')")["ProcessingJobStatus"] == "Completed"
    assert trained("print('second')")["TrainingJobStatus"] == "Completed"
    jobs = aws.root / "jobs"
    assert (jobs / name / "log.txt").read_text() == "first\n"
    assert (jobs / f"{name}.training-job" / "log.txt").read_text() == "second\n"


def test_an_unknown_processing_job_is_a_validation_error(sagemaker: "SageMakerClient") -> None:
    with pytest.raises(ClientError) as refused:
        sagemaker.describe_processing_job(ProcessingJobName="nobody")
    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "Could not find requested job with name: nobody",
    }


def test_arns_have_the_name_in_lower_case_and_describe_has_it_as_given(
    processed: Run, name: str
) -> None:
    job = processed(ProcessingJobName=f"{name}-Upper")
    assert job["ProcessingJobName"] == f"{name}-Upper"
    assert job["ProcessingJobArn"] == (
        f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{name}-upper"
    )


def test_stop_ends_the_process_and_everything_it_has_started(
    sagemaker: "SageMakerClient", running: Run, name: str, job_folder: Path
) -> None:
    running(
        """
import subprocess
child = subprocess.Popen(["sleep", "600"])
print("ready", flush=True)
child.wait()
"""
    )
    sagemaker.stop_processing_job(ProcessingJobName=name)
    job = final_processing_job(sagemaker, name)
    assert job["ProcessingJobStatus"] == "Stopped"
    until(lambda: launchers(job_folder), lambda left: not left)


def test_a_script_that_ignores_the_request_to_stop_is_killed_after_the_grace(
    sagemaker: "SageMakerClient", running: Run, name: str
) -> None:
    running(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}")
    sagemaker.stop_processing_job(ProcessingJobName=name)
    stopping = sagemaker.describe_processing_job(ProcessingJobName=name)
    assert stopping["ProcessingJobStatus"] == "Stopping"
    assert final_processing_job(sagemaker, name)["ProcessingJobStatus"] == "Stopped"


def test_stopping_a_job_that_is_being_stopped_changes_nothing(
    sagemaker: "SageMakerClient", running: Run, name: str
) -> None:
    running(f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}")
    sagemaker.stop_processing_job(ProcessingJobName=name)
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert final_processing_job(sagemaker, name)["ProcessingJobStatus"] == "Stopped"


def test_a_stopped_job_uploads_no_output(
    sagemaker: "SageMakerClient", running: Run, s3: "S3Client", bucket: str, name: str
) -> None:
    running(
        f"open('/opt/ml/processing/out/half', 'w').close(); {SLEEP}",
        ProcessingOutputConfig={"Outputs": [processing_output("out", f"s3://{bucket}/out")]},
    )
    sagemaker.stop_processing_job(ProcessingJobName=name)
    final_processing_job(sagemaker, name)
    assert keys(s3, bucket, "out") == []


def test_a_job_that_has_ended_cannot_be_stopped(
    sagemaker: "SageMakerClient", processed: Run, name: str
) -> None:
    processed()
    with pytest.raises(ClientError) as refused:
        sagemaker.stop_processing_job(ProcessingJobName=name)
    assert refused.value.response["Error"]["Message"] == (
        "The request was rejected because the processing job is in status Completed."
    )


def test_jobs_beyond_the_number_of_workers_wait_and_can_be_stopped_unstarted(
    tmp_path: Path, images: Images, processing_request: Run, name: str
) -> None:
    with LocalAWS(tmp_path, images=images, workers=1, grace_seconds=1) as aws:
        sagemaker = client(aws)
        for number in (1, 2):
            request = processing_request(ProcessingJobName=f"{name}-{number}", **alone(SLEEP))
            sagemaker.create_processing_job(**request)
        until(
            (tmp_path / f"jobs/{name}-1/log.txt").read_text,
            lambda log: "ready" in log,
        )
        sagemaker.stop_processing_job(ProcessingJobName=f"{name}-2")
        waiting = sagemaker.describe_processing_job(ProcessingJobName=f"{name}-2")
        assert waiting["ProcessingJobStatus"] == "Stopped"
        assert "ProcessingStartTime" not in waiting


def test_jobs_whose_names_differ_only_in_case_are_stopped_apart(
    tmp_path: Path, images: Images, processing_request: Run
) -> None:
    with LocalAWS(tmp_path, images=images, workers=1, grace_seconds=1) as aws:
        sagemaker = client(aws)
        sagemaker.create_processing_job(
            **processing_request(ProcessingJobName="first", **alone(SLEEP))
        )
        until((tmp_path / "jobs/first/log.txt").read_text, lambda log: "ready" in log)
        for name in ("Case", "case"):
            sagemaker.create_processing_job(**processing_request(ProcessingJobName=name, **alone()))
        sagemaker.stop_processing_job(ProcessingJobName="Case")
        sagemaker.stop_processing_job(ProcessingJobName="first")
        jobs = [final_processing_job(sagemaker, name) for name in ("Case", "case")]
        assert [job["ProcessingJobStatus"] for job in jobs] == ["Stopped", "Completed"]
        assert {path.name for path in (tmp_path / "jobs").iterdir()} == {"first", "Case", "case"}


def test_nobody_waits_while_a_request_is_checked(tmp_path: Path) -> None:
    checking, checked = threading.Event(), threading.Event()

    def check(_: object) -> None:
        checking.set()
        assert checked.wait(TEST_SECONDS)

    kind = replace(IDLE, check=check)
    jobs = Jobs(Account("us-east-1"), tmp_path, workers=1, grace_seconds=1)
    with ThreadPoolExecutor() as threads:
        creating = threads.submit(jobs.create, kind, {"ProcessingJobName": "slow"})
        assert checking.wait(TEST_SECONDS)
        listing = threads.submit(jobs.descriptions, kind)
        done, _ = wait([listing], timeout=TEST_SECONDS / 10)
        checked.set()
        assert done == {listing}
        assert creating.result(TEST_SECONDS).name == "slow"
    jobs.close(grace_seconds=0)


def test_of_two_requests_that_are_checked_at_once_one_gets_the_name(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=TEST_SECONDS)

    def check(_: object) -> None:
        both.wait()

    kind = replace(IDLE, check=check)
    jobs = Jobs(Account("us-east-1"), tmp_path, workers=1, grace_seconds=1)
    with ThreadPoolExecutor() as threads:
        request = {"ProcessingJobName": "job"}
        created = [threads.submit(jobs.create, kind, request) for _ in range(2)]
        errors = [each.exception(TEST_SECONDS) for each in created]
    jobs.close(grace_seconds=0)
    assert sorted(getattr(error, "code", "") for error in errors) == ["", "ResourceInUse"]


def test_a_name_in_use_is_refused_before_the_request_is_checked(tmp_path: Path) -> None:
    def check(_: object) -> None:
        raise AwsError("ValidationException", "no such channel")

    jobs = Jobs(Account("us-east-1"), tmp_path, workers=1, grace_seconds=1)
    jobs.create(IDLE, {"ProcessingJobName": "job"})
    with pytest.raises(AwsError, match="ResourceInUse"):
        jobs.create(replace(IDLE, check=check), {"ProcessingJobName": "job"})
    jobs.close(grace_seconds=0)


def test_stopping_the_server_stops_its_jobs_and_says_so_on_disk(
    tmp_path: Path, images: Images, processing_request: Run, name: str
) -> None:
    with LocalAWS(tmp_path, images=images) as aws:
        client(aws).create_processing_job(**processing_request(**alone(SLEEP)))
        log = tmp_path / "jobs" / name / "log.txt"
        until(log.read_text, lambda text: "ready" in text)
    record = json.loads((tmp_path / "jobs" / name / "job.json").read_text())
    assert record["Description"]["ProcessingJobStatus"] == "Stopped"


def test_a_folder_that_has_no_job_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job/old.txt").touch()
    jobs = Jobs(Account("us-east-1"), tmp_path, workers=1, grace_seconds=1)
    job = jobs.create(IDLE, {"ProcessingJobName": "job"})
    jobs.close(grace_seconds=0)
    assert job.folder == tmp_path / "job.processing-job"
    assert (tmp_path / "job/old.txt").exists()


def test_the_request_and_the_description_are_kept_on_disk(
    processed: Run, job_folder: Path, name: str
) -> None:
    processed(Environment={"A": "b"})
    record = json.loads((job_folder / "job.json").read_text())
    assert record["Kind"] == "ProcessingJob"
    assert record["Request"]["Environment"] == {"A": "b"}
    assert record["Description"]["ProcessingJobStatus"] == "Completed"


def test_an_engine_that_cannot_write_fails_the_job_instead_of_losing_it(
    processed: Run, s3: "S3Client", bucket: str
) -> None:
    # A key that is a file and a folder at once cannot be both on disk.
    for key in ("raw/a", "raw/a/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    raw = {
        "InputName": "raw",
        "S3Input": {
            "S3Uri": f"s3://{bucket}/raw/",
            "LocalPath": "/opt/ml/processing/raw",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }
    job = processed(ProcessingInputs=[raw])
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: ")


def client(aws: LocalAWS) -> "SageMakerClient":
    made: SageMakerClient = boto3.Session("key", "secret", region_name="us-east-1").client(
        "sagemaker", endpoint_url=aws.endpoint_url
    )
    return made


def test_a_job_that_is_tried_again_begins_in_a_clean_folder(tmp_path: Path) -> None:
    def run(job: Job) -> Ending:
        (job.folder / "ml").mkdir()
        if job.describe().get("Tried"):
            return Ending(status="Completed")
        raise OSError("no space left")

    def once(fields: Fields, ending: Ending) -> Fields | None:
        return {"Tried": True} if ending.status == "Failed" else None

    again = replace(IDLE, run=run, again=once)
    jobs = Jobs(Account("us-east-1"), tmp_path, workers=1, grace_seconds=1)
    job = jobs.create(again, {"ProcessingJobName": "job"})
    until(lambda: job.final, bool)
    jobs.close(grace_seconds=0)
    assert job.describe()["ProcessingJobStatus"] == "Completed"
    noted = "[local AWS] InternalServerError: no space left; it is tried again\n"
    assert job.log.read_text().endswith(noted)
