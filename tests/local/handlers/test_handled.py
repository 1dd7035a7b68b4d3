"""Jobs that rely on the program of an image: what a handler makes of them, over the wire."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images
from tests.local.calls import (
    final_processing_job,
    processing_input,
    processing_output,
    resources,
    until,
)
from tests.local.models import make_model, server
from tests.local.scripted import AUTO_ML

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
BUCKET = "handled"
MAP = f"""
[[image]]
match = "my-tool"
name = "mine"
python = "{sys.executable}"
handler = "tool.py"

[[image]]
match = "^AutoMLJob$"
name = "AutoML"
python = "{sys.executable}"
handler = "automl.py"

[[image]]
match = "(clarify-processing)"
name = "Clarify"
python = "{sys.executable}"
handler = "clarify"

[[image]]
match = "own-port"
name = "a model that serves itself"
python = "{sys.executable}"
serve = ["{{python}}", "/opt/ml/model/server.py", "{{port}}"]

[[image]]
match = "(model-monitor-analyzer)"
name = "Model Monitor"
python = "{sys.executable}"
handler = "model_monitor"
"""
TOOL = "open('/opt/ml/processing/out/said', 'w').write('by the handler')"
AUTOML = """
import json, pathlib, sys
ml = pathlib.Path("/opt/ml")
request = json.loads((ml / "input/config/automljob.json").read_text())
rows = (ml / "input/data/training/rows.csv").read_text().splitlines()
if not rows[1:]:
    (ml / "output/failure").write_text("ClientError: no rows")
    sys.exit(1)
(ml / "model/model").write_text(request["AutoMLJobArn"])
(ml / "output/data/explainability").mkdir()
(ml / "output/data/explainability/analysis.json").write_text("{}")
objective = {"MetricName": rows[0], "Value": len(rows) - 1}
candidate = {"FinalAutoMLJobObjectiveMetric": objective, "InferenceContainers": [{"Image": "i"}]}
(ml / "output/candidate.json").write_text(json.dumps(candidate))
"""

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def handling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    folder = tmp_path_factory.mktemp("handling")
    (folder / "images.toml").write_text(MAP)
    (folder / "tool.py").write_text(TOOL)
    (folder / "automl.py").write_text(AUTOML)
    images = Images(folder / "cache", config=folder / "images.toml")
    with LocalAWS(folder / "root", images=images, workers=2, grace_seconds=1) as server:
        yield server


@pytest.fixture(scope="module")
def machine(handling: LocalAWS) -> "SageMakerClient":
    made: SageMakerClient = client(handling, "sagemaker")
    return made


@pytest.fixture(scope="module")
def store(handling: LocalAWS) -> "S3Client":
    made: S3Client = client(handling, "s3")
    made.create_bucket(Bucket=BUCKET)
    return made


def client(server: LocalAWS, service: Any) -> Any:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    return session.client(service, endpoint_url=server.endpoint_url)


@pytest.fixture
def analysed(machine: "SageMakerClient", store: "S3Client", name: str) -> Run:
    """Run a processing job of an image without an entry point; inputs are objects by name."""

    def run(image: str, inputs: dict[str, str], **environment: str) -> dict[str, Any]:
        request = asked(store, name, image, inputs)
        machine.create_processing_job(**request, Environment=environment)
        return final_processing_job(machine, name)

    return run


def asked(store: "S3Client", name: str, image: str, inputs: dict[str, str]) -> dict[str, Any]:
    """The request of a job whose inputs are these objects, by name."""
    for key, content in inputs.items():
        store.put_object(Bucket=BUCKET, Key=f"{name}/{key}", Body=content.encode())
    folders = sorted({key.rpartition("/")[0] for key in inputs})
    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": resources()},
        "AppSpecification": {"ImageUri": f"{REGISTRY}/{image}"},
        "ProcessingInputs": [
            processing_input(folder, f"s3://{BUCKET}/{name}/{folder}/") for folder in folders
        ],
        "ProcessingOutputConfig": {
            "Outputs": [processing_output("out", f"s3://{BUCKET}/{name}/out")]
        },
    }


def report(store: "S3Client", name: str, key: str) -> Any:
    return json.loads(store.get_object(Bucket=BUCKET, Key=f"{name}/out/{key}")["Body"].read())


def test_a_handler_of_the_user_stands_for_the_program_of_an_image(
    analysed: Run, store: "S3Client", name: str
) -> None:
    assert analysed("my-tool:1", {})["ProcessingJobStatus"] == "Completed"
    said = store.get_object(Bucket=BUCKET, Key=f"{name}/out/said")["Body"].read()
    assert said == b"by the handler"


def test_a_data_quality_job_finds_violations_and_completes(
    analysed: Run, store: "S3Client", name: str
) -> None:
    constraints = {"features": [{"name": "n", "inferred_type": "Integral", "completeness": 1.0}]}
    job = analysed(
        "sagemaker-model-monitor-analyzer",
        {"data/rows.csv": "n\n1\nx\n", "baseline/constraints.json": json.dumps(constraints)},
        dataset_source="/opt/ml/processing/data",
        dataset_format='{"csv": {"header": true}}',
        output_path="/opt/ml/processing/out",
        baseline_constraints="/opt/ml/processing/baseline/constraints.json",
    )
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ExitMessage"] == (
        "CompletedWithViolations: Job completed successfully with 1 violations."
    )
    (violation,) = report(store, name, "constraint_violations.json")["violations"]
    assert violation["constraint_check_type"] == "data_type_check"
    assert report(store, name, "statistics.json")["dataset"]["item_count"] == 2


def test_an_analysis_that_is_stopped_leaves_no_endpoint(
    machine: "SageMakerClient", store: "S3Client", name: str
) -> None:
    slow = "def answer(*_): import time; time.sleep(600)"
    make_model(machine, store, BUCKET, server(slow), name=name)
    config = {
        "dataset_type": "text/csv",
        "label": "y",
        "methods": {"post_training_bias": {}},
        "predictor": {"model_name": name, "endpoint_name_prefix": name},
    }
    inputs = {"config/analysis_config.json": json.dumps(config), "data/rows.csv": "x,y\n1,1\n"}
    request = asked(store, name, "sagemaker-clarify-processing", inputs)
    for each in request["ProcessingInputs"]:
        folder = each["InputName"]
        each["S3Input"]["LocalPath"] = f"/opt/ml/processing/input/{folder}"
    machine.create_processing_job(**request)
    until(
        lambda: machine.list_endpoints(NameContains=name, StatusEquals="InService")["Endpoints"],
        bool,
    )
    machine.stop_processing_job(ProcessingJobName=name)
    assert final_processing_job(machine, name)["ProcessingJobStatus"] == "Stopped"
    until(lambda: machine.list_endpoints(NameContains=name)["Endpoints"], lambda left: not left)


def test_an_analysis_that_is_not_there_fails_and_says_what_to_map(analysed: Run) -> None:
    job = analysed(
        "sagemaker-model-monitor-analyzer",
        {"data/rows.csv": "n\n1\n"},
        analysis_type="MODEL_QUALITY",
        dataset_source="/opt/ml/processing/data",
    )
    assert job["ProcessingJobStatus"] == "Failed"
    assert "the analysis MODEL_QUALITY is not there in the local AWS" in job["FailureReason"]
    assert "map a handler of your own for sagemaker-model-monitor-analyzer" in job["FailureReason"]


def auto_ml(machine: "SageMakerClient", store: "S3Client", name: str, rows: str) -> dict[str, Any]:
    store.put_object(Bucket=BUCKET, Key=f"{name}/in/rows.csv", Body=rows.encode())
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
    AUTO_ML.create(
        machine,
        name,
        InputDataConfig=[{"DataSource": {"S3DataSource": source}, "TargetAttributeName": "y"}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{name}"},
    )
    return AUTO_ML.final(machine, name)


def test_an_auto_ml_job_has_the_candidate_that_its_handler_leaves(
    machine: "SageMakerClient", store: "S3Client", name: str
) -> None:
    job = auto_ml(machine, store, name, "MSE\n1\n2\n")
    assert job["AutoMLJobStatus"] == "Completed"
    best = job["BestCandidate"]
    assert best["FinalAutoMLJobObjectiveMetric"] == {"MetricName": "MSE", "Value": 2.0}
    model = f"{name}/{name}/output/model.tar.gz"
    (container,) = best["InferenceContainers"]
    assert container == {"Image": "i", "ModelDataUrl": f"s3://{BUCKET}/{model}"}
    assert store.head_object(Bucket=BUCKET, Key=model)["ContentLength"] > 0
    locations = best["CandidateProperties"]["CandidateArtifactLocations"]
    assert locations == {"Explainability": f"s3://{BUCKET}/{name}/{name}/explainability"}
    assert store.head_object(Bucket=BUCKET, Key=f"{name}/{name}/explainability/analysis.json")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("MSE\n", "ClientError: no rows, exit code: 1"),
        ("Luck\n1\n", "ClientError: /opt/ml/output/candidate.json: Value 'Luck' at"),
    ],
)
def test_an_auto_ml_job_fails_for_the_reason_of_its_handler(
    machine: "SageMakerClient", store: "S3Client", name: str, rows: str, reason: str
) -> None:
    job = auto_ml(machine, store, name, rows)
    assert job["AutoMLJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)


def test_an_auto_ml_job_without_a_handler_says_what_to_map(
    sagemaker: "SageMakerClient", name: str
) -> None:
    AUTO_ML.create(sagemaker, name)
    assert AUTO_ML.final(sagemaker, name)["FailureReason"].startswith(
        "ClientError: Autopilot is not there in the local AWS; map a handler of your own to the "
        "image AutoMLJob in images.toml"
    )


def test_the_reasons_of_handlers_come_from_the_shipped_map_too(tmp_path: Path) -> None:
    shipped = Images(tmp_path, config=None)
    assert shipped.rule(f"{REGISTRY}/sagemaker-clarify-processing:1.0").handler is not None
    assert shipped.rule("AutoMLJob").handler is None
