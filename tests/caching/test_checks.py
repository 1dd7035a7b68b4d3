"""Checks in the cache: what an earlier job has found, and what it was compared with.

The jobs really run: they copy what they are to find from S3, which is no part of their key.
"""

import json
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines import verdicts
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.scope import RunScope
from tests.caching.runs import FAILURES, CachedRun, KeptClients, told_by
from tests.caching.test_candidates import wanted
from tests.fakes import context
from tests.fidelity.cases import CLUSTER, CONTAINER, pipeline_of, step

PASSED = "Completed: Job completed successfully with no violations."
VIOLATED = "CompletedWithViolations: Job completed successfully with 2 violations."
SECOND = timedelta(seconds=1)
MADE = "constraints.json"
REPORT = "constraint_violations.json"
ML = "/opt/ml/processing"
COPIES = (
    "cd {ml}; cp found/* output; mv output/message /opt/ml/output; "
    "while [ -e output/wait -a ! -e {gate} ]; do sleep .02; done"
)


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
def put(s3: Any, bucket: str) -> Callable[..., datetime]:
    """Put objects into a folder, by name; when the last one was written."""

    def write(folder: str, **objects: str) -> datetime:
        for name, body in objects.items():
            key = f"{folder}/{NAMES.get(name, name)}"
            s3.put_object(Bucket=bucket, Key=key, Body=body.encode())
        written: datetime = s3.head_object(Bucket=bucket, Key=key)["LastModified"]
        return written

    return write


NAMES = {"made": MADE, "report": REPORT}


@pytest.fixture
def finds(put: Any) -> Any:
    """What sets what the jobs that are started from now on find, and the message they leave."""
    return lambda message, report=LISTED_NONE, **more: put(
        "found", made="{}", message=message, report=report, **more
    )


def listing(*violations: str) -> str:
    return json.dumps({"violations": [{"feature_name": each} for each in violations]})


LISTED_NONE = listing()


def outputs(bucket: str) -> dict[str, Any]:
    """Where a check of the bucket writes, as a request and as a description has it."""
    there = {"S3Uri": f"s3://{bucket}/out", "LocalPath": f"{ML}/output"}
    output = {"OutputName": "out", "S3Output": {**there, "S3UploadMode": "EndOfJob"}}
    return {
        "ProcessingOutputConfig": {"Outputs": [output]},
        "Environment": {"output_path": f"{ML}/output"},
    }


def check(bucket: str, gate: str = "/nowhere", **keys: Any) -> dict[str, Any]:
    """A check that compares with a baseline."""
    there = {"S3Uri": f"s3://{bucket}/found", "LocalPath": f"{ML}/found"}
    found = {**there, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    script = COPIES.format(ml=ML, gate=gate)
    arguments = {
        "ProcessingResources": {"ClusterConfig": CLUSTER},
        "AppSpecification": {
            "ImageUri": "python:3",
            "ContainerEntrypoint": ["bash", "-c", script],
        },
        "ProcessingInputs": [{"InputName": "found", "S3Input": found}],
        **outputs(bucket),
    }
    supplied = {"SuppliedBaselineConstraints": f"s3://{bucket}/before/constraints.json"}
    compares = {"SkipCheck": False, "RegisterNewBaseline": False}
    return step("QualityCheck", **{"Arguments": arguments, **compares, **supplied, **keys})


@pytest.fixture
def start(bucket: str, put: Any, gate: Any) -> Any:
    """A run of one pipeline with a cached check."""
    pipeline = uuid4().hex
    put("before", made="{}")

    def started(run_id: str, **keys: Any) -> CachedRun:
        given = {key: keys.pop(key) for key in [*keys] if key[0].isupper()}
        made = check(bucket, str(gate / "go"), **given)
        return CachedRun(made, pipeline=pipeline, run_id=run_id, **keys)

    return started


# What an earlier job has found


def objection(bucket: str, described: dict[str, Any], **keys: Any) -> str:
    pipeline: Pipeline = pipeline_of(check(bucket, **keys))
    kept: Any = KeptClients()
    scope = RunScope(pipeline=pipeline, context=context(), connection=kept)
    return verdicts.objection(kept.client, pipeline.steps[0], scope, described)


WOULD_FAIL = "it would fail the step: "
NOT_KNOWN = "what it has found is not known: "


@pytest.mark.parametrize(
    ("message", "written", "told"),
    [
        (PASSED, {"made": "{}", "report": listing()}, ""),
        ("", {"made": "{}", "report": listing()}, ""),
        ("", {"made": "{}"}, ""),
        (VIOLATED, {"made": "{}", "report": listing()}, WOULD_FAIL + VIOLATED),
        ("", {"made": "{}", "report": listing("a", "b")}, WOULD_FAIL + "2 violations in {out}"),
        (PASSED, {"made": "{}", "report": listing("a")}, WOULD_FAIL + "1 violations in {out}"),
        (PASSED, {"report": listing()}, NOT_KNOWN + "{made} is not, or no longer, what it has"),
        (PASSED, {"made": "{}", "report": "{"}, NOT_KNOWN + "{out} is no JSON"),
    ],
)
def test_what_a_job_has_found_is_told_by_its_message_and_its_report(
    bucket: str, put: Any, message: str, written: dict[str, str], told: str
) -> None:
    at = put("out", **written)
    times = {"CreationTime": str(at - SECOND * 60), "LastModifiedTime": str(at + SECOND * 60)}
    found = objection(bucket, {**outputs(bucket), **times, "ExitMessage": message})
    place = f"s3://{bucket}/out"
    assert found.startswith(told.format(out=f"{place}/{REPORT}", made=f"{place}/{MADE}"))
    assert bool(found) == bool(told)


@pytest.mark.parametrize(
    ("created", "ended", "is_its_own"),
    [
        (timedelta(0), timedelta(0), True),
        (SECOND * 0.9, SECOND * 2, True),  # S3 tells whole seconds
        (SECOND, SECOND * 2, False),
        (-SECOND, -SECOND / 1000, False),
    ],
)
def test_what_another_job_has_written_tells_nothing(
    bucket: str, put: Any, created: timedelta, ended: timedelta, is_its_own: bool
) -> None:
    at = put("out", made="{}")
    times = {"CreationTime": str(at + created), "ProcessingEndTime": str(at + ended)}
    found = objection(bucket, {**outputs(bucket), **times, "ExitMessage": PASSED})
    assert found.startswith(NOT_KNOWN) is not is_its_own


def test_the_report_of_an_earlier_job_is_not_that_of_one_that_has_found_nothing(
    bucket: str, put: Any
) -> None:
    before = put("out", report=listing("a"))
    time.sleep(1)  # S3 tells whole seconds
    at = put("out", made="{}")
    assert at > before
    times = {"CreationTime": str(at), "LastModifiedTime": str(at)}
    assert objection(bucket, {**outputs(bucket), **times}) == ""


def test_a_job_without_outputs_tells_nothing(bucket: str) -> None:
    assert objection(bucket, {"ExitMessage": PASSED}) == NOT_KNOWN + "it has no output"


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
    assert second["CalculatedBaselineConstraints"] == f"s3://{bucket}/out/constraints.json"


def test_a_job_with_violations_is_a_miss_and_the_log_says_why(
    start: Any, finds: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(VIOLATED, listing("a"))
    with pytest.raises(FAILURES) as raised:
        start("first").go()
    first: Any = raised.value.__cause__ or raised.value
    capsys.readouterr()
    second = start("second")
    assert second.look() is None
    name = first.job_name
    assert told_by(capsys, "miss") == [
        f"{name} did the same, but it would fail the step: {VIOLATED}"
    ]
    finds(PASSED)
    assert second.step()["ProcessingJobName"] != name


def test_what_came_before_a_job_with_violations_is_outdated(start: Any, finds: Any) -> None:
    finds(PASSED)
    start("first").go()
    finds(VIOLATED, listing("a"))
    with pytest.raises(FAILURES):
        start("second", params={"sm_pipelines.cache": False}).go()
    assert start("third").look() is None


def test_where_violations_fail_nothing_their_job_is_adopted(start: Any, finds: Any) -> None:
    finds(VIOLATED, listing("a"))
    first = start("first", FailOnViolation=False).go()
    assert start("second", FailOnViolation=False).go() == first
    assert start("third").look() is None


def test_the_step_judges_what_its_sensor_has_found_again(
    start: Any, finds: Any, put: Any, caplog: pytest.LogCaptureFixture
) -> None:
    finds(PASSED)
    first = start("first").go()
    second = start("second")
    assert second.look()
    put("out", report=listing("a"))
    own = second.step()  # which overwrites the report
    name = first["ProcessingJobName"]
    assert f"{name} was found, but cannot be adopted: " in caplog.text
    assert own["ProcessingJobName"] != name


def test_a_twin_with_violations_is_a_miss(
    start: Any, finds: Any, gate: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    finds(VIOLATED, wait="")
    name = start("first").begin()
    second = start("second", wait_for_twin=True)
    assert second.wait(lambda: (gate / "go").touch()) is None
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
    start: Any,
    finds: Any,
    put: Any,
    bucket: str,
    sagemaker: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finds(PASSED)
    put("1", made="{}")
    put("2", made="{}")
    one, two = (f"s3://{bucket}/{number}/constraints.json" for number in (1, 2))
    group = f"group-{uuid4().hex}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    keys = {"SuppliedBaselineConstraints": None, "ModelPackageGroupName": group}
    approve(sagemaker, group, one)
    first = start("first", **keys).go()
    assert start("second", **keys).go() == first
    approve(sagemaker, group, two)
    third = start("third", **keys)
    capsys.readouterr()
    assert third.look() is None
    assert told_by(capsys, "miss") == [
        f"what differs from {first['ProcessingJobName']}, the last of the step that completed: "
        f'ProcessingInputs[1].S3Input.S3Uri: "{one}" then, "{two}" now'
    ]
    used = third.step()["BaselineUsedForDriftCheckConstraints"]
    assert used == two


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
