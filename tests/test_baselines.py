"""What a check step asks for and hands on, against botocore's own clients."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest

from airflow_sm_pipelines import baselines
from airflow_sm_pipelines.baselines import CONSTRAINTS, STATISTICS, Check
from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError
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
        "model": None,
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


def checking(type_: str) -> Pipeline:
    return pipeline_of(step(type_))


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
    found = baselines.properties(REPORTS, check(skip=skip, register=register), BEFORE)
    assert found == {
        "CalculatedBaselineStatistics": "s3://b/out/statistics.json",
        "CalculatedBaselineConstraints": "s3://b/out/constraints.json",
        "BaselineUsedForDriftCheckStatistics": used[STATISTICS],
        "BaselineUsedForDriftCheckConstraints": used[CONSTRAINTS],
    }


def test_a_clarify_check_has_one_file_in_the_folder_that_is_clarifys() -> None:
    described = {"ProcessingOutputConfig": REPORTS["ProcessingOutputConfig"]}
    before = {CONSTRAINTS: "s3://b/c.json"}
    assert baselines.properties(described, check(kind="DATA_BIAS"), before) == {
        "CalculatedBaselineConstraints": "s3://b/out/analysis.json",
        "BaselineUsedForDriftCheckConstraints": "s3://b/c.json",
    }
    assert baselines.report_uri(described) == "s3://b/out/constraint_violations.json"


def test_a_clarify_check_tells_its_job_of_the_baseline_by_one_variable() -> None:
    before = {CONSTRAINTS: "s3://b/before/analysis.json"}
    given = baselines.with_baseline(checking("ClarifyCheck").steps[0], before).arguments
    assert given["Environment"] == {
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/analysis.json"
    }
    inputs: Any = given["ProcessingInputs"]
    assert [each["S3Input"]["LocalPath"] for each in inputs] == [
        "/opt/ml/processing/baseline/constraints"
    ]


def test_every_check_type_of_the_language_has_a_baseline() -> None:
    types = {row.keys["CheckType"].values for row in STEP_TYPES.values() if row.judges}
    assert {kind for values in types for kind in values} == set(baselines.KINDS)


def test_a_package_can_have_every_baseline() -> None:
    model = botocore.session.Session().get_service_model("sagemaker")
    for file in (file for files in baselines.KINDS.values() for file in files.values()):
        shape: Any = model.shape_for("DriftCheckBaselines")
        for member in (*file.registered.split("."), "S3Uri"):
            shape = shape.members[member]
        assert shape.type_name == "string"


def test_a_baseline_is_among_the_inputs_and_variables_of_the_job() -> None:
    given = baselines.with_baseline(quality_step().steps[0], BEFORE).arguments
    inputs: Any = given["ProcessingInputs"]
    assert [each["InputName"] for each in inputs] == ["baseline_statistics", "baseline_constraints"]
    assert inputs[1]["S3Input"]["S3Uri"] == "s3://b/c.json"
    assert given["Environment"] == {
        "baseline_statistics": "/opt/ml/processing/baseline/stats/s.json",
        "baseline_constraints": "/opt/ml/processing/baseline/constraints/c.json",
    }
    assert baselines.compared_with({"ProcessingInputs": inputs}) == BEFORE


def test_what_is_supplied_comes_before_what_is_registered() -> None:
    sagemaker = group([ARN], ModelDataQuality={"Constraints": {"S3Uri": "s3://b/registered"}})
    wanted = check(group="g", supplied=BEFORE)
    found = baselines.earlier(sagemaker.client("sagemaker"), quality_step().steps[0], wanted)
    assert found == BEFORE
    assert sagemaker.requests("ListModelPackages") == []


REGISTERED: dict[str, Any] = {
    "ModelDataQuality": {
        "Statistics": {"S3Uri": "s3://data/s"},
        "Constraints": {"S3Uri": "s3://data/c"},
    },
    "ModelQuality": {
        "Statistics": {"S3Uri": "s3://model/s"},
        "Constraints": {"S3Uri": "s3://model/c"},
    },
    "Bias": {
        "ConfigFile": {"S3Uri": "s3://bias/config"},
        "PreTrainingConstraints": {"S3Uri": "s3://bias/pre"},
        "PostTrainingConstraints": {"S3Uri": "s3://bias/post"},
    },
    "Explainability": {"Constraints": {"S3Uri": "s3://explained/c"}},
}


@pytest.mark.parametrize(
    ("kind", "baseline"),
    [
        ("DATA_QUALITY", {STATISTICS: "s3://data/s", CONSTRAINTS: "s3://data/c"}),
        ("MODEL_QUALITY", {STATISTICS: "s3://model/s", CONSTRAINTS: "s3://model/c"}),
        ("DATA_BIAS", {CONSTRAINTS: "s3://bias/pre"}),
        ("MODEL_BIAS", {CONSTRAINTS: "s3://bias/post"}),
        ("MODEL_EXPLAINABILITY", {CONSTRAINTS: "s3://explained/c"}),
    ],
)
def test_the_baseline_is_that_of_the_latest_approved_package(
    kind: str, baseline: dict[str, str]
) -> None:
    sagemaker = group([ARN], **REGISTERED)
    wanted = check(group="g", kind=kind)
    found = baselines.earlier(sagemaker.client("sagemaker"), quality_step().steps[0], wanted)
    assert found == baseline
    (listed,) = sagemaker.requests("ListModelPackages")
    assert (listed["ModelApprovalStatus"], listed["SortOrder"]) == ("Approved", "Descending")
    assert sagemaker.requests("DescribeModelPackage") == [{"ModelPackageName": ARN}]


@pytest.mark.parametrize("packages", [[], [ARN]])
def test_a_check_without_an_earlier_baseline_is_refused_and_says_what_helps(
    packages: list[str],
) -> None:
    sagemaker = group(packages)
    with pytest.raises(DefinitionError, match=r"SuppliedBaselineConstraints: no earlier baseline"):
        baselines.earlier(
            sagemaker.client("sagemaker"), quality_step().steps[0], check(group="g", skip=True)
        )


def test_the_first_run_needs_no_baseline() -> None:
    sagemaker = group([])
    wanted = check(skip=True, register=True)
    assert baselines.earlier(sagemaker.client("sagemaker"), quality_step().steps[0], wanted) == {}


CREATED = datetime(2026, 1, 1, 12, 0, 0, 700_000, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "listed"), [(-1, []), (-0.7, ["v"]), (60, ["v"])])
def test_a_report_of_an_earlier_job_lists_nothing(seconds: float, listed: list[str]) -> None:
    report = {
        "Body": io.BytesIO(json.dumps({"violations": ["v"]}).encode()),
        "LastModified": CREATED + timedelta(seconds=seconds),
    }
    s3 = InstantSageMaker(told={"GetObject": report}).client("s3")
    found = baselines.violations(s3, "s3://b/out/constraint_violations.json", since=CREATED)
    assert found == listed


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (b"{", "s3://b/r is no JSON"),
        (b"[]", "s3://b/r has no list of violations"),
        (b'{"violations": 2}', "s3://b/r has no list of violations"),
    ],
)
def test_a_report_that_is_none_says_where_it_is(report: bytes, told: str) -> None:
    with pytest.raises(ExpressionError, match=told):
        baselines.listed(report, "s3://b/r")


def test_a_report_without_violations_lists_none() -> None:
    assert baselines.listed(b'{"violations": null}', "s3://b/r") == []
    assert baselines.listed(b"{}", "s3://b/r") == []
