"""The model that an analysis asks: an endpoint of the local AWS, whose models are programs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.handlers.clarify.endpoint import Service, service
from airflow_sm_pipelines.local.handlers.clarify.predictions import added, needed
from airflow_sm_pipelines.local.handlers.container import ClientError, Table
from tests.local.models import make_model, server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

TABLE = Table({"age": ["20", "70", "30"], "town": ["a, b", "c", None], "good": ["1", "0", "1"]})
CONFIG: dict[str, Any] = {
    "dataset_type": "text/csv",
    "label": "good",
    "methods": {"post_training_bias": {"methods": "all"}},
}

Ask = Callable[..., Any]


@pytest.fixture
def local(aws: LocalAWS) -> Service:
    return Service(aws.endpoint_url, "us-east-1")


@pytest.fixture
def ask(
    local: Service, sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> Ask:
    """The predictions of a model, a program in which `code` says what it answers to a line."""

    def asked(code: str, config: Any = CONFIG, table: Table = TABLE, **predictor: Any) -> Any:
        make_model(sagemaker, s3, bucket, server(code), name=name)
        given = {**config, "predictor": {"model_name": name, **predictor}}
        changed, found = added(given, table, local)
        return found.columns[changed["predicted_label"]]

    return asked


def endpoints(sagemaker: "SageMakerClient") -> list[str]:
    listed = sagemaker.list_endpoints(NameContains="sagemaker-clarify")["Endpoints"]
    return [each["EndpointName"] for each in listed]


def test_a_model_is_given_the_features_and_says_the_score(
    ask: Ask, sagemaker: "SageMakerClient"
) -> None:
    # The label is no feature; what has a comma is in quotation marks, what is missing is empty.
    code = """
import csv
def line(text):
    age, town = next(csv.reader([text]))
    return str(len(town) + (0.5 if age == "70" else 0))
"""
    assert list(ask(code)) == ["4", "1.5", "0"]
    assert endpoints(sagemaker) == []
    configs = sagemaker.list_endpoint_configs(NameContains="sagemaker-clarify")
    assert configs["EndpointConfigs"] == []


@pytest.mark.parametrize(
    ("answer", "predictor", "predicted"),
    [
        ("yes,0.9", {"label": 0}, "yes"),
        ("0.1,0.7,0.2", {"label_headers": ["cat", "dog", "fish"]}, "dog"),
        (
            'x,"[0.1, 0.2, 0.7]"',
            {"probability": 1, "label_headers": ["cat", "dog", "fish"]},
            "fish",
        ),
        ("x,0.25", {"probability": 1}, "0.25"),
        ("0.75", {"label_headers": ["yes"]}, "0.75"),
    ],
)
def test_what_is_the_prediction_in_an_answer_is_configured(
    ask: Ask, answer: str, predictor: dict[str, Any], predicted: str
) -> None:
    assert set(ask(f"def line(text): return {answer!r}", **predictor)) == {predicted}


def test_columns_that_are_excluded_are_no_features(ask: Ask) -> None:
    config = {**CONFIG, "excluded_columns": [0], "joinsource_name_or_index": "town"}
    columns = {**TABLE.columns, "last": ["x", "y", "z"]}
    assert list(ask("def line(text): return text", config, Table(columns), label=0)) == [*"xyz"]


def test_answers_may_be_all_in_one_line(ask: Ask) -> None:
    code = "def answer(body, headers): return b'0.1,0.2,0.3'"
    assert list(ask(code)) == ["0.1", "0.2", "0.3"]


def test_a_large_dataset_is_sent_in_parts(ask: Ask) -> None:
    table = Table({"n": [str(number) for number in range(1201)], "good": ["1"] * 1201})
    code = "def answer(body, headers): assert body.count(b'\\n') <= 500; return body"
    assert list(ask(code, table=table)) == list(table.columns["n"])


@pytest.mark.parametrize(
    ("code", "predictor", "problem"),
    [
        ("def line(text): return '1,2'", {}, "predictor: which of ['1', '2'] is the prediction?"),
        ("def line(text): return 'yes'", {}, "predictor: ['yes'] are no scores; label would be"),
        ("def line(text): return '1'", {"label": 3}, "predictor.label: 3 is no index into the"),
        ("def line(text): return '1'", {"label": "a.b"}, "predictor.label: 'a.b' is no index"),
        ("def answer(*_): return b'1\\n2'", {}, "the model answers 2 records for 3"),
        ("def answer(*_): return 500, b'no'", {}, "InvokeEndpoint sagemaker-clarify-"),
        ("raise SystemExit('broken')", {}, "the model cannot be asked: "),
        ("", {"model_name": "nobody"}, "CreateEndpointConfig: Could not find model"),
        ("", {"accept_type": "application/jsonlines"}, "a model that takes 'text/csv' and answers"),
    ],
)
def test_a_model_that_cannot_be_asked_is_told_and_leaves_no_endpoint(
    ask: Ask,
    sagemaker: "SageMakerClient",
    code: str,
    predictor: dict[str, Any],
    problem: str,
) -> None:
    with pytest.raises(ClientError) as told:
        ask(code, **predictor)
    assert str(told.value).startswith(problem)
    assert endpoints(sagemaker) == []


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"predictor": {"model_name": "m"}}, True),
        ({"predictor": {"endpoint_name": "e"}}, True),
        ({"predictor": {"model_name": "m"}, "predicted_label": 0}, False),
        ({"predictor": {"model_name": "m"}, "methods": {"pre_training_bias": {}}}, False),
        ({"predictor": {"instance_type": "ml.m5.large"}}, False),
        ({}, False),
    ],
)
def test_a_model_is_asked_only_where_the_dataset_has_no_predictions(
    changes: dict[str, Any], asked: bool
) -> None:
    assert needed({**CONFIG, **changes}) is asked


def test_a_job_that_does_not_know_the_local_aws_says_so() -> None:
    with pytest.raises(ClientError, match="AWS_ENDPOINT_URL is not set"):
        service({})
    nobody = service({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"})
    with pytest.raises(ClientError, match=r"http://127.0.0.1:9 does not answer"):
        nobody.call("ListEndpoints")
