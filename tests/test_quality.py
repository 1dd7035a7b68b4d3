"""What a QualityCheck step asks for and hands on, against botocore's own clients."""

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_sm_pipelines import quality
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.quality import CONSTRAINTS, STATISTICS, Check
from tests.fidelity.cases import InstantSageMaker, pipeline_of, step

REPORTS: dict[str, Any] = {
    "ProcessingOutputConfig": {
        "Outputs": [
            {"S3Output": {"S3Uri": "s3://b/other", "LocalPath": "/opt/ml/processing/other"}},
            {"S3Output": {"S3Uri": "s3://b/out/", "LocalPath": "/opt/ml/processing/output"}},
        ]
    },
    "Environment": {"output_path": "/opt/ml/processing/output"},
}
BEFORE = {STATISTICS: "s3://b/s.json", CONSTRAINTS: "s3://b/c.json"}
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/2"


def check(**changes: Any) -> Check:
    given: dict[str, Any] = {
        "skip": False,
        "register": False,
        "fails": True,
        "group": None,
        "supplied": {},
        "kind": "DATA_QUALITY",
    }
    return Check(**{**given, **changes})


def group(*pages: list[str], **baselines: Any) -> InstantSageMaker:
    """A SageMaker whose package group lists these ARNs."""
    summaries = [
        {
            "ModelPackageArn": arn,
            "ModelPackageStatus": "Completed",
            "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        }
        for page in pages
        for arn in page
    ]
    return InstantSageMaker(
        told={
            "ListModelPackages": {"ModelPackageSummaryList": summaries, "NextToken": ""},
            "DescribeModelPackage": {"DriftCheckBaselines": baselines},
        },
        calls=[("CreateModelPackage", {"ModelPackageGroupName": "g"})],
    )


def quality_step() -> Pipeline:
    return pipeline_of(step("QualityCheck"))


@pytest.mark.parametrize(
    ("skip", "register", "used"),
    [
        (False, False, BEFORE),
        (True, False, BEFORE),
        (
            False,
            True,
            {STATISTICS: "s3://b/out/statistics.json", CONSTRAINTS: "s3://b/out/constraints.json"},
        ),
        (
            True,
            True,
            {STATISTICS: "s3://b/out/statistics.json", CONSTRAINTS: "s3://b/out/constraints.json"},
        ),
    ],
)
def test_which_baseline_is_used_depends_on_what_is_registered(
    skip: bool, register: bool, used: dict[str, str]
) -> None:
    found = quality.properties(REPORTS, check(skip=skip, register=register), BEFORE)
    assert found == {
        "CalculatedBaselineStatistics": "s3://b/out/statistics.json",
        "CalculatedBaselineConstraints": "s3://b/out/constraints.json",
        "BaselineUsedForDriftCheckStatistics": used[STATISTICS],
        "BaselineUsedForDriftCheckConstraints": used[CONSTRAINTS],
    }


def test_a_baseline_is_among_the_inputs_and_variables_of_the_job() -> None:
    given = quality.with_baseline(quality_step().steps[0], BEFORE).arguments
    inputs: Any = given["ProcessingInputs"]
    assert [each["InputName"] for each in inputs] == ["baseline_statistics", "baseline_constraints"]
    assert inputs[1]["S3Input"]["S3Uri"] == "s3://b/c.json"
    assert given["Environment"] == {
        "baseline_statistics": "/opt/ml/processing/baseline/stats/s.json",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/c.json",
    }
    assert quality.compared_with({"ProcessingInputs": inputs}) == BEFORE


def test_what_is_supplied_comes_before_what_is_registered() -> None:
    sagemaker = group([ARN], ModelDataQuality={"Constraints": {"S3Uri": "s3://b/registered"}})
    wanted = check(group="g", supplied=BEFORE)
    found = quality.earlier(sagemaker.client("sagemaker"), quality_step().steps[0], wanted)
    assert found == BEFORE
    assert sagemaker.requests("ListModelPackages") == []


@pytest.mark.parametrize(
    ("kind", "member"), [("DATA_QUALITY", "ModelDataQuality"), ("MODEL_QUALITY", "ModelQuality")]
)
def test_the_baseline_is_that_of_the_latest_approved_package(kind: str, member: str) -> None:
    baseline = {"Statistics": {"S3Uri": "s3://b/s"}, "Constraints": {"S3Uri": "s3://b/c"}}
    sagemaker = group([ARN], **{member: baseline})
    wanted = check(group="g", kind=kind)
    found = quality.earlier(sagemaker.client("sagemaker"), quality_step().steps[0], wanted)
    assert found == {STATISTICS: "s3://b/s", CONSTRAINTS: "s3://b/c"}
    (listed,) = sagemaker.requests("ListModelPackages")
    assert (listed["ModelApprovalStatus"], listed["SortOrder"]) == ("Approved", "Descending")
    assert sagemaker.requests("DescribeModelPackage") == [{"ModelPackageName": ARN}]


@pytest.mark.parametrize("packages", [[], [ARN]])
def test_a_check_without_an_earlier_baseline_is_refused_and_says_what_helps(
    packages: list[str],
) -> None:
    sagemaker = group(packages)
    with pytest.raises(DefinitionError, match=r"SuppliedBaselineConstraints: no earlier baseline"):
        quality.earlier(
            sagemaker.client("sagemaker"), quality_step().steps[0], check(group="g", skip=True)
        )


def test_the_first_run_needs_no_baseline() -> None:
    sagemaker = group([])
    wanted = check(skip=True, register=True)
    assert quality.earlier(sagemaker.client("sagemaker"), quality_step().steps[0], wanted) == {}
