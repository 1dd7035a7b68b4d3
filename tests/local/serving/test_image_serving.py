"""The servers of AWS's scikit-learn and XGBoost images, in the environments that stand for them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines import local
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images

from ..calls import until
from ..containers import our_images
from ..models import ROLE, final_transform_job, make_model, outputs, transform_request

LOCAL = Path(local.__file__).parent
ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST, SKLEARN = f"{ECR}/sagemaker-xgboost:1.7-1", f"{ECR}/sagemaker-scikit-learn:1.2-1-cpu-py3"

# A model whose answer is known (the label is the first feature, of 0 and 1), in every format.
FIT = """
import pickle, sys, numpy, xgboost
folder = sys.argv[1]
features = numpy.array([[row % 2, row % 3] for row in range(60)], dtype="float32")
matrix = xgboost.DMatrix(features, label=features[:, 0])
booster = xgboost.train({"objective": "reg:squarederror", "base_score": 0.5}, matrix, 30)
estimator = xgboost.XGBClassifier(n_estimators=5).fit(features, features[:, 0])
for name, content in {
    "ubj": booster.save_raw(raw_format="ubj"),
    "json": booster.save_raw(raw_format="json"),
    "pickle": pickle.dumps(booster),
    "estimator": pickle.dumps(estimator),
}.items():
    open(f"{folder}/{name}", "wb").write(content)
"""
# What the server of the image makes of each file, without the server.
SCORE = f"""
import json, pathlib, sys
sys.path.append({str(LOCAL)!r})
from algorithms.model_http import Request
from algorithms.xgboost_serving import answer, booster
request = Request(b"0,1\\n1,2", "text/csv", "")
files = sorted(pathlib.Path(sys.argv[1]).iterdir())
print(json.dumps({{file.name: answer([booster(file)], request).body.decode() for file in files}}))
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return our_images(tmp_path_factory.mktemp("config"))


@pytest.fixture(scope="module")
def clients(
    tmp_path_factory: pytest.TempPathFactory, images: Images
) -> Iterator[Callable[[str], Any]]:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    with LocalAWS(tmp_path_factory.mktemp("images-aws"), images=images, grace_seconds=1) as aws:
        made = {
            service: session.client(service, endpoint_url=aws.endpoint_url)
            for service in ("s3", "sagemaker", "sagemaker-runtime")
        }
        yield lambda service: made[service]


@pytest.fixture
def bucket(clients: Callable[[str], Any]) -> str:
    name = f"test-{uuid4().hex}"
    clients("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def models(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model's file in each format."""
    folder = tmp_path_factory.mktemp("models")
    run(images, FIT, folder)
    return folder


def run(images: Images, code: str, folder: Path) -> str:
    command = [str(images.runtime(XGBOOST).python), "-W", "ignore", "-c", code, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def endpoint(
    clients: Callable[[str], Any], bucket: str
) -> Iterator[Callable[..., Callable[..., str]]]:
    """Put a model behind an endpoint; what invokes it."""
    sagemaker, runtime = clients("sagemaker"), clients("sagemaker-runtime")
    name = f"test-{uuid4().hex[:12]}"

    def made(
        files: dict[str, str | bytes], *, image: str, **environment: str
    ) -> Callable[..., str]:
        make_model(sagemaker, clients("s3"), bucket, files, name=name, image=image, **environment)
        variant = {
            "VariantName": "all",
            "ModelName": name,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        settled = until(
            lambda: sagemaker.describe_endpoint(EndpointName=name),
            lambda seen: seen["EndpointStatus"] != "Creating",
        )
        assert settled["EndpointStatus"] == "InService", settled

        def invoke(body: str, **headers: str) -> str:
            told = runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **headers)
            content: str = told["Body"].read().decode()
            return content

        return invoke

    yield made
    sagemaker.delete_endpoint(EndpointName=name)


def said(refused: "pytest.ExceptionInfo[ClientError]") -> dict[str, Any]:
    return {**refused.value.response}


def rounded(text: str) -> list[int]:
    return [round(float(value)) for value in text.split(",")]


def test_xgboost_serves_a_model_in_any_format(images: Images, models: Path) -> None:
    scores = json.loads(run(images, SCORE, models))
    assert sorted(scores) == ["estimator", "json", "pickle", "ubj"]
    assert [rounded(told) for told in scores.values()] == [[0, 1]] * 4


def test_xgboost_reads_and_writes_what_its_image_does(
    models: Path, endpoint: Callable[..., Any]
) -> None:
    invoke = endpoint({"xgboost-model": (models / "ubj").read_bytes()}, image=XGBOOST)
    assert rounded(invoke("1 0:1 1:2\n0:0 1:1", ContentType="text/libsvm")) == [1, 0]
    assert rounded(invoke("1,2\n0,1\n", ContentType="")) == [1, 0]
    assert rounded(invoke("1 0:1 1:2\n0:0 1:1", ContentType="")) == [1, 0]
    told = json.loads(invoke("1,2", ContentType="text/csv", Accept="application/json"))
    assert [round(each["score"]) for each in told["predictions"]] == [1]
    for body, headers, problem in (
        ("1,2,3", {"ContentType": "text/csv"}, "Feature size of text/csv inference data 3 is not"),
        ("a,b", {"ContentType": "text/csv"}, "Loading text/csv data failed"),
        ("1", {"ContentType": "image/png"}, "'image/png' is not supported"),
        ("1,2", {"ContentType": "text/csv", "Accept": "image/png"}, "Accept type image/png"),
    ):
        with pytest.raises(ClientError) as refused:
            invoke(body, **headers)
        assert problem in said(refused)["OriginalMessage"]


def test_a_script_of_the_xgboost_image_is_given_a_matrix(
    models: Path, endpoint: Callable[..., Any]
) -> None:
    script = (
        "import xgboost\n"
        "def model_fn(folder): return xgboost.Booster(model_file=f'{folder}/xgboost-model')\n"
    )
    files = {"xgboost-model": (models / "ubj").read_bytes(), "code/inference.py": script}
    invoke = endpoint(files, image=XGBOOST, SAGEMAKER_PROGRAM="inference.py")
    told = invoke("0,1\n1,2\n", ContentType="text/csv", Accept="text/csv")
    assert [round(float(line)) for line in told.splitlines()] == [0, 1]
    told = invoke("-99 0:1 1:2\n", ContentType="text/libsvm", Accept="text/csv")
    assert round(float(told)) == 1


def test_a_script_of_the_scikit_learn_image_has_its_defaults(
    endpoint: Callable[..., Any],
) -> None:
    script = """
import numpy
from sklearn.linear_model import LinearRegression

def model_fn(folder):
    return LinearRegression().fit(numpy.array([[0.0], [1.0]]), [0.0, 2.0])
"""
    invoke = endpoint(
        {"code/inference.py": script}, image=SKLEARN, SAGEMAKER_PROGRAM="inference.py"
    )
    assert [
        round(each) for each in json.loads(invoke("[[1], [2]]", ContentType="application/json"))
    ] == [2, 4]
    told = invoke("[[1], [2]]", ContentType="application/json", Accept="text/csv")
    assert [round(float(line)) for line in told.splitlines()] == [2, 4]
    with pytest.raises(ClientError) as refused:
        invoke("x", ContentType="image/png")
    assert said(refused)["OriginalStatusCode"] == 415


def test_the_program_of_an_unknown_image_is_told_how_to_map(
    clients: Callable[[str], Any], bucket: str
) -> None:
    sagemaker, name, image = clients("sagemaker"), f"test-{uuid4().hex[:12]}", "our/forest:1"
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    clients("s3").put_object(Bucket=bucket, Key="in/new.csv", Body="1\n")
    make_model(sagemaker, clients("s3"), bucket, {"weights": "1"}, name=name, image=image)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    trained = until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["TrainingJobStatus"] != "InProgress",
    )
    for job, command in (trained, "train"), (final_transform_job(sagemaker, name), "serve"):
        reason = job["FailureReason"]
        assert reason.startswith(f"ClientError: our/forest:1: its program `{command}` is in the")
        assert "[[image]] with match = 'forest'" in reason


def test_a_trained_xgboost_model_scores_each_line_of_a_transform_job(
    clients: Callable[[str], Any], bucket: str
) -> None:
    s3, sagemaker = clients("s3"), clients("sagemaker")
    rows = "".join(f"{row % 2},{row % 2},{row % 3}\n" for row in range(60))
    s3.put_object(Bucket=bucket, Key="train/rows.csv", Body=rows)
    s3.put_object(Bucket=bucket, Key="in/new.csv", Body="id-1,0,1\nid-2,1,2\n")
    name = f"test-{uuid4().hex[:12]}"
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/train/"}}
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        HyperParameters={"num_round": "10", "objective": "binary:logistic"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": source}],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    trained = until(
        lambda: sagemaker.describe_training_job(TrainingJobName=name),
        lambda job: job["TrainingJobStatus"] != "InProgress",
    )
    artifacts = trained["ModelArtifacts"]["S3ModelArtifacts"]
    primary = {"Image": XGBOOST, "ModelDataUrl": artifacts}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=primary)
    request = transform_request(name, name, bucket)
    request["DataProcessing"] = {
        "InputFilter": "$[1:]",
        "JoinSource": "Input",
        "OutputFilter": "$[0,-1]",
    }
    sagemaker.create_transform_job(**request)
    job = final_transform_job(sagemaker, name)
    assert job["TransformJobStatus"] == "Completed", job
    lines = [line.split(",") for line in outputs(s3, bucket)["new.csv.out"].splitlines()]
    assert [(label, round(float(score))) for label, score in lines] == [("id-1", 0), ("id-2", 1)]
