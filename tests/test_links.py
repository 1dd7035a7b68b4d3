"""Links from a task to its job, by kind, partition and region."""

import json
from typing import Any

import boto3
import pytest
from airflow.providers.common.compat.sdk import XCom

from airflow_sm_pipelines import aws, build_dag, links, load
from airflow_sm_pipelines.definition.steps import STEP_TYPES
from airflow_sm_pipelines.links import LINKS, PLACES, ConsoleLink, LogLink, OutputLink
from airflow_sm_pipelines.provider import EXTRA_LINKS, get_provider_info
from tests.fakes import FakeTaskInstance
from tests.serializing import DagSerialization

JOBS = {row.job.noun: row.job for row in STEP_TYPES.values() if row.job}
OUTPUT = {"S3OutputPath": "s3://bucket/some folder/"}
REQUESTS: dict[str, dict[str, Any]] = {
    "ProcessingJob": {
        "ProcessingOutputConfig": {
            "Outputs": [
                {"FeatureStoreOutput": {"FeatureGroupName": "g"}},
                {"S3Output": {"S3Uri": "s3://bucket/first"}},
                {"S3Output": {"S3Uri": "s3://bucket/second"}},
            ]
        }
    },
    "TrainingJob": {"OutputDataConfig": OUTPUT},
    "TransformJob": {"TransformOutput": OUTPUT},
    "HyperParameterTuningJob": {"TrainingJobDefinitions": [{"OutputDataConfig": OUTPUT}]},
    "AutoMLJob": {"OutputDataConfig": OUTPUT},
    "InferenceComponent": {"EndpointName": "the-endpoint"},
}
HOME = "https://eu-west-1.console.aws.amazon.com"
SAGEMAKER = f"{HOME}/sagemaker/home?region=eu-west-1#"
LOGS = f"{HOME}/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"
BUCKET = f"{HOME}/s3/buckets/bucket?region=eu-west-1"
CHECK_TYPES = {
    "ClarifyCheck": {"CheckType": "DATA_BIAS"},
    "QualityCheck": {"CheckType": "DATA_QUALITY"},
}


def client(region: str = "eu-west-1", endpoint_url: str | None = None) -> Any:
    return boto3.client(
        "sagemaker",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )


def urls(noun: str, made: Any = None, name: str = "the-job", **told_apart: str) -> links.Urls:
    resource = aws.Resource(JOBS[noun], name, told_apart=told_apart)
    return links.urls(made or client(), resource, REQUESTS.get(noun, {}))


def test_every_kind_of_resource_has_a_row() -> None:
    assert set(PLACES) == set(JOBS)


@pytest.mark.parametrize("noun", PLACES)
def test_the_log_is_where_the_tail_of_a_failed_jobs_log_is_read(noun: str) -> None:
    if JOBS[noun].log_group:
        assert PLACES[noun].log_group == JOBS[noun].log_group
        assert PLACES[noun].log_prefix == "{name}/"


@pytest.mark.parametrize(
    ("noun", "page"),
    [
        ("ProcessingJob", "/processing-jobs/the-job"),
        ("TrainingJob", "/jobs/the-job"),
        ("TransformJob", "/transform-jobs/the-job"),
        ("HyperParameterTuningJob", "/hyper-tuning-jobs/the-job"),
        ("AutoMLJob", "/auto-ml/the-job"),
        ("Model", "/models/the-job"),
        ("EndpointConfig", "/endpointConfig/the-job"),
        ("Endpoint", "/endpoints/the-job"),
        ("InferenceComponent", "/endpoints/the-endpoint"),
    ],
)
def test_a_resource_has_its_page_in_the_console(noun: str, page: str) -> None:
    assert urls(noun)[ConsoleLink.name] == f"{SAGEMAKER}{page}"


@pytest.mark.parametrize("noun", ["ModelPackage", "Job"])
def test_what_studio_alone_shows_has_no_page(noun: str) -> None:
    assert urls(noun) == {}


@pytest.mark.parametrize(
    ("noun", "place"),
    [
        ("ProcessingJob", "ProcessingJobs$3FlogStreamNameFilter$3Dthe-job$252F"),
        ("TrainingJob", "TrainingJobs$3FlogStreamNameFilter$3Dthe-job$252F"),
        ("TransformJob", "TransformJobs$3FlogStreamNameFilter$3Dthe-job$252F"),
        ("HyperParameterTuningJob", "TrainingJobs$3FlogStreamNameFilter$3Dthe-job-"),
        ("Endpoint", "Endpoints$252Fthe-job"),
        ("InferenceComponent", "InferenceComponents$252Fthe-job"),
    ],
)
def test_a_job_has_its_log_streams(noun: str, place: str) -> None:
    assert urls(noun)[LogLink.name] == f"{LOGS}$252Faws$252Fsagemaker$252F{place}"


@pytest.mark.parametrize(
    ("noun", "prefix"),
    [
        ("ProcessingJob", "first/"),
        ("TrainingJob", "some%20folder/the-job/"),
        ("TransformJob", "some%20folder/"),
        ("HyperParameterTuningJob", "some%20folder/"),
        ("AutoMLJob", "some%20folder/the-job/"),
    ],
)
def test_a_job_has_its_output(noun: str, prefix: str) -> None:
    assert urls(noun)[OutputLink.name] == f"{BUCKET}&prefix={prefix}"


def test_an_output_that_is_a_whole_bucket_has_no_prefix() -> None:
    job = aws.Resource(JOBS["TransformJob"], "the-job")
    found = links.urls(client(), job, {"TransformOutput": {"S3OutputPath": "s3://bucket"}})
    assert found[OutputLink.name] == BUCKET


def test_a_job_without_outputs_has_no_link_to_them() -> None:
    found = links.urls(client(), aws.Resource(JOBS["ProcessingJob"], "the-job"), {})
    assert set(found) == {ConsoleLink.name, LogLink.name}


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("us-east-1", "us-east-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_is_that_of_the_partition(region: str, console: str) -> None:
    found = urls("TrainingJob", client(region))
    assert len(found) == len(LINKS)
    assert {url.split("/")[2] for url in found.values()} == {console}


@pytest.mark.parametrize(
    ("region", "endpoint_url"),
    [
        ("us-iso-east-1", None),
        ("us-isob-east-1", None),
        ("us-east-1", "https://aws.example.com"),
    ],
)
def test_where_the_console_is_not_known_there_are_no_links(
    region: str, endpoint_url: str | None
) -> None:
    assert urls("TrainingJob", client(region, endpoint_url)) == {}


def test_the_endpoint_of_a_vpc_has_the_same_console() -> None:
    endpoint = "https://vpce-0-1.api.sagemaker.eu-west-1.vpce.amazonaws.com"
    assert urls("TrainingJob", client(endpoint_url=endpoint)) == urls("TrainingJob")


def test_the_local_aws_has_pages_of_its_own() -> None:
    root = "http://127.0.0.1:4566"
    assert urls("TrainingJob", client(endpoint_url=root)) == {
        ConsoleLink.name: f"{root}/_local/resources/TrainingJob/the-job",
        LogLink.name: f"{root}/_local/logs/TrainingJob/the-job",
        OutputLink.name: f"{root}/_local/s3/bucket/some%20folder/the-job/",
    }
    job = urls("Job", client(endpoint_url=root), JobCategory="AgentRFT")
    asked = "the-job?JobCategory=AgentRFT"
    assert job == {ConsoleLink.name: f"{root}/_local/resources/Job/{asked}"}
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/g/1"
    package = urls("ModelPackage", client(endpoint_url=root), name=arn)
    assert package[ConsoleLink.name].endswith("model-package%2Fg%2F1")


def test_urls_are_stored_where_the_ui_reads_them() -> None:
    ti = FakeTaskInstance()
    links.persist(ti, {ConsoleLink.name: "https://one", OutputLink.name: "https://two"})
    assert ti.xcoms == {
        ("step", "_link_ConsoleLink"): "https://one",
        ("step", "_link_OutputLink"): "https://two",
    }


def test_a_task_that_has_stored_nothing_has_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(XCom, "get_value", lambda **_: None)
    dag = dag_of("Model")
    for link in LINKS:
        assert link.get_link(dag.task_dict["S"], ti_key=FakeTaskInstance()) == ""


def test_airflow_is_told_of_every_link() -> None:
    assert get_provider_info()["extra-links"] == EXTRA_LINKS
    assert [f"{type(link).__module__}.{type(link).__qualname__}" for link in LINKS] == EXTRA_LINKS


def dag_of(step_type: str) -> Any:
    keys = CHECK_TYPES.get(step_type, {})
    step = {"Name": "S", "Type": step_type, "Arguments": {}, **keys}
    return build_dag(load(json.dumps({"Version": "2020-12-01", "Steps": [step]}), name="p"))


@pytest.mark.parametrize("step_type", [name for name, row in STEP_TYPES.items() if row.job])
def test_the_serialised_dag_has_the_links_of_every_job(
    step_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the scheduler reads has none, and says so for its whole process, as a test before this.
    monkeypatch.setattr(DagSerialization, "_load_operator_extra_links", True)
    serialised = DagSerialization.to_dict(dag_of(step_type))
    read = DagSerialization.from_dict(serialised)
    found = {link.name: link.xcom_key for link in read.task_dict["S"].operator_extra_links}
    assert found == {link.name: link.xcom_key for link in LINKS}
