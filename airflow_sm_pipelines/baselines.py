"""What a check step is beside its processing job: baselines, and what breaks them.

The definition has the job that calculates a baseline. A drift check is the same job with an earlier
baseline among its inputs, by the contract of Model Monitor's and Clarify's containers: they then
write `constraint_violations.json` too. To add a CheckType: a row of `KINDS`.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines import aws, objects
from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.values import resolve
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError, Problem
from airflow_sm_pipelines.members import member
from airflow_sm_pipelines.scope import RunScope

if TYPE_CHECKING:
    from botocore.client import BaseClient

STATISTICS = "Statistics"
CONSTRAINTS = "Constraints"

Baseline = dict[str, str]
"""`Statistics` and `Constraints` -> the URI of that file, as far as there is one."""


@dataclass(frozen=True, slots=True)
class File:
    """One of the files of a baseline."""

    name: str
    """What the container calls it that calculates the baseline."""
    registered: str
    """Where a model package has it, in DriftCheckBaselines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the keys of a step say in one run."""

    skip: bool
    register: bool
    fails: bool
    group: str | None
    supplied: Baseline
    kind: str
    model: str | None

    @property
    def files(self) -> Mapping[str, File]:
        """The files of such a baseline."""
        return KINDS[self.kind]

    @property
    def needs_baseline(self) -> bool:
        """Whether an earlier baseline must be there."""
        return not (self.skip and self.register)


def check_of(step: Step, scope: RunScope) -> Check:
    """The keys of a step, resolved; one that is absent or null has the SDK's default."""
    keys = {key: resolve(value, scope) for key, value in step.keys.items()}
    supplied = {name: keys.get(f"SuppliedBaseline{name}") for name in (STATISTICS, CONSTRAINTS)}
    group, model = keys.get("ModelPackageGroupName"), keys.get("ModelName")
    return Check(
        skip=bool(keys.get("SkipCheck")),
        register=bool(keys.get("RegisterNewBaseline")),
        fails=keys.get("FailOnViolation") is not False,
        group=str(group) if group else None,
        supplied={name: str(uri) for name, uri in supplied.items() if uri},
        kind=str(keys["CheckType"]),
        model=str(model) if model else None,
    )


def earlier(client: "BaseClient", step: Step, check: Check) -> Baseline:
    """The baseline before this one: what is supplied, or else that of the latest approved model.

    Empty where none is needed; a DefinitionError where one is, and there is none.
    """
    if not check.needs_baseline:
        return {}
    registered = {}
    if CONSTRAINTS not in check.supplied and check.group:
        registered = _registered(client, check)
    found = {**registered, **check.supplied}
    if CONSTRAINTS not in found:
        where = f"{step.where}.SuppliedBaselineConstraints"
        cure = (
            "no earlier baseline, and no approved package in ModelPackageGroupName has one; supply "
            "it, or set SkipCheck and RegisterNewBaseline to true for the first run"
        )
        raise DefinitionError([Problem(where, cure)])
    return found


def with_baseline(step: Step, baseline: Mapping[str, str]) -> Step:
    """The step whose job compares its dataset with a baseline too."""
    inputs = step.arguments.get("ProcessingInputs")
    environment = step.arguments.get("Environment")
    added = [_input(name, uri) for name, uri in baseline.items()]
    paths = {
        f"baseline_{name.lower()}": f"{FOLDERS[name]}/{uri.rpartition('/')[2]}"
        for name, uri in baseline.items()
    }
    arguments = {
        **step.arguments,
        "ProcessingInputs": [*(inputs if isinstance(inputs, list) else ()), *added],
        "Environment": {**(environment if isinstance(environment, dict) else {}), **paths},
    }
    return replace(step, arguments=arguments)


def properties(
    described: Mapping[str, Json], check: Check, before: Mapping[str, str]
) -> dict[str, Json]:
    """What expressions read of the step, beside the description of its job."""
    place = reports(described)
    calculated = {name: f"{place}/{file.name}" for name, file in check.files.items() if place}
    used = calculated if check.register else before
    return {
        **{f"CalculatedBaseline{name}": uri for name, uri in calculated.items()},
        **{f"BaselineUsedForDriftCheck{name}": uri for name, uri in used.items()},
    }


def compared_with(described: Mapping[str, Json]) -> Baseline:
    """The baseline that a job was given; empty where it was given none."""
    inputs: Any = described.get("ProcessingInputs") or []
    given = {each["InputName"]: member(each, "S3Input.S3Uri") for each in inputs}
    return {name: str(given[_name(name)]) for name in FOLDERS if _name(name) in given}


def reports(described: Mapping[str, Json]) -> str:
    """The S3 prefix of what a job has written: of the output that its `output_path` is.

    Clarify's container has no such variable; its folder is fixed.
    """
    path = member(dict(described), "Environment.output_path") or OUTPUT
    outputs: Any = member(dict(described), "ProcessingOutputConfig.Outputs") or []
    sources = [each["S3Output"] for each in outputs if each.get("S3Output")]
    found = [each for each in sources if each.get("LocalPath") == path] or sources
    return str(found[0]["S3Uri"]).rstrip("/") if found else ""


def report_uri(described: Mapping[str, Json]) -> str:
    """Where a job that compares writes what breaks the baseline."""
    return f"{reports(described)}/constraint_violations.json"


def violations(s3: "BaseClient", uri: str, *, since: datetime) -> list[Json]:
    """What a report lists; one that is not there, or of an earlier job, lists nothing.

    A job that finds nothing may write no report, and its output may be that of jobs before it.
    """
    report = objects.get(s3, uri)
    # S3 tells whole seconds.
    if not report or datetime.fromisoformat(report["LastModified"]) < since.replace(microsecond=0):
        return []
    return listed(report["Body"], uri)


def listed(report: bytes, uri: str) -> list[Json]:
    """The violations in a report; raises ExpressionError where it is none."""
    try:
        content = json.loads(report)
    except ValueError as error:
        raise ExpressionError(
            f"{uri} is no JSON: {error}; a check writes its report there"
        ) from error
    found = (content.get("violations") or []) if isinstance(content, dict) else None
    if not isinstance(found, list):
        raise ExpressionError(f"{uri} has no list of violations; a check writes its report there")
    return found


def _registered(client: "BaseClient", check: Check) -> Baseline:
    """The baseline of the latest approved package in the check's group that has one."""
    request: dict[str, Json] = {
        "ModelPackageGroupName": check.group,
        "ModelApprovalStatus": "Approved",
        "SortBy": "CreationTime",
        "SortOrder": "Descending",
    }
    for page in aws.pages(client, "ListModelPackages", request):
        for row in page["ModelPackageSummaryList"][:1]:
            named = {"ModelPackageName": row["ModelPackageArn"]}
            package = aws.call(client, "DescribeModelPackage", named)
            return _of_package(package, check.files)
    return {}


def _of_package(package: dict[str, Json], files: Mapping[str, File]) -> Baseline:
    found = {
        name: member(package, f"DriftCheckBaselines.{file.registered}.S3Uri")
        for name, file in files.items()
    }
    return {name: str(uri) for name, uri in found.items() if uri}


def _input(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3Uri": uri,
        "LocalPath": FOLDERS[name],
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": _name(name), "S3Input": source}


def _name(name: str) -> str:
    return f"baseline_{name.lower()}"


# Where the job finds an earlier baseline; the SDK's schedules have it there too.
FOLDERS = {
    STATISTICS: "/opt/ml/processing/baseline/stats",
    CONSTRAINTS: "/opt/ml/processing/baseline/constraints",
}

OUTPUT = "/opt/ml/processing/output"

KINDS: dict[str, dict[str, File]] = {
    "DATA_QUALITY": {
        STATISTICS: File("statistics.json", "ModelDataQuality.Statistics"),
        CONSTRAINTS: File("constraints.json", "ModelDataQuality.Constraints"),
    },
    "MODEL_QUALITY": {
        STATISTICS: File("statistics.json", "ModelQuality.Statistics"),
        CONSTRAINTS: File("constraints.json", "ModelQuality.Constraints"),
    },
    "DATA_BIAS": {CONSTRAINTS: File("analysis.json", "Bias.PreTrainingConstraints")},
    "MODEL_BIAS": {CONSTRAINTS: File("analysis.json", "Bias.PostTrainingConstraints")},
    "MODEL_EXPLAINABILITY": {CONSTRAINTS: File("analysis.json", "Explainability.Constraints")},
}
"""CheckType -> the files of its baseline."""
