"""QualityCheck steps whose jobs really run: a baseline, and data beside it."""

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import Run, RunPipeline
from .steps import ROLE, pipeline

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IMAGE = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
SAME = "n,s\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(200))
OTHER = SAME.replace("\n7,", "\nseven,")
SKIPPED = {"SkipCheck": True, "RegisterNewBaseline": True}


def check(bucket: str, **keys: Any) -> dict[str, Any]:
    """A step that checks the dataset of a bucket."""
    output = {
        "OutputName": "quality_check_output",
        "S3Output": {
            "S3Uri": f"s3://{bucket}/reports",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        },
    }
    dataset = {
        "InputName": "baseline_dataset_input",
        "S3Input": {
            "S3Uri": f"s3://{bucket}/data.csv",
            "LocalPath": "/opt/ml/processing/input/baseline_dataset_input",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        },
    }
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    arguments = {
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingInputs": [dataset],
        "ProcessingOutputConfig": {"Outputs": [output]},
        "Environment": {
            "output_path": "/opt/ml/processing/output",
            "publish_cloudwatch_metrics": "Disabled",
            "dataset_format": json.dumps({"csv": {"header": True}}),
            "dataset_source": "/opt/ml/processing/input/baseline_dataset_input",
        },
    }
    return {
        "Name": "Check",
        "Type": "QualityCheck",
        "CheckType": "DATA_QUALITY",
        "Arguments": arguments,
        **keys,
    }


@pytest.fixture
def checked(run_pipeline: RunPipeline, s3: "S3Client", bucket: str) -> Any:
    """Run the check of a dataset."""

    def run(rows: str, **keys: Any) -> Run:
        s3.put_object(Bucket=bucket, Key="data.csv", Body=rows.encode())
        # Before Airflow 3.2 a DAG that gets another task is not seen at once.
        name = "quality-cached" if "CacheConfig" in keys else "quality"
        return run_pipeline(pipeline(check(bucket, **keys)), name=name)

    return run


@pytest.fixture
def supplied(checked: Any, s3: "S3Client", bucket: str) -> dict[str, str]:
    """The keys of a step that has a baseline, which an earlier run has calculated."""
    first: Run = checked(SAME, **SKIPPED)
    assert first.state == "success"
    keys = {}
    for name in ("Statistics", "Constraints"):
        calculated = first.outputs["Check"][f"CalculatedBaseline{name}"]
        assert calculated == first.outputs["Check"][f"BaselineUsedForDriftCheck{name}"]
        copied = f"before/{name.lower()}.json"
        source = calculated.removeprefix("s3://")
        s3.copy_object(Bucket=bucket, Key=copied, CopySource=source)
        keys[f"SuppliedBaseline{name}"] = f"s3://{bucket}/{copied}"
    return keys


def test_data_like_the_baseline_passes(checked: Any, supplied: dict[str, str]) -> None:
    run: Run = checked(SAME, **supplied)
    assert run.state == "success"
    handed_on = run.outputs["Check"]
    assert handed_on["ExitMessage"].startswith("Completed: ")
    used = supplied["SuppliedBaselineConstraints"]
    assert handed_on["BaselineUsedForDriftCheckConstraints"] == used
    assert handed_on["CalculatedBaselineConstraints"].endswith("/reports/constraints.json")


def test_data_that_drifts_fails_the_step(
    checked: Any, supplied: dict[str, str], bucket: str
) -> None:
    run: Run = checked(OTHER, **supplied)
    assert (run.state, run.tasks["Check"]) == ("failed", "failed")
    assert (
        run.failures["Check"]
        .splitlines()[0]
        .endswith(
            "is Completed: ClientError: Quality check failed. See violation report: "
            f"s3://{bucket}/reports/constraint_violations.json"
        )
    )


def test_violations_need_not_fail_the_step(checked: Any, supplied: dict[str, str]) -> None:
    run: Run = checked(OTHER, **supplied, FailOnViolation=False)
    assert run.state == "success"
    assert run.outputs["Check"]["ExitMessage"].startswith("CompletedWithViolations: ")


# Two runs of a check that is cached

KEPT: dict[str, Any] = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


def jobs(*runs: Run) -> set[str]:
    """The names of the jobs whose descriptions the checks of these runs have handed on."""
    return {run.outputs["Check"]["ProcessingJobName"] for run in runs}


def test_a_second_run_adopts_a_check_that_has_passed(
    checked: Any, supplied: dict[str, str]
) -> None:
    first, second = (checked(SAME, **supplied, **KEPT) for _ in range(2))
    assert (first.state, second.state) == ("success", "success")
    assert second.outputs["Check"] == first.outputs["Check"]
    assert second.outputs["Check"]["BaselineUsedForDriftCheckConstraints"] in supplied.values()


def test_a_second_run_adopts_no_check_that_has_failed_the_step(
    checked: Any, supplied: dict[str, str]
) -> None:
    first, second = (checked(OTHER, **supplied, **KEPT) for _ in range(2))
    assert (first.state, second.state) == ("failed", "failed")
    told = [run.failures["Check"].splitlines()[0] for run in (first, second)]
    assert told[0] != told[1]  # they name their jobs
    third: Run = checked(OTHER, **supplied, **KEPT, FailOnViolation=False)
    fourth: Run = checked(OTHER, **supplied, **KEPT, FailOnViolation=False)
    assert (third.state, fourth.state) == ("success", "success")
    assert len(jobs(third, fourth)) == 1


def test_a_check_whose_outputs_another_has_overwritten_is_not_adopted(
    checked: Any, supplied: dict[str, str], s3: "S3Client", bucket: str
) -> None:
    first: Run = checked(SAME, **supplied, **KEPT)
    time.sleep(1)  # S3 tells whole seconds
    s3.put_object(Bucket=bucket, Key="reports/constraints.json", Body=b"{}")
    second: Run = checked(SAME, **supplied, **KEPT)
    assert len(jobs(first, second)) == 2
