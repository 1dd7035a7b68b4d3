"""The example's data and model, with a transform job that scores what it was not trained on."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from airflow_sm_pipelines.local.seed import seed_objects

from .conftest import RunPipeline
from .steps import ROLE, get

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS

EXAMPLE = Path(__file__).parents[2] / "dags" / "pipelines" / "abalone"
BUCKET = "sagemaker-us-east-1-123456789012"
TEST = "Steps.Preprocess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"


def scoring() -> dict[str, Any]:
    """The example up to its training, then a model and a transform job of the test set."""
    definition: dict[str, Any] = json.loads((EXAMPLE / "definition.json").read_text())
    kept = {step["Name"]: step for step in definition["Steps"]}
    image = kept["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    container = {"Image": image, "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts")}
    model = {"ExecutionRoleArn": ROLE, "PrimaryContainer": container}
    score = {
        "ModelName": get("Steps.Pack.ModelName"),
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": get(TEST)}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{BUCKET}/abalone/scores",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        },
        "DataProcessing": {
            "InputFilter": "$[1:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,-1]",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    steps = [
        kept["Preprocess"],
        kept["Train"],
        {"Name": "Pack", "Type": "Model", "Arguments": model},
        {"Name": "Score", "Type": "Transform", "Arguments": score},
    ]
    return {**definition, "Steps": steps}


def test_a_trained_model_scores_the_test_set(
    run_pipeline: RunPipeline, aws_environment: "LocalAWS"
) -> None:
    s3 = boto3.client("s3", endpoint_url=aws_environment.endpoint_url)
    seed_objects(s3, EXAMPLE)
    run = run_pipeline(scoring(), name="scoring")
    assert (run.state, run.tasks["Score"]) == ("success", "success")
    assert run.outputs["Score"]["TransformJobStatus"] == "Completed"
    (stored,) = s3.list_objects_v2(Bucket=BUCKET, Prefix="abalone/scores/")["Contents"]
    assert stored["Key"].endswith(".csv.out")
    content = s3.get_object(Bucket=BUCKET, Key=stored["Key"])["Body"].read().decode()
    pairs = [[float(cell) for cell in line.split(",")] for line in content.splitlines()]
    assert sum((rings - scored) ** 2 for rings, scored in pairs) / len(pairs) < 10
