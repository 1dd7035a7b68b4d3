"""Which script is played, and what becomes of jobs that are otherwise run."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS, ScriptError
from airflow_sm_pipelines.local.control.scripts import Scripts
from airflow_sm_pipelines.local.images import Images

from ..calls import channel, final_processing_job, final_training_job, until

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

Play = Callable[..., None]
Run = Callable[..., dict[str, Any]]


def script(reason: str, **keys: Any) -> dict[str, Any]:
    moment = {"Status": "Failed", "FailureReason": reason}
    return {"Kind": "TrainingJob", "Moments": [moment], **keys}


def taken(scripts: Scripts, name: str = "job", noun: str = "TrainingJob", **on: str) -> str | None:
    """The reason that tells which script is played."""
    found = scripts.take(noun, name, **on)
    return found.moments[-1].reason if found else None


def test_no_script_is_set_at_first() -> None:
    assert Scripts().documents() == []
    assert taken(Scripts()) is None


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("pipelines-*-train", "pipelines-1-train", True),
        ("pipelines-*-train", "pipelines-1-tune", False),
        ("Case", "case", False),
        ("job-[12]", "job-2", True),
    ],
)
def test_a_script_is_for_the_names_that_fit_its_pattern(
    pattern: str, name: str, fits: bool
) -> None:
    scripts = Scripts()
    scripts.add(script("it", Name=pattern))
    assert (taken(scripts, name) == "it") is fits


def test_a_script_is_for_one_kind_and_one_operation() -> None:
    scripts = Scripts()
    moments = [{"Status": "InService", "FailureReason": "it"}]
    scripts.add({"Kind": "Endpoint", "On": "Update", "Moments": moments})
    assert taken(scripts, noun="InferenceComponent", on="Update") is None
    assert taken(scripts, noun="Endpoint") is None
    assert taken(scripts, noun="Endpoint", on="Update") == "it"


def test_the_script_that_was_set_last_comes_first() -> None:
    scripts = Scripts()
    scripts.add(script("of all"), script("of one", Name="job-1"))
    assert (taken(scripts, "job-1"), taken(scripts, "job-2")) == ("of one", "of all")


def test_a_script_of_some_times_leaves_the_others_to_the_script_before_it() -> None:
    scripts = Scripts()
    scripts.add(script("always"), script("twice", Times=2))
    assert [taken(scripts) for _ in range(3)] == ["twice", "twice", "always"]
    assert scripts.documents()[1]["Times"] == 2


def test_a_script_of_one_time_is_played_once_however_many_ask_for_it() -> None:
    scripts = Scripts()
    scripts.add(script("once", Times=1))
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: taken(scripts), range(100))]
    assert found.count("once") == 1


def test_replacing_leaves_no_other_script() -> None:
    scripts = Scripts()
    scripts.add(script("old"))
    scripts.replace(script("new"))
    assert scripts.documents() == [script("new")]
    scripts.replace()
    assert scripts.documents() == []


def test_of_scripts_that_are_wrong_none_is_set() -> None:
    scripts = Scripts()
    scripts.add(script("old"))
    for change in (scripts.add, scripts.replace):
        with pytest.raises(ScriptError):
            change(script("new"), {"Kind": "Unicorn"})
    assert scripts.documents() == [script("old")]


def test_a_document_that_is_changed_later_changes_no_script() -> None:
    scripts, document = Scripts(), script("as it was")
    scripts.add(document)
    document["Moments"][0]["FailureReason"] = "changed"
    assert scripts.documents() == [script("as it was")]


def test_a_processing_job_with_a_script_is_not_run(
    sagemaker: "SageMakerClient", processing_request: Run, job_folder: Path, play: Play
) -> None:
    play("ProcessingJob", {"Status": "Completed", "Fields": {"ExitMessage": "said"}})
    request = processing_request("raise SystemExit(1)")
    sagemaker.create_processing_job(**request)
    job = final_processing_job(sagemaker, request["ProcessingJobName"])
    assert (job["ProcessingJobStatus"], job["ExitMessage"]) == ("Completed", "said")
    assert job["ProcessingEndTime"] >= job["ProcessingStartTime"]
    assert (job_folder / "log.txt").read_text() == ("[local AWS] played from a script, not run\n")


def test_a_training_job_with_a_script_needs_no_data_and_shows_its_transitions(
    sagemaker: "SageMakerClient", training_request: Run, play: Play
) -> None:
    play("TrainingJob", {"Status": "Failed", "FailureReason": "CapacityError: none left"})
    request = training_request(InputDataConfig=[channel("train", "s3://no-such-bucket/x")])
    sagemaker.create_training_job(**request)
    job = final_training_job(sagemaker, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == "CapacityError: none left"
    passed = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert passed == ["Starting", "Training", "Failed"]


INTERNAL = "InternalServerError: We encountered an internal error. Please try again."


def test_a_training_job_with_retries_left_is_tried_again_after_an_internal_error(
    sagemaker: "SageMakerClient", trained: Run, play: Play
) -> None:
    play("TrainingJob", {"Status": "Failed", "FailureReason": INTERNAL}, Times=1)
    job = trained("print('really')", RetryStrategy={"MaximumRetryAttempts": 2})
    assert job["TrainingJobStatus"] == "Completed"
    assert "FailureReason" not in job
    passed = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    attempt = ["Downloading", "Training", "Uploading", "Completed"]
    assert passed == ["Starting", "Training", "Restarting", *attempt]


@pytest.mark.parametrize(
    ("reason", "attempts"),
    [(INTERNAL, 2), ("AlgorithmError: no luck, exit code: 1", 0), ("CapacityError: none", 0)],
)
def test_a_training_job_is_tried_again_as_often_as_it_says_and_for_no_other_reason(
    trained: Run, play: Play, reason: str, attempts: int
) -> None:
    play("TrainingJob", {"Status": "Failed", "FailureReason": reason})
    job = trained(RetryStrategy={"MaximumRetryAttempts": 2})
    passed = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert passed == ["Starting", *["Training", "Restarting"] * attempts, "Training", "Failed"]
    assert job["FailureReason"] == reason


def test_a_script_can_end_with_a_secondary_status_that_running_never_has(
    sagemaker: "SageMakerClient", training_request: Run, play: Play
) -> None:
    fields = {"SecondaryStatus": "Interrupted", "BillableTimeInSeconds": 7}
    play("TrainingJob", {"Status": "Stopped", "Fields": fields})
    request = training_request()
    sagemaker.create_training_job(**request)
    job = final_training_job(sagemaker, request["TrainingJobName"])
    assert (job["SecondaryStatus"], job["BillableTimeInSeconds"]) == ("Interrupted", 7)
    assert job["SecondaryStatusTransitions"][-1]["StatusMessage"] == "Interrupted"


def test_a_training_job_with_a_script_is_stopped_when_asked(
    sagemaker: "SageMakerClient", training_request: Run, play: Play
) -> None:
    play("TrainingJob", {"Status": "InProgress", "Seconds": 600}, {"Status": "Completed"})
    request = training_request()
    sagemaker.create_training_job(**request)
    name = request["TrainingJobName"]
    until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"],
        lambda status: status == "Training",
    )
    sagemaker.stop_training_job(TrainingJobName=name)
    job = final_training_job(sagemaker, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")


def test_the_second_job_of_a_retry_can_be_run(
    sagemaker: "SageMakerClient", processing_request: Run, name: str, play: Play
) -> None:
    play("ProcessingJob", {"Status": "Failed", "FailureReason": "once"}, Times=1)
    statuses = []
    for attempt in (f"{name}-1", f"{name}-2"):
        sagemaker.create_processing_job(**processing_request(ProcessingJobName=attempt))
        statuses.append(final_processing_job(sagemaker, attempt)["ProcessingJobStatus"])
    assert statuses == ["Failed", "Completed"]


@pytest.mark.parametrize(
    "reason",
    [
        "InternalServerError: We encountered an internal error. Please try again.",
        "CapacityError: Unable to provision requested ML compute capacity. "
        "Please retry using a different ML instance type.",
        "AlgorithmError: ExecuteUserScriptError: no luck, exit code: 1",
        "ClientError: no such channel, exit code: 1",
    ],
)
def test_the_next_jobs_fail_for_a_reason_and_the_one_after_them_does_not(
    sagemaker: "SageMakerClient", training_request: Run, name: str, play: Play, reason: str
) -> None:
    play("TrainingJob", {"Status": "Completed"})
    play("TrainingJob", {"Status": "Failed", "FailureReason": reason}, Times=2)
    found = []
    for attempt in (f"{name}-1", f"{name}-2", f"{name}-3"):
        sagemaker.create_training_job(**training_request(TrainingJobName=attempt))
        found.append(final_training_job(sagemaker, attempt).get("FailureReason"))
    assert found == [reason, reason, None]


def test_jobs_that_play_a_script_take_no_worker_and_end_with_the_server(
    tmp_path: Path, images: Images, processing_request: Run, name: str
) -> None:
    with LocalAWS(tmp_path, images=images, workers=1) as aws:
        moments = [{"Status": "InProgress", "Seconds": 600}, {"Status": "Completed"}]
        waiting = {"Kind": "ProcessingJob", "Name": "*-wait-*", "Moments": moments}
        aws.scripts.add({**waiting, "StopSeconds": 600})
        sagemaker = client(aws)
        for number in range(3):
            request = processing_request(ProcessingJobName=f"{name}-wait-{number}")
            sagemaker.create_processing_job(**request)
        sagemaker.stop_processing_job(ProcessingJobName=f"{name}-wait-0")
        sagemaker.create_processing_job(**processing_request(ProcessingInputs=[]))
        assert final_processing_job(sagemaker, name)["ProcessingJobStatus"] == "Failed"
    for number in range(3):
        record = json.loads((tmp_path / f"jobs/{name}-wait-{number}/job.json").read_text())
        assert record["Description"]["ProcessingJobStatus"] == "Stopped"


def client(aws: LocalAWS) -> Any:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    return session.client("sagemaker", endpoint_url=aws.endpoint_url)
