"""The model of a ClarifyCheck step, in the copy of an analysis configuration, in a real S3."""

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.analysis_configs import with_model
from airflow_sm_pipelines.errors import DefinitionError
from airflow_sm_pipelines.scope import RunScope
from tests.fakes import context
from tests.fidelity.cases import PROCESSING, pipeline_of, step

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


CONFIG = {"label": "good", "predictor": {"instance_type": "ml.m5.large"}}
INPUTS = "$.Steps[0].Arguments.ProcessingInputs"


@pytest.fixture
def bucket(s3: "S3Client") -> str:
    name = f"configs-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


def put(s3: "S3Client", bucket: str, content: Any = CONFIG, **request: Any) -> str:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    s3.put_object(Bucket=bucket, Key="cfg/analysis_config.json", Body=body, **request)
    return f"s3://{bucket}/cfg/analysis_config.json"


def given(name: str, uri: Any) -> dict[str, Any]:
    local_path = f"/opt/ml/processing/input/{name}"
    return {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": local_path}}


def inputs(s3: "S3Client", model: str, *listed: dict[str, Any]) -> Any:
    """The inputs of a job that asks the model, of a step with these."""
    arguments = {**PROCESSING, "ProcessingInputs": list(listed)}
    pipeline = pipeline_of(step("ClarifyCheck", Arguments=arguments))
    scope = RunScope(pipeline=pipeline, context=context(), connection=aws.Connection(None))
    return with_model(pipeline.steps[0], scope, s3, model).arguments["ProcessingInputs"]


def read(s3: "S3Client", uri: str) -> Any:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_the_model_is_in_a_copy_of_the_configuration(s3: "S3Client", bucket: str) -> None:
    source = put(s3, bucket)
    dataset = given("dataset", "s3://bucket/data.csv")
    first, config = inputs(s3, "churn", dataset, given("analysis_config", source))
    assert first == dataset
    copy = config["S3Input"]["S3Uri"]
    assert copy.startswith(f"s3://{bucket}/cfg/with-model-")
    assert copy.endswith("/analysis_config.json")
    assert config == given("analysis_config", copy)
    assert read(s3, copy) == {
        "label": "good",
        "predictor": {"instance_type": "ml.m5.large", "model_name": "churn"},
    }
    assert read(s3, source) == CONFIG


def test_the_models_of_two_runs_are_in_two_copies_and_of_two_tries_in_one(
    s3: "S3Client", bucket: str
) -> None:
    source = given("analysis_config", put(s3, bucket))
    copies = [inputs(s3, model, source)[0]["S3Input"]["S3Uri"] for model in ("a", "b", "a")]
    assert copies[0] == copies[2] != copies[1]


def test_the_step_comes_before_what_the_file_says_of_the_model(s3: "S3Client", bucket: str) -> None:
    source = put(s3, bucket, {"predictor": {"model_name": "old"}})
    (config,) = inputs(s3, "new", given("analysis_config", source))
    assert read(s3, config["S3Input"]["S3Uri"]) == {"predictor": {"model_name": "new"}}


def test_the_place_of_the_configuration_may_be_an_expression(s3: "S3Client", bucket: str) -> None:
    source = put(s3, bucket)
    joined = {"Std:Join": {"On": "", "Values": [source]}}
    (config,) = inputs(s3, "churn", given("analysis_config", joined))
    assert read(s3, config["S3Input"]["S3Uri"])["predictor"]["model_name"] == "churn"


def test_a_copy_is_encrypted_as_the_file_is(s3: "S3Client", bucket: str) -> None:
    key = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"}
    (config,) = inputs(s3, "churn", given("analysis_config", put(s3, bucket, **key)))
    copy = config["S3Input"]["S3Uri"].partition(f"{bucket}/")[2]
    told: Any = s3.head_object(Bucket=bucket, Key=copy)
    assert {name: told.get(name) for name in key} == key


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", f"{INPUTS}[0].S3Input.S3Uri: no JSON there: "),
        ([], f"{INPUTS}[0].S3Input.S3Uri: no analysis configuration; a JSON object is one"),
    ],
)
def test_a_file_that_is_no_configuration_is_told(
    s3: "S3Client", bucket: str, content: Any, problem: str
) -> None:
    with pytest.raises(DefinitionError) as told:
        inputs(s3, "churn", given("analysis_config", put(s3, bucket, content)))
    assert str(told.value).startswith(problem)


def test_a_configuration_that_is_not_there_is_told(s3: "S3Client", bucket: str) -> None:
    with pytest.raises(DefinitionError, match=rf"no object s3://{bucket}/cfg; it would be the"):
        inputs(s3, "churn", given("analysis_config", f"s3://{bucket}/cfg"))


def test_a_job_without_a_configuration_is_told(s3: "S3Client") -> None:
    with pytest.raises(DefinitionError, match="no input 'analysis_config'; the step has a Model"):
        inputs(s3, "churn", given("dataset", "s3://bucket/data.csv"))
