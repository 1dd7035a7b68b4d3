from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local.logs import Logs

from .calls import until

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]

PROCESSING = "/aws/sagemaker/ProcessingJobs"


def messages(logs: "CloudWatchLogsClient", group: str, stream: str) -> list[str]:
    found: list[str] = []
    token: dict[str, Any] = {}
    while True:
        page = logs.get_log_events(
            logGroupName=group, logStreamName=stream, startFromHead=True, **token
        )
        if not page["events"]:
            return found
        found += [event["message"] for event in page["events"]]
        token = {"nextToken": page["nextForwardToken"]}


def streams(logs: "CloudWatchLogsClient", group: str, job: str) -> list[str]:
    found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")
    return [stream["logStreamName"] for stream in found["logStreams"]]


@pytest.mark.parametrize("group", [PROCESSING, "/aws/sagemaker/TrainingJobs"])
def test_all_that_a_job_has_written_is_in_cloudwatch_when_it_is_final(
    processed: Run, trained: Run, logs: "CloudWatchLogsClient", name: str, group: str
) -> None:
    run = processed if group == PROCESSING else trained
    run("for number in range(1000): print('line', number)")
    (stream,) = streams(logs, group, name)
    assert stream.startswith(f"{name}/algo-1-")
    assert messages(logs, group, stream) == [f"line {number}" for number in range(1000)]


def test_lines_reach_cloudwatch_while_the_job_runs(
    sagemaker: "SageMakerClient", processing_request: Run, logs: "CloudWatchLogsClient", name: str
) -> None:
    script = "import time; print('early', flush=True); time.sleep(600)"
    sagemaker.create_processing_job(**processing_request(script))
    (stream,) = until(lambda: existing_streams(logs, name), bool)
    until(lambda: messages(logs, PROCESSING, stream), lambda found: found == ["early"])
    sagemaker.stop_processing_job(ProcessingJobName=name)


def test_lines_of_any_length_and_bytes_of_any_kind_arrive(
    logs: "CloudWatchLogsClient", tmp_path: Path, name: str
) -> None:
    long = "ü" * 300_000
    log = tmp_path / "log"
    log.touch()
    with Logs(logs).follow(log, group=f"/test/{name}", stream="stream"):
        log.write_bytes(b"one\r\n\n\xff two\n" + long.encode() + b"\nwithout an end")
    found = messages(logs, f"/test/{name}", "stream")
    assert found[:3] == ["one", " ", "\N{REPLACEMENT CHARACTER} two"]
    assert found[-1] == "without an end"
    assert "".join(found[3:-1]).count("ü") >= 299_990


def test_more_than_one_batch_arrives_in_order(
    logs: "CloudWatchLogsClient", tmp_path: Path, name: str
) -> None:
    lines = [f"{number} {'x' * 100}" for number in range(20_000)]
    log = tmp_path / "log"
    log.write_text("\n".join(lines))
    with Logs(logs).follow(log, group=f"/test/{name}", stream="stream"):
        pass
    assert messages(logs, f"/test/{name}", "stream") == lines


def existing_streams(logs: "CloudWatchLogsClient", name: str) -> list[str]:
    groups = logs.describe_log_groups(logGroupNamePrefix=PROCESSING)["logGroups"]
    return streams(logs, PROCESSING, name) if groups else []
