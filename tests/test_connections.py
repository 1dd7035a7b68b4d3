"""Connections of pipelines and of single steps: other roles, other accounts, other endpoints."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow.sdk import DAG

from airflow_sm_pipelines import aws, build_dag, load
from airflow_sm_pipelines.errors import ArgumentError
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.poller import poller
from tests.answering import answers, connection
from tests.fakes import FakeStore, context

OTHER_ROLE = "arn:aws:iam::210987654321:role/Other"
ROLE = "arn:aws:iam::123456789012:role/r"


def model(name: str) -> dict[str, Any]:
    container = {"Image": "python:3", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    return {"Name": name, "Type": "Model", "Arguments": {"PrimaryContainer": container}}


def condition(*steps: dict[str, Any]) -> dict[str, Any]:
    arguments = {"Conditions": [], "IfSteps": list(steps), "ElseSteps": []}
    return {"Name": "C", "Type": "Condition", "Arguments": arguments}


def dag_of(*steps: dict[str, Any], **keys: Any) -> DAG:
    text = json.dumps({"Version": "2020-12-01", "Steps": steps})
    return build_dag(load(text, name="p"), role_arn=ROLE, **keys)


def conn_ids(dag: DAG) -> dict[str, str | None]:
    tasks: dict[str, Any] = dag.task_dict
    return {name: task.connection.conn_id for name, task in tasks.items() if hasattr(task, "step")}


def test_a_step_has_the_connection_that_is_given_for_it() -> None:
    dag: Any = dag_of(
        model("A"),
        condition(model("B")),
        aws_conn_id="usual",
        region_name="eu-west-1",
        step_connections={"B": "special"},
    )
    assert conn_ids(dag) == {"A": "usual", "B": "special", "C": "usual"}
    assert dag.task_dict["B"].connection.region_name == "eu-west-1"


def test_a_step_that_is_not_there_is_refused() -> None:
    with pytest.raises(ArgumentError) as raised:
        dag_of(model("Train"), step_connections={"Trian": "a", "X": "b"})
    assert str(raised.value).splitlines() == [
        "step_connections['Trian']: no step has this name; did you mean 'Train'?; "
        "the steps are: Train",
        "step_connections['X']: no step has this name; the steps are: Train",
    ]


# Roles: the local STS gives credentials of the role's account. An assumed role goes past the
# connection's endpoint_url to STS's own, unless service_config says where STS is.


@pytest.fixture
def assuming(aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch) -> str:
    """A connection that assumes a role of another account."""
    url = aws_environment.endpoint_url
    extra = {"role_arn": OTHER_ROLE, "service_config": {"sts": {"endpoint_url": url}}}
    monkeypatch.setenv("AIRFLOW_CONN_ASSUMING", connection(url, **extra))
    return "assuming"


def test_a_connection_can_assume_a_role_of_another_account(assuming: str) -> None:
    identity = aws.call(aws.Connection(assuming).client("sts"), "GetCallerIdentity", {})
    assert identity["Account"] == "210987654321"
    assert ":assumed-role/Other/" in identity["Arn"]
    own = aws.call(aws.Connection("aws_default").client("sts"), "GetCallerIdentity", {})
    assert own["Account"] == "123456789012"


def test_calls_of_a_step_are_made_with_the_role_of_its_connection(assuming: str) -> None:
    dag: Any = dag_of(model("A"), model("B"), step_connections={"B": assuming})
    keys = {
        name: dag.task_dict[name]
        .connection.client("sagemaker")
        ._request_signer._credentials.get_frozen_credentials()
        for name in ("A", "B")
    }
    assert keys["A"].access_key == "local"
    assert keys["A"].token is None
    assert keys["B"].access_key.startswith("ASIA")
    assert keys["B"].token


def test_steps_of_several_accounts_run_in_one_dag(assuming: str) -> None:
    dag: Any = dag_of(model("A"), model("B"), step_connections={"B": assuming})
    made = {}
    for name in ("A", "B"):
        running = context(dag=dag, store=FakeStore(), task_id=name, dag_id=dag.dag_id)
        made[name] = dag.task_dict[name].execute(running)["ModelName"]
    assert len(set(made.values())) == 2


def test_connections_are_waited_for_apart(assuming: str) -> None:
    connections = [aws.Connection("aws_default"), aws.Connection(assuming)]
    pollers = {id(poller(each, each.client("sagemaker"), poll_seconds=1.0)) for each in connections}
    assert len(pollers) == 2


# Endpoints


def test_every_service_can_have_the_endpoint_of_a_vpc(monkeypatch: pytest.MonkeyPatch) -> None:
    services = ("sagemaker", "s3", "logs", "sts")
    urls = {name: f"https://vpce-1.{name}.eu-west-1.vpce.amazonaws.com" for name in services}
    config = {name: {"endpoint_url": url} for name, url in urls.items()}
    extra = {"region_name": "eu-west-1", "service_config": config}
    given = {"conn_type": "aws", "login": "key", "password": "word", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_PRIVATE", json.dumps(given))
    made = {name: aws.Connection("private").client(name).meta.endpoint_url for name in services}
    assert made == urls


def test_the_endpoint_of_a_service_goes_before_that_of_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with answers(monkeypatch, 200) as answering:
        config = {"sagemaker": {"endpoint_url": answering.url}}
        extra = connection("https://everything.example.com", service_config=config)
        monkeypatch.setenv("AIRFLOW_CONN_MIXED", extra)
        client = aws.Connection("mixed").client("sagemaker")
        aws.call(client, "DescribeModel", {"ModelName": "m"})
        assert answering.asked == [{"ModelName": "m"}]
        s3 = aws.Connection("mixed").client("s3")
        assert urlsplit(s3.meta.endpoint_url).hostname == "everything.example.com"
