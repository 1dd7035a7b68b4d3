"""Checks in the cache: what an earlier job has found, and what it was compared with."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines import verdicts
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.errors import JobFailedError
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.scope import RunScope
from tests.caching.runs import CachedRun, KeptClients, told_by
from tests.caching.test_candidates import wanted
from tests.fakes import context
from tests.fidelity.cases import CONTAINER, PROCESSING, pipeline_of, step

PASSED = "Completed: Job completed successfully with no violations."
VIOLATED = "CompletedWithViolations: Job completed successfully with 2 violations."
SECOND = timedelta(seconds=1)
OUT = "/opt/ml/processing/output"
NAME = "constraint_violations.json"


@pytest.fixture
def s3(aws_environment: LocalAWS) -> Any:
    return KeptClients().client("s3")


@pytest.fixture
def sagemaker(aws_environment: LocalAWS) -> Any:
    return KeptClients().client("sagemaker")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"checks-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def report(s3: Any, bucket: str) -> Callable[[str], datetime]:
    """Write the report of a check; when that was."""

    def write(body: str) -> datetime:
        s3.put_object(Bucket=bucket, Key=f"reports/{NAME}", Body=body.encode())
        written: datetime = s3.head_object(Bucket=bucket, Key=f"reports/{NAME}")["LastModified"]
        return written

    return write


def listing(*violations: str) -> str:
    return json.dumps({"violations": [{"feature_name": each} for each in violations]})


def outputs(bucket: str) -> dict[str, Any]:
    """Where a check of the bucket writes, as a request and as a description has it."""
    there = {"S3Uri": f"s3://{bucket}/reports", "LocalPath": OUT, "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": there}]},
        "Environment": {"output_path": OUT},
    }


def check(bucket: str, type_: str = "QualityCheck", **keys: Any) -> dict[str, Any]:
    """A check that compares with a baseline."""
    supplied = {"SuppliedBaselineConstraints": f"s3://{bucket}/before/constraints.json"}
    return step(
        type_,
        **{
            "Arguments": {**PROCESSING, **outputs(bucket)},
            "SkipCheck": False,
            "RegisterNewBaseline": False,
            **supplied,
            **keys,
        },
    )


@pytest.fixture
def finds(aws_environment: LocalAWS) -> Iterator[Any]:
    """What sets the message of the jobs that are created from now on, and what is before that."""

    def find(message: str, *before: dict[str, Any]) -> None:
        last = {"Status": "Completed", "Fields": {"ExitMessage": message}}
        aws_environment.scripts.add({"Kind": "ProcessingJob", "Moments": [*before, last]})

    yield find
    aws_environment.scripts.replace()


@pytest.fixture
def start(bucket: str) -> Any:
    """A run of one pipeline with a cached check."""
    pipeline = uuid4().hex

    def started(run_id: str, **keys: Any) -> CachedRun:
        given = {key: keys.pop(key) for key in [*keys] if key[0].isupper()}
        return CachedRun(check(bucket, **given), pipeline=pipeline, run_id=run_id, **keys)

    return started


# What an earlier job has found


def objection(
    bucket: str, described: dict[str, Any], type_: str = "QualityCheck", **keys: Any
) -> str:
    pipeline: Pipeline = pipeline_of(check(bucket, type_, **keys))
    kept: Any = KeptClients()
    scope = RunScope(pipeline=pipeline, context=context(), connection=kept)
    return verdicts.objection(kept.client, pipeline.steps[0], scope, described)


@pytest.mark.parametrize(
    ("message", "written", "told"),
    [
        (PASSED, listing(), ""),
        (PASSED, None, ""),
        ("", listing(), ""),
        ("", None, "what it has found is not known: no s3://{}/reports/" + NAME),
        (VIOLATED, listing(), f"it would fail the step: {VIOLATED}"),
        (VIOLATED, None, f"it would fail the step: {VIOLATED}"),
        (PASSED, listing("a"), "it would fail the step: 1 violations in s3://{}/reports/" + NAME),
        ("", listing("a", "b"), "it would fail the step: 2 violations in s3://{}/reports/" + NAME),
        (PASSED, "{", "what it has found is not known: s3://{}/reports/" + NAME + " is no JSON"),
    ],
)
def test_what_a_job_has_found_is_told_by_its_message_and_its_report(
    bucket: str, report: Any, message: str, written: str | None, told: str
) -> None:
    at = report(written) if written is not None else datetime.now(UTC)
    times = {"CreationTime": str(at - SECOND), "LastModifiedTime": str(at + SECOND)}
    found = objection(bucket, {**outputs(bucket), **times, "ExitMessage": message})
    assert found.startswith(told.format(bucket))
    assert bool(found) == bool(told)


@pytest.mark.parametrize(
    ("created", "ended", "is_its_own"),
    [
        (timedelta(0), timedelta(0), True),
        (SECOND, SECOND * 2, True),  # S3 tells whole seconds
        (SECOND * 1.1, SECOND * 2, False),
        (-SECOND, -SECOND / 1000, False),
    ],
)
def test_a_report_that_was_written_before_or_after_the_job_tells_nothing(
    bucket: str, report: Any, created: timedelta, ended: timedelta, is_its_own: bool
) -> None:
    at = report(listing())
    times = {"CreationTime": str(at + created), "LastModifiedTime": str(at + ended)}
    found = objection(bucket, {**outputs(bucket), **times, "ExitMessage": PASSED})
    assert found == ("" if is_its_own else found)
    assert is_its_own or f"{NAME} is another job's, written at {at}" in found


@pytest.mark.parametrize("written", [False, True])
def test_clarify_has_found_nothing_where_it_has_written_no_report(
    bucket: str, report: Any, written: bool
) -> None:
    at = report(listing("a")) if written else datetime.now(UTC)
    times = {"CreationTime": str(at + SECOND * 2), "LastModifiedTime": str(at + SECOND * 3)}
    assert objection(bucket, {**outputs(bucket), **times}, "ClarifyCheck") == ""
    times = {"CreationTime": str(at), "LastModifiedTime": str(at + SECOND)}
    found = objection(bucket, {**outputs(bucket), **times}, "ClarifyCheck")
    assert found.startswith("it would fail the step") if written else found == ""


@pytest.mark.parametrize("keys", [{"FailOnViolation": False}, {"SkipCheck": True}])
def test_what_fails_no_step_is_no_objection(bucket: str, keys: dict[str, Any]) -> None:
    assert objection(bucket, {**outputs(bucket), "ExitMessage": VIOLATED}, **keys) == ""


# In runs


def test_a_hit_hands_on_the_baselines_as_the_step_itself_does(
    start: Any, finds: Any, bucket: str
) -> None:
    finds(PASSED)
    first = start("first").go()
    second = start("second").go()
    assert second == first
    used = "BaselineUsedForDriftCheckConstraints"
    assert second[used] == f"s3://{bucket}/before/constraints.json"
    assert second["CalculatedBaselineConstraints"] == f"s3://{bucket}/reports/constraints.json"


def test_a_job_with_violations_is_a_miss_and_the_log_says_why(
    start: Any, finds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(VIOLATED)
    first = start("first", FailOnViolation=False).go()
    capsys.readouterr()
    second = start("second")
    assert second.look() is None
    name = first["ProcessingJobName"]
    assert told_by(capsys, "miss") == [
        f"{name} did the same, but it would fail the step: {VIOLATED}"
    ]
    assert second.step()["ProcessingJobName"] != name


def test_what_came_before_a_job_with_violations_is_outdated(start: Any, finds: Any) -> None:
    finds(PASSED)
    start("first").go()
    finds(VIOLATED)
    start("second", FailOnViolation=False, params={"sm_pipelines.cache": False}).go()
    assert start("third").look() is None


def test_where_violations_fail_nothing_their_job_is_adopted(start: Any, finds: Any) -> None:
    finds(VIOLATED)
    first = start("first", FailOnViolation=False).go()
    assert start("second", FailOnViolation=False).go() == first


def test_the_step_judges_what_its_sensor_has_found_again(
    start: Any, finds: Any, report: Any, caplog: pytest.LogCaptureFixture
) -> None:
    finds(PASSED)
    first = start("first").go()
    second = start("second")
    assert second.look()
    report(listing("a"))
    with pytest.raises(JobFailedError) as raised:  # its own job, which has that report too
        second.step()
    name = first["ProcessingJobName"]
    assert f"{name} was found, but cannot be adopted: " in caplog.text
    assert raised.value.job_name != name


def test_a_twin_with_violations_is_a_miss(
    start: Any, finds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(VIOLATED, {"Status": "InProgress", "Seconds": 2})
    name = start("first").begin()
    assert start("second", wait_for_twin=True).wait() is None
    assert told_by(capsys, "miss")[-1] == (
        f"{name}, which was waited for, is Completed; it would fail the step: {VIOLATED}"
    )


# The baseline


def approve(sagemaker: Any, group: str, constraints: str) -> None:
    """Register a package with a baseline, approved."""
    sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [CONTAINER],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        DriftCheckBaselines={
            "ModelDataQuality": {
                "Constraints": {"ContentType": "application/json", "S3Uri": constraints}
            }
        },
    )


def test_a_job_that_was_compared_with_a_model_before_the_latest_is_a_miss(
    start: Any, finds: Any, sagemaker: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(PASSED)
    group = f"group-{uuid4().hex}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    keys = {"SuppliedBaselineConstraints": None, "ModelPackageGroupName": group}
    approve(sagemaker, group, "s3://b/1/constraints.json")
    first = start("first", **keys).go()
    assert start("second", **keys).go() == first
    approve(sagemaker, group, "s3://b/2/constraints.json")
    third = start("third", **keys)
    capsys.readouterr()
    assert third.look() is None
    assert told_by(capsys, "miss") == [
        f"what differs from {first['ProcessingJobName']}, the last of the step that completed: "
        'ProcessingInputs[0].S3Input.S3Uri: "s3://b/1/constraints.json" then, '
        '"s3://b/2/constraints.json" now'
    ]
    used = third.step()["BaselineUsedForDriftCheckConstraints"]
    assert used == "s3://b/2/constraints.json"


def test_without_a_baseline_the_look_is_a_miss_and_the_failure_the_steps_own(
    start: Any, finds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("first", SuppliedBaselineConstraints=None).look() is None
    (miss,) = told_by(capsys, "miss")
    assert miss.endswith("; the step says so too")


# The keys of the step


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"RegisterNewBaseline": None}, True),
        ({}, {"ModelPackageGroupName": None}, True),
        ({}, {"FailOnViolation": False}, True),
        ({}, {"RegisterNewBaseline": True}, False),
        ({}, {"ModelPackageGroupName": "group"}, False),
        ({"ModelPackageGroupName": "a"}, {"ModelPackageGroupName": "b"}, False),
    ],
)
def test_the_keys_of_a_check_are_in_the_names_of_its_jobs(
    start: Any, one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    keys = [wanted(start("run", **given)).requests.key for given in (one, other)]
    assert (keys[0] == keys[1]) is same


def test_the_job_of_a_cached_check_is_tagged_with_the_keys_that_aws_is_not_told(
    start: Any, finds: Any, sagemaker: Any, bucket: str
) -> None:
    def keys(**given: Any) -> dict[str, str]:
        arn = start("run", **given).go()["ProcessingJobArn"]
        tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
        of_keys = {key.removeprefix("sm-pipelines:"): value for key, value in tags.items()}
        return {key: value for key, value in of_keys.items() if key[0].isupper()}

    finds(PASSED)
    assert keys() == {
        "SkipCheck": "false",
        "RegisterNewBaseline": "false",
        "SuppliedBaselineConstraints": f"s3://{bucket}/before/constraints.json",
        "CheckType": "DATA_QUALITY",
    }


def test_a_job_without_tags_is_adopted_and_its_keys_are_not_told(
    start: Any,
    finds: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__TAGS", "False")
    finds(PASSED)
    first = start("first").go()
    assert start("second").go() == first
    capsys.readouterr()
    assert start("third", RegisterNewBaseline=True).look() is None
    (miss,) = told_by(capsys, "miss")
    assert miss.startswith("no job that is known to be of this step has completed")
