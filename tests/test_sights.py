"""What people see of a step's job."""

import json
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG

from airflow_sm_pipelines import build_dag, load, sights
from airflow_sm_pipelines.local import LocalAWS
from tests.answering import answers, connection
from tests.fakes import FakeStore, context

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
SECRET = "hunter2-which-is-nobodys-business"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/image:1"


def model(**arguments: Any) -> dict[str, Any]:
    container = {"Image": "python:3", "Environment": {"TOKEN": SECRET}}
    return {"Name": "S", "Type": "Model", "Arguments": {"PrimaryContainer": container, **arguments}}


def dag_of(step: dict[str, Any], **keys: Any) -> DAG:
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    return build_dag(load(text, name=f"p-{uuid4().hex[:8]}"), role_arn=ROLE, **keys)


def executed(dag: DAG) -> Any:
    """The task instance of the step S after it has been executed, and what it handed on."""
    task: Any = dag.task_dict["S"]
    running = context(dag=dag, store=FakeStore(), task_id="S", dag_id=dag.dag_id)
    return running["ti"], task.execute(running)


def test_the_request_of_a_job_is_an_xcom_without_secrets(aws_environment: LocalAWS) -> None:
    ti, handed_on = executed(dag_of(model()))
    shown = ti.xcoms["S", sights.REQUEST]
    assert shown["ModelName"] == handed_on["ModelName"]
    assert shown["ExecutionRoleArn"] == ROLE
    assert shown["PrimaryContainer"] == {"Image": "python:3", "Environment": {"TOKEN": "***"}}
    assert {tag["Key"] for tag in shown["Tags"]} == {
        "sm-pipelines:pipeline",
        "sm-pipelines:step",
        "sm-pipelines:dag",
        "sm-pipelines:run",
    }


def test_what_a_step_hands_on_keeps_its_values_since_steps_read_them(
    aws_environment: LocalAWS,
) -> None:
    _, handed_on = executed(dag_of(model()))
    assert handed_on["PrimaryContainer"]["Environment"] == {"TOKEN": SECRET}


def test_the_log_has_the_request_without_secrets_before_the_job_is_created(
    aws_environment: LocalAWS, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        executed(dag_of(model()))
    ours = [each.getMessage() for each in caplog.records if "airflow_sm_pipelines" in each.name]
    told, created = ours
    head, _, text = told.partition("\n")
    assert head == "the request of the Model:"
    assert json.loads(text)["PrimaryContainer"]["Environment"] == {"TOKEN": "***"}
    assert created.endswith(" created")
    assert SECRET not in caplog.text


def test_the_links_are_there_as_soon_as_the_job_is(aws_environment: LocalAWS) -> None:
    ti, handed_on = executed(dag_of(model()))
    page = f"{aws_environment.endpoint_url}/_local/resources/Model/{handed_on['ModelName']}"
    assert ti.xcoms["S", "_link_ConsoleLink"] == page
    assert ("S", "_link_LogLink") not in ti.xcoms


@pytest.mark.parametrize("letter", ["x", "é", '"'])
def test_a_large_request_is_shown_shortened(letter: str) -> None:
    shown = sights.shown({"A": letter * 100_000, "Environment": {"TOKEN": SECRET}})
    assert set(shown) == {sights.SHORTENED}
    assert len(str(shown[sights.SHORTENED])) == sights.LONGEST_REQUEST
    assert str(shown[sights.SHORTENED]).startswith('{"A": "')


def test_a_secret_is_not_shown_where_a_large_request_is_cut() -> None:
    shown = sights.shown({"Environment": {"TOKEN": SECRET}, "A": "x" * 100_000})
    assert SECRET not in json.dumps(shown)


def misplaced(monkeypatch: pytest.MonkeyPatch, host: str, *, bucket: str) -> list[str]:
    """The warnings of a step whose image and data are elsewhere, against an AWS at a host."""
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    with answers(monkeypatch, 403, __type="AccessDeniedException", message="no") as answering:
        answering.headers = {"x-amz-bucket-region": "ap-south-1"}
        url = answering.url.replace("127.0.0.1", host)
        path_style = {"s3": {"addressing_style": "path"}}
        monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", connection(url, config_kwargs=path_style))
        with pytest.raises(Exception, match="access denied"):
            executed(dag_of(model(PrimaryContainer=container), aws_conn_id="elsewhere"))
        return answering.heads


def test_what_is_in_another_region_is_told_before_the_job_is_created(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # 127.1 is this host as well, but not by a name that the local AWS has.
    assert misplaced(monkeypatch, "127.1", bucket="in-asia") == ["/in-asia"]
    ours = [each for each in caplog.records if each.name == sights.__name__]
    assert [each.getMessage() for each in ours if each.levelname == "WARNING"] == [
        f"image {IMAGE} is in eu-west-1, the job is in us-east-1",
        "bucket in-asia is in ap-south-1, the job is in us-east-1",
    ]


def test_the_local_aws_has_one_region_and_nothing_is_misplaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert misplaced(monkeypatch, "127.0.0.1", bucket="in-asia-too") == []
    assert "the job is in" not in caplog.text
