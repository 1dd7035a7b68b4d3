"""Pipelines as AWS's examples are built, from the SDK's definition to the last step."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from tests.runs.conftest import Run, RunPipeline
from tests.runs.test_callbacks import Message, worker

from .conftest import BUCKET

pytestmark = pytest.mark.slow


def keys(s3: Any, prefix: str) -> list[str]:
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in listed.get("Contents", ())]


def test_abalone_is_trained_measured_and_transforms_a_batch(
    run_pipeline: RunPipeline, definitions: Path, s3: Any
) -> None:
    run = run_pipeline(definitions / "abalone_batch.json", name="abalone-batch")
    assert run.state == "success", run.failures
    assert run.tasks["TooBad"] == "skipped"
    (key,) = keys(s3, "examples/predictions/")
    assert key.endswith("batch.csv.out")
    lines = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode().splitlines()
    rows = [tuple(map(float, line.split(","))) for line in lines]
    assert len(rows) == 50
    # The number of rings, joined from the input, and its prediction.
    assert sum((rings - predicted) ** 2 for rings, predicted in rows) / len(rows) < 12


def test_abalone_that_is_too_bad_ends_with_the_message(
    run_pipeline: RunPipeline, definitions: Path, s3: Any
) -> None:
    run = run_pipeline(
        definitions / "abalone_batch.json", name="abalone-too-bad", MseThreshold=0.01
    )
    assert (run.state, run.failures["TooBad"]) == ("failed", "MSE is above 0.01")
    assert run.tasks["Transform"] == "skipped"


def test_churn_is_tuned_and_the_best_model_registered(
    run_pipeline: RunPipeline, definitions: Path, s3: Any
) -> None:
    run = run_pipeline(definitions / "churn_tuning.json", name="churn-tuning")
    assert run.state == "success", run.failures
    tuned = run.outputs["ChurnTune"]
    assert tuned["TrainingJobStatusCounters"]["Completed"] == 3
    best = tuned["BestTrainingJob"]["TrainingJobName"]
    (arn,) = {
        outputs["ModelPackageArn"]
        for outputs in run.outputs.values()
        if isinstance(outputs, dict) and "ModelPackageArn" in outputs
    }
    package = boto3.client("sagemaker").describe_model_package(ModelPackageName=arn)
    (container,) = package["InferenceSpecification"]["Containers"]
    assert f"/{best}/" in container["ModelDataUrl"]


@pytest.fixture
def queue(s3: Any) -> str:
    url: str = boto3.client("sqs").create_queue(QueueName=f"approve-{uuid4().hex[:8]}")["QueueUrl"]
    return url


@pytest.mark.parametrize(("decision", "state"), [("yes", "success"), ("no", "failed")])
def test_a_model_is_judged_by_a_function_and_approved_by_someone(
    run_pipeline: RunPipeline, definitions: Path, queue: str, decision: str, state: str
) -> None:
    sagemaker = boto3.client("sagemaker")

    def decide(message: Message) -> None:
        assert message["arguments"]["score"] > 0.6
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=message["token"],
            OutputParameters=[{"Name": "decision", "Value": decision}],
        )

    with worker(queue, decide):
        run = run_pipeline(
            definitions / "approval.json", name=f"approval-{decision}", QueueUrl=queue
        )
    assert run.state == state, run.failures
    assert run.outputs["Judge"]["OutputParameters"]["verdict"] == "good"
    if decision == "no":
        assert run.failures["Rejected"] == "rejected: no"


def test_bias_is_checked_against_the_baselines_that_are_registered_with_the_model(
    run_pipeline: RunPipeline, definitions: Path, s3: Any
) -> None:
    group = f"bias-{uuid4().hex[:8]}"

    def run(**parameters: Any) -> Run:
        return run_pipeline(definitions / "bias.json", name="bias", Group=group, **parameters)

    first = run(First=True)
    assert first.state == "success", first.failures
    arn = first.outputs["Keep-RegisterModel"]["ModelPackageArn"]
    package = boto3.client("sagemaker").describe_model_package(ModelPackageName=arn)
    bias: Any = package["DriftCheckBaselines"]["Bias"]
    for step, member in (("DataBias", "Pre"), ("ModelBias", "Post")):
        calculated = first.outputs[step]["CalculatedBaselineConstraints"]
        assert bias[f"{member}TrainingConstraints"]["S3Uri"] == calculated

    abalone = s3.get_object(Bucket=BUCKET, Key="examples/abalone.csv")["Body"].read().decode()
    rows = (line.split(",") for line in abalone.splitlines())
    older = [",".join([*row[:-1], "20" if row[0] == "F" else row[-1]]) for row in rows]
    s3.put_object(Bucket=BUCKET, Key="examples/older.csv", Body="\n".join(older).encode())
    worse = run(InputData=f"s3://{BUCKET}/examples/older.csv")
    assert worse.state == "failed"
    assert "ClientError: Clarify check failed. See violation report" in worse.failures["DataBias"]
    assert worse.tasks["Train"] == "upstream_failed"
