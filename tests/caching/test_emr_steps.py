"""Steps of EMR clusters in the cache, which is the list of the cluster's own steps."""

import re
from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from botocore.stub import Stubber

from airflow_sm_pipelines import cache, catalogues, emr, settings
from airflow_sm_pipelines.definition.resources import EMR_STEP
from airflow_sm_pipelines.hits import HIT
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.naming import execution_id
from tests.caching.examples import EMR
from tests.caching.runs import CachedRun, KeptClients, told_by
from tests.caching.steps import command
from tests.caching.test_candidates import wanted
from tests.fakes import STARTED

JAR = command("true")["HadoopJarStep"]
LOGS = "S3MonitoringConfiguration"


@pytest.fixture
def client(aws_environment: LocalAWS) -> Any:
    return KeptClients().client("emr")


@pytest.fixture
def start(aws_environment: LocalAWS, clusters: dict[str, str]) -> Any:
    """A run of one pipeline with a cached step of a cluster."""
    pipeline = uuid4().hex

    def started(run_id: str, config: Any = None, **keys: Any) -> CachedRun:
        place = {"ClusterId": clusters["j-1"]}
        arguments = {"StepConfig": config or command("true"), **keys.pop("place", place)}
        step = {"Type": "EMR", "Arguments": arguments}
        return CachedRun(step, pipeline=pipeline, run_id=run_id, **keys)

    return started


# Hits


def test_a_hit_hands_on_what_emr_says_and_adds_no_step(
    start: Any, client: Any, clusters: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    first = start("first").go()
    before = client.list_steps(ClusterId=clusters["j-1"])["Steps"]
    second = start("second")
    assert second.go() == first
    assert first["ClusterId"] == clusters["j-1"]
    assert client.list_steps(ClusterId=clusters["j-1"])["Steps"] == before
    assert f"Step {first['Name']} ({first['Id']}), created at " in caplog.text


def test_the_run_of_a_hit_is_told_as_far_as_the_name_tells(
    start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    first_run = start("first")
    first = first_run.go()
    second = start("second")
    second.go()
    capsys.readouterr()
    dag_id = first_run.dag.dag_id
    run = execution_id(deployment=settings.deployment(), dag_id=dag_id, run_id="first")
    assert first["Name"].startswith(f"pipelines-{run}-S-")
    assert second.xcoms["S", HIT]["execution_id"] == run
    assert start("third").look() is not None
    (told,) = told_by(capsys, "hit")
    assert told.endswith(f" by the run with the execution id {run}")


def test_a_twin_is_awaited_and_adopted(start: Any, gated: Any, becomes: Any, gate: Any) -> None:
    config = gated("EMR")["Arguments"]["StepConfig"]
    becomes("InProgress")
    name = start("first", config).begin()
    second = start("second", config, wait_for_twin=True)
    found = second.wait(lambda: (gate / "go").touch())
    assert found["identifier"] == name
    assert second.step()["Id"] == name


def test_a_twin_that_fails_is_a_miss(
    start: Any, gated: Any, becomes: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    config = gated("EMR")["Arguments"]["StepConfig"]
    becomes("InProgress")
    name = start("first", config).begin()
    second = start("second", config, wait_for_twin=True)
    assert second.wait(lambda: becomes("Failed")) is None
    assert told_by(capsys, "miss")[-1] == f"{name}, which was waited for, is FAILED"


# Misses


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        (
            {"HadoopJarStep": {**JAR, "Args": ["true", "a"]}},
            {"HadoopJarStep": {**JAR, "Args": ["true", "b"]}},
            'HadoopJarStep.Args[1]: "a" then, "b" now',
        ),
        (
            {"HadoopJarStep": JAR},
            {"HadoopJarStep": {**JAR, "MainClass": "a.B"}},
            'HadoopJarStep.MainClass: nothing then, "a.B" now',
        ),
        (
            {"HadoopJarStep": {**JAR, "Properties": [{"Key": "k", "Value": "one"}]}},
            {"HadoopJarStep": {**JAR, "Properties": [{"Key": "k", "Value": "two"}]}},
            "HadoopJarStep.Properties.k: another value (not shown)",
        ),
        (
            {"HadoopJarStep": {**JAR, "Properties": [{"Key": "k", "Value": "one"}]}},
            {"HadoopJarStep": JAR},
            "HadoopJarStep.Properties.k: given only then",
        ),
        (
            {"HadoopJarStep": JAR},
            {"HadoopJarStep": JAR, "ActionOnFailure": "CANCEL_AND_WAIT"},
            'ActionOnFailure: "CONTINUE" then, "CANCEL_AND_WAIT" now',
        ),
        (
            {"HadoopJarStep": JAR},
            {"HadoopJarStep": JAR, "StepMonitoringConfiguration": {LOGS: {"LogUri": "s3://b/l"}}},
            f'StepMonitoringConfiguration: nothing then, {{"{LOGS}": {{"LogUri": "s3://b/l"}}}} '
            "now",
        ),
    ],
)
def test_each_member_of_a_step_is_compared(
    start: Any, capsys: pytest.CaptureFixture[str], then: Any, now: Any, told: str
) -> None:
    first = start("first", then).go()
    assert start("same", then).look()
    capsys.readouterr()
    assert start("other", now).look() is None
    assert told_by(capsys, "miss") == [
        f"what differs from {first['Name']}, the last named as the step's that completed: "
        f"StepConfig.{told}"
    ]


def test_a_step_with_a_cluster_of_its_own_is_never_looked_for(
    start: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", "aws://?endpoint_url=http%3A%2F%2F127.0.0.1%3A1")
    place = {"ClusterConfig": {"Instances": {"InstanceCount": 1}}}
    assert start("first", place=place).look() is None
    assert told_by(capsys, "miss") == [
        "this step can never hit; Arguments give no ClusterId, on which earlier ones would be "
        "listed"
    ]


def test_a_cluster_that_is_gone_is_a_miss_with_a_warning(
    start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("first", place={"ClusterId": "j-GONE"}).look() is None
    (miss,) = told_by(capsys, "miss")
    assert miss.startswith("the cache cannot be looked at: ")
    assert miss.endswith("Cluster id 'j-GONE' is not valid.")


def test_a_list_that_emr_does_not_give_is_a_miss_with_a_warning(
    start: Any, aws_environment: LocalAWS, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = {"Kind": "AccessDenied", "Operations": "elasticmapreduce:ListSteps"}
    aws_environment.faults.add(denied)
    assert start("first").look() is None
    aws_environment.faults.replace()
    (miss,) = told_by(capsys, "miss")
    assert miss.startswith("the cache cannot be looked at: ")


# The list


def row(name: str, *, state: str = "COMPLETED", created: Any = STARTED) -> dict[str, Any]:
    status = {"State": state, "Timeline": {"CreationDateTime": created}}
    return {"Id": f"s-{uuid4().hex}", "Name": name, "Status": status}


@pytest.fixture
def stub() -> Any:
    made = botocore.session.get_session().create_client(
        "emr", region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="word"
    )
    with Stubber(made) as stub:
        yield stub


def test_markers_are_followed_to_the_bound_of_pages(
    start: Any, stub: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked = wanted(start("first"))
    request = dict(asked.told_apart)
    stub.add_response("list_steps", {"Steps": [row("other")], "Marker": "a"}, request)
    stub.add_response(
        "list_steps", {"Steps": [row("other")], "Marker": "b"}, {**request, "Marker": "a"}
    )
    assert cache.look(stub.client, asked, most_pages=2) == cache.Found()
    stub.assert_no_pending_responses()
    assert "has more than 2 pages" in caplog.text


def test_the_look_ends_at_the_first_step_that_has_expired(start: Any, stub: Any) -> None:
    asked = wanted(start("first"))
    listed = [row(f"pipelines-x-S-{number}-1-1") for number in range(2)]
    request = dict(asked.told_apart)
    stub.add_response("list_steps", {"Steps": listed, "Marker": "more"}, request)
    pages = catalogues.pages(
        stub.client,
        EMR_STEP,
        told_apart=request,
        oldest=STARTED.replace(year=STARTED.year + 1),
    )
    assert [*pages] == [([], False)]
    stub.assert_no_pending_responses()


def test_what_is_compared_has_all_that_a_step_can_be_asked() -> None:
    jar = {"Jar": "j", "MainClass": "m", "Args": ["a"]}
    logs = {"LogUri": "s3://b/logs", "EncryptionKeyArn": "arn"}
    given: dict[str, Any] = {
        "Name": "n",
        "ActionOnFailure": "TERMINATE_CLUSTER",
        "HadoopJarStep": {**jar, "Properties": [{"Key": "k", "Value": "v"}]},
        "StepMonitoringConfiguration": {LOGS: logs},
    }
    for members, shape in (
        (given, "StepConfig"),
        (given["HadoopJarStep"], "HadoopJarStepConfig"),
        (logs, LOGS),
    ):
        known: Any = EMR.shape_for(shape)
        assert {*members} == {*known.members}
    described: dict[str, Any] = {
        "Name": "n",
        "Config": {**jar, "Properties": {"k": "v"}},
        "ActionOnFailure": "TERMINATE_CLUSTER",
        **logs,
    }
    now = emr.asked({"ClusterId": "j", "StepConfig": given})["StepConfig"]
    assert emr.as_asked(described)["StepConfig"] == now


@pytest.mark.parametrize("name", ["", "Nightly"])
def test_the_name_that_a_step_is_asked_to_have_is_what_its_own_begins_with(
    start: Any, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"Name": name} if name else {}
    first = start("first", {**command("true"), **named}).go()
    assert re.match(name or "pipelines-", first["Name"])
    assert start("same", {**command("true"), **named}).look()
    capsys.readouterr()
    assert start("other", {**command("true", "b"), **named}).look() is None
    assert f"what differs from {first['Name']}, " in told_by(capsys, "miss")[0]
