"""ClarifyCheck steps whose jobs really run: bias metrics, and a baseline beside them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images
from tests.local.models import make_model, server

from .conftest import Run, RunPipeline
from .steps import ROLE, get, pipeline

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IMAGE = "205585389593.dkr.ecr.us-east-1.amazonaws.com/sagemaker-clarify-processing:1.0"
SKIPPED = {"SkipCheck": True, "RegisterNewBaseline": True}

# Half of each sex is good, and a model said so of all; of OTHER fewer f are.
SAME = "sex,good,said\n" + "m,1,1\nm,0,1\nf,1,1\nf,0,1\n" * 10
OTHER = SAME.replace("f,1,1", "f,0,0", 5)
BIAS = {
    "dataset_type": "text/csv",
    "label": "good",
    "label_values_or_threshold": [1],
    "facet": [{"name_or_index": "sex", "value_or_threshold": ["f"]}],
}
METHODS: dict[str, dict[str, Any]] = {
    "DATA_BIAS": {"methods": {"pre_training_bias": {"methods": "all"}}},
    "MODEL_BIAS": {
        "methods": {"post_training_bias": {"methods": "all"}},
        "predicted_label": "said",
        "predictor": {"instance_type": "ml.m5.large", "initial_instance_count": 1},
    },
    "MODEL_EXPLAINABILITY": {
        "methods": {"shap": {"baseline": [[0, 0]], "num_samples": 1, "agg_method": "mean_abs"}},
        "predictor": {"instance_type": "ml.m5.large", "initial_instance_count": 1},
    },
}

Check = Callable[..., Run]


def check(bucket: str, kind: str = "DATA_BIAS", **keys: Any) -> dict[str, Any]:
    """A step that checks the dataset of a bucket."""
    folder = "/opt/ml/processing"
    output = {"S3Uri": f"s3://{bucket}/reports", "LocalPath": f"{folder}/output"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    arguments = {
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingInputs": [
            given(
                "analysis_config", f"s3://{bucket}/analysis_config.json", f"{folder}/input/config"
            ),
            given("dataset", f"s3://{bucket}/data.csv", f"{folder}/input/data"),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "analysis_result",
                    "S3Output": {**output, "S3UploadMode": "EndOfJob"},
                }
            ]
        },
    }
    return {
        "Name": "Check",
        "Type": "ClarifyCheck",
        "CheckType": kind,
        "Arguments": arguments,
        **keys,
    }


def given(name: str, uri: str, path: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source}


@pytest.fixture
def checked(run_pipeline: RunPipeline, s3: "S3Client", bucket: str) -> Check:
    """Run the check of a dataset, and steps after it."""

    def run(rows: str, *after: Any, kind: str = "DATA_BIAS", **keys: Any) -> Run:
        write(s3, bucket, rows, kind)
        # Before Airflow 3.2 a DAG that gets another task is not seen at once.
        name = "clarify-cached" if "CacheConfig" in keys else "clarify"
        return run_pipeline(pipeline(check(bucket, kind, **keys), *after), name=name)

    return run


def write(s3: "S3Client", bucket: str, rows: str, kind: str, **changes: Any) -> None:
    s3.put_object(Bucket=bucket, Key="data.csv", Body=rows.encode())
    config = json.dumps({**BIAS, **METHODS[kind], **changes}).encode()
    s3.put_object(Bucket=bucket, Key="analysis_config.json", Body=config)


def kept(s3: "S3Client", bucket: str, run: Run) -> dict[str, Any]:
    """The keys of a step that has what a run has calculated as its baseline."""
    assert run.state == "success", run.failures
    calculated = run.outputs["Check"]["CalculatedBaselineConstraints"]
    assert calculated == f"s3://{bucket}/reports/analysis.json"
    s3.copy_object(
        Bucket=bucket, Key="before/analysis.json", CopySource=f"{bucket}/reports/analysis.json"
    )
    return {"SuppliedBaselineConstraints": f"s3://{bucket}/before/analysis.json"}


@pytest.fixture
def supplied(checked: Check, s3: "S3Client", bucket: str) -> dict[str, Any]:
    """The keys of a step that has a baseline, which an earlier run has calculated."""
    first = checked(SAME, **SKIPPED)
    used = first.outputs["Check"]["BaselineUsedForDriftCheckConstraints"]
    assert used == first.outputs["Check"]["CalculatedBaselineConstraints"]
    return kept(s3, bucket, first)


def test_data_with_the_bias_of_the_baseline_pass(
    checked: Check, supplied: dict[str, Any], bucket: str
) -> None:
    run = checked(SAME, **supplied)
    assert run.state == "success", run.failures
    handed_on = run.outputs["Check"]
    assert handed_on["ExitMessage"] == "Completed: Job completed successfully with no violations."
    used = supplied["SuppliedBaselineConstraints"]
    assert handed_on["BaselineUsedForDriftCheckConstraints"] == used
    assert handed_on["CalculatedBaselineConstraints"] == f"s3://{bucket}/reports/analysis.json"


def test_more_bias_than_in_the_baseline_fails_the_step(
    checked: Check, supplied: dict[str, Any], s3: "S3Client", bucket: str
) -> None:
    run = checked(OTHER, **supplied)
    assert (run.state, run.tasks["Check"]) == ("failed", "failed")
    report = f"s3://{bucket}/reports/constraint_violations.json"
    reason = f"ClientError: Clarify check failed. See violation report: {report}"
    assert run.failures["Check"].splitlines()[0].endswith(f"is Completed: {reason}")
    listed = s3.get_object(Bucket=bucket, Key="reports/constraint_violations.json")["Body"].read()
    metrics = {each["metric_name"] for each in json.loads(listed)["violations"]}
    assert {"DPL", "JS", "KL", "KS", "LP", "TVD"} == metrics


def test_violations_need_not_fail_the_step(checked: Check, supplied: dict[str, Any]) -> None:
    run = checked(OTHER, **supplied, FailOnViolation=False, RegisterNewBaseline=True)
    assert run.state == "success", run.failures
    handed_on = run.outputs["Check"]
    assert handed_on["ExitMessage"].startswith("CompletedWithViolations: ")
    used = handed_on["BaselineUsedForDriftCheckConstraints"]
    assert used == handed_on["CalculatedBaselineConstraints"]


def test_a_baseline_is_registered_with_a_model_and_found_there(checked: Check, bucket: str) -> None:
    group = f"bias-{uuid4().hex[:8]}"
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    constraints = {
        "ContentType": "application/json",
        "S3Uri": get("Steps.Check.BaselineUsedForDriftCheckConstraints"),
    }
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": group,
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
            "DriftCheckBaselines": {"Bias": {"PreTrainingConstraints": constraints}},
        },
    }
    assert checked(SAME, register, **SKIPPED).state == "success"
    # The baseline lies where the next job writes: it is read before.
    run = checked(OTHER, ModelPackageGroupName=group)
    assert run.state == "failed"
    assert "Clarify check failed" in run.failures["Check"]
    first = checked(OTHER, ModelPackageGroupName=f"{group}-2")
    assert "no approved package in ModelPackageGroupName has one" in first.failures["Check"]


def test_the_bias_of_predictions_in_the_dataset_is_checked(
    checked: Check, s3: "S3Client", bucket: str
) -> None:
    first = checked(SAME, kind="MODEL_BIAS", ModelName="churn", **SKIPPED)
    supplied = kept(s3, bucket, first)
    run = checked(OTHER, kind="MODEL_BIAS", ModelName="churn", **supplied)
    assert "Clarify check failed" in run.failures["Check"]


def test_an_explanation_says_what_to_map(checked: Check) -> None:
    run = checked(SAME, kind="MODEL_EXPLAINABILITY", ModelName="churn", **SKIPPED)
    assert run.state == "failed"
    assert (
        "the methods shap are not there locally; map a handler of your own for"
        in (run.failures["Check"])
    )


# A model that says yes to those who are m, and a handler that explains nothing: it writes which
# model it was told to ask, and what of a baseline is there.
MODEL = """
def line(text): return "0.9" if text.startswith("m") else "0.2"
"""
EXPLAINER = """
import json, os, pathlib
here = pathlib.Path("/opt/ml/processing")
config = json.loads((here / "input/config/analysis_config.json").read_text())
asked = config["predictor"]["model_name"]
(here / "output/analysis.json").write_text(json.dumps({"asked": asked}))
if before := os.environ.get("baseline_constraints"):
    if json.loads(pathlib.Path(before).read_text())["asked"] != asked:
        violation = {"label": "label0", "constraint_check_type": "feature_attribution_drift_check"}
        content = json.dumps({"version": "1.0", "violations": [violation]})
        (here / "output/constraint_violations.json").write_text(content)
"""
IMAGES = f"""
[[image]]
match = "clarify-processing:1.0"
name = "Clarify"
python = "{sys.executable}"
handler = "clarify"

[[image]]
match = "clarify-processing:explaining"
name = "a handler of the user"
python = "{sys.executable}"
handler = "explainer.py"

[[image]]
match = "own-port"
name = "a model that serves itself"
python = "{sys.executable}"
serve = ["{{python}}", "/opt/ml/model/server.py", "{{port}}"]
"""


@pytest.fixture
def mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["S3Client"]:
    """The S3 of a local AWS with an image map of its own."""
    (tmp_path / "images.toml").write_text(IMAGES)
    (tmp_path / "explainer.py").write_text(EXPLAINER)
    images = Images(tmp_path / "cache", config=tmp_path / "images.toml")
    with LocalAWS(tmp_path / "root", images=images, grace_seconds=1) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=server.endpoint_url)
        client.create_bucket(Bucket="mapped")
        yield client


def test_a_handler_that_is_mapped_explains_the_model_of_the_step(
    run_pipeline: RunPipeline, mapped: "S3Client"
) -> None:
    write(mapped, "mapped", SAME, "MODEL_EXPLAINABILITY")

    def explain(model: str, **keys: Any) -> Run:
        step = check("mapped", "MODEL_EXPLAINABILITY", ModelName=get("Parameters.M"), **keys)
        image = IMAGE.replace(":1.0", ":explaining")
        step["Arguments"]["AppSpecification"] = {"ImageUri": image}
        parameters = [{"Name": "M", "Type": "String", "DefaultValue": model}]
        return run_pipeline(pipeline(step, Parameters=parameters), name="explained")

    before = kept(mapped, "mapped", explain("first", **SKIPPED))
    assert explain("first", **before).state == "success"
    assert "Clarify check failed" in explain("second", **before).failures["Check"]


def test_the_model_of_the_step_is_asked_where_the_dataset_has_no_predictions(
    run_pipeline: RunPipeline, mapped: "S3Client"
) -> None:
    sagemaker = boto3.client("sagemaker")
    make_model(sagemaker, mapped, "mapped", server(MODEL), name="churn")
    write(mapped, "mapped", SAME, "MODEL_BIAS", predicted_label=None)
    step = check("mapped", "MODEL_BIAS", ModelName="churn", **SKIPPED)
    run = run_pipeline(pipeline(step), name="asked")
    assert run.state == "success", run.failures
    analysis = mapped.get_object(Bucket="mapped", Key="reports/analysis.json")["Body"].read()
    (sex,) = json.loads(analysis)["post_training_bias_metrics"]["facets"]["sex"]
    found = {each["name"]: each["value"] for each in sex["metrics"]}
    assert (found["DPPL"], found["AD"]) == (1.0, 0.0)
    assert sagemaker.list_endpoints()["Endpoints"] == []


# Two runs of a check that is cached

CACHED: dict[str, Any] = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}


def test_a_second_run_adopts_a_check_that_has_passed(
    checked: Check, supplied: dict[str, Any]
) -> None:
    first, second = (checked(SAME, **supplied, **CACHED) for _ in range(2))
    assert (first.state, second.state) == ("success", "success")
    assert second.outputs["Check"] == first.outputs["Check"]


def test_a_second_run_adopts_no_check_that_has_failed_the_step(
    checked: Check, supplied: dict[str, Any]
) -> None:
    first, second = (checked(OTHER, **supplied, **CACHED) for _ in range(2))
    assert (first.state, second.state) == ("failed", "failed")
    told = [run.failures["Check"].splitlines()[0] for run in (first, second)]
    assert told[0] != told[1]  # they name their jobs
