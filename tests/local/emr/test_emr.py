"""Clusters, steps and job runs, as boto3 sees them."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images
from tests.fakes import until
from tests.spark import RULE, mapped

from ..launched import launchers

ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"


@pytest.fixture(scope="module")
def spark_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAWS]:
    """A local AWS on which something stands for Spark."""
    images = Images(config=mapped(tmp_path_factory.mktemp("spark")))
    with LocalAWS(tmp_path_factory.mktemp("aws"), images=images, grace_seconds=1) as server:
        yield server


@pytest.fixture(scope="module")
def made(spark_aws: LocalAWS) -> Callable[[str], Any]:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=spark_aws.endpoint_url)


@pytest.fixture(scope="module")
def emr(made: Callable[[str], Any]) -> Any:
    return made("emr")


@pytest.fixture
def cluster(emr: Any) -> Iterator[Callable[..., str]]:
    """Start a cluster that stays, with other members of the request; its id."""
    ids: list[str] = []

    def start(*steps: dict[str, Any], keeps: bool = True, **changes: Any) -> str:
        instances = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": keeps}
        request = {"Name": "c", "Instances": instances, "ReleaseLabel": "emr-6.15.0"}
        ids.append(emr.run_job_flow(**{**request, "Steps": [*steps], **changes})["JobFlowId"])
        return ids[-1]

    yield start
    emr.set_termination_protection(JobFlowIds=ids, TerminationProtected=False)
    emr.terminate_job_flows(JobFlowIds=ids)


def step(*arguments: str, jar: str = "command-runner.jar", **changes: Any) -> dict[str, Any]:
    jar_step = {"Jar": jar, "Args": [*arguments]}
    return {"Name": "s", "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar_step, **changes}


def bash(script: str, **changes: Any) -> dict[str, Any]:
    return step("bash", "-c", script, **changes)


def steps(emr: Any, identifier: str) -> list[dict[str, Any]]:
    """The steps of a cluster, the first one first."""
    return list(emr.list_steps(ClusterId=identifier)["Steps"][::-1])


def ended(emr: Any, identifier: str) -> list[dict[str, Any]]:
    """The steps of a cluster, when all have ended."""
    active = {"PENDING", "RUNNING"}
    until(lambda: not [s for s in steps(emr, identifier) if s["Status"]["State"] in active])
    return steps(emr, identifier)


def states(emr: Any, identifier: str) -> list[str]:
    return [each["Status"]["State"] for each in ended(emr, identifier)]


def state(emr: Any, identifier: str) -> dict[str, Any]:
    return dict(emr.describe_cluster(ClusterId=identifier)["Cluster"]["Status"])


def failure(emr: Any, identifier: str) -> str:
    (only,) = ended(emr, identifier)
    assert only["Status"]["State"] == "FAILED"
    return str(only["Status"]["FailureDetails"]["Message"])


# Steps


def test_steps_run_one_after_the_other_and_their_times_are_told(
    emr: Any, cluster: Callable[..., str], tmp_path: Path
) -> None:
    file = tmp_path / "order"
    identifier = cluster(*[bash(f"echo {n} >> {file}") for n in range(3)])
    assert states(emr, identifier) == ["COMPLETED"] * 3
    assert file.read_text().split() == ["0", "1", "2"]
    first, second, _ = (each["Status"]["Timeline"] for each in steps(emr, identifier))
    assert first["CreationDateTime"] <= first["StartDateTime"] <= first["EndDateTime"]
    assert first["EndDateTime"] <= second["StartDateTime"]
    assert state(emr, identifier)["State"] == "WAITING"


def test_as_many_steps_run_at_once_as_the_cluster_is_told(
    emr: Any, cluster: Callable[..., str], tmp_path: Path
) -> None:
    wait = "until test -f {0}; do sleep 0.05; done"
    first = bash(f"touch {tmp_path}/a; {wait.format(tmp_path / 'b')}")
    second = bash(f"touch {tmp_path}/b; {wait.format(tmp_path / 'a')}")
    identifier = cluster(first, second, StepConcurrencyLevel=2)
    assert states(emr, identifier) == ["COMPLETED", "COMPLETED"]


def test_a_step_has_an_explicit_environment(
    emr: Any,
    cluster: Callable[..., str],
    tmp_path: Path,
    spark_aws: LocalAWS,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_SECRET", "of the shell")
    identifier = cluster(bash(f"env > {tmp_path}/env"))
    assert states(emr, identifier) == ["COMPLETED"]
    lines = (tmp_path / "env").read_text().splitlines()
    assert f"AWS_ENDPOINT_URL={spark_aws.endpoint_url}" in lines
    assert f"EMR_CLUSTER_ID={identifier}" in lines
    assert not [line for line in lines if line.startswith("A_SECRET")]


def test_the_log_of_a_step_is_on_disk_and_where_log_uri_says(
    emr: Any, cluster: Callable[..., str], made: Callable[[str], Any], spark_aws: LocalAWS
) -> None:
    bucket = spark_aws.account.bucket
    identifier = cluster(bash("echo words; exit 2"), LogUri=f"s3n://{bucket}/logs/")
    assert failure(emr, identifier) == "Command exited with ret '2'\nwords"
    (only,) = steps(emr, identifier)
    key = f"logs/{identifier}/steps/{only['Id']}/stdout.gz"
    assert only["Status"]["FailureDetails"]["LogFile"] == f"s3://{bucket}/{key}"
    body = made("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert gzip.decompress(body) == b"words\n"
    log = spark_aws.root / "emr" / identifier / only["Id"] / "stdout"
    assert log.read_text() == "words\n"


def test_an_error_is_told_that_the_last_lines_do_not_have(
    emr: Any, cluster: Callable[..., str]
) -> None:
    script = "raise ValueError('no luck')"
    noise = "for n in $(seq 30); do echo line; done"
    assert failure(emr, cluster(bash(f'python3 -c "{script}"; {noise}; exit 3'))) == "\n".join(
        ["Command exited with ret '3'", "ValueError: no luck", *["line"] * 20]
    )


def test_spark_is_submitted_here_with_its_files_from_s3(
    emr: Any, cluster: Callable[..., str], made: Callable[[str], Any], spark_aws: LocalAWS
) -> None:
    bucket = spark_aws.account.bucket
    made("s3").put_object(Bucket=bucket, Key="a/main.py", Body=b"import sys; print(sys.argv[1:])")
    made("s3").put_object(Bucket=bucket, Key="a/main.py.old", Body=b"no part of it")
    submit = ("spark-submit", "--deploy-mode", "cluster", "--master=yarn", "--conf", "a=b")
    identifier = cluster(step(*submit, f"s3://{bucket}/a/main.py", "--x", "s3://b/data"))
    (only,) = ended(emr, identifier)
    assert only["Status"]["State"] == "COMPLETED"
    folder = spark_aws.root / "emr" / identifier / only["Id"]
    submitted, printed = (folder / "stdout").read_text().splitlines()
    file = folder / "work" / "main.py"
    assert submitted.startswith("submitted --master local[*] --conf ")
    mounted = f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"
    assert f"--conf {mounted}=file://{spark_aws.root}/s3/{bucket} " in submitted
    assert submitted.endswith(f" --conf a=b {file} --x s3://b/data")
    assert printed == "['--x', 's3://b/data']"
    assert [each.name for each in file.parent.iterdir()] == ["main.py"]


def test_a_script_is_taken_from_s3(
    emr: Any, cluster: Callable[..., str], made: Callable[[str], Any], spark_aws: LocalAWS
) -> None:
    bucket = spark_aws.account.bucket
    made("s3").put_object(Bucket=bucket, Key="run.sh", Body=b'test "$1" = word')
    runner = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
    identifier = cluster(step(f"s3://{bucket}/run.sh", "word", jar=runner))
    assert states(emr, identifier) == ["COMPLETED"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (step("no-such-program"), "command-runner.jar no-such-program: no program"),
        (step("x", jar="s3://bucket/mine.jar"), "s3://bucket/mine.jar: a jar of one's own needs"),
        (step(), "command-runner.jar: no arguments; the first one is what it runs"),
        (step("spark-submit", "--verbose"), "spark-submit: no application; name a .py"),
        (
            step("spark-submit", "s3://not-there-at-all/main.py"),
            "ClientError: cannot list s3://not",
        ),
    ],
)
def test_what_cannot_run_here_fails_at_once_and_says_why(
    emr: Any, cluster: Callable[..., str], config: dict[str, Any], message: str
) -> None:
    assert failure(emr, cluster(config)).startswith(message)


def test_a_mapped_python_that_does_not_run_is_told(tmp_path: Path) -> None:
    images = tmp_path / "images.toml"
    images.write_text(RULE.format(python="/no/such/python"))
    with LocalAWS(tmp_path / "aws", images=Images(config=images)) as aws:
        session: Any = boto3.Session("key", "secret", region_name="us-east-1")
        emr = session.client("emr", endpoint_url=aws.endpoint_url)
        request = {"Name": "c", "Instances": {"InstanceCount": 1}, "ReleaseLabel": "emr-6.15.0"}
        submit = step("spark-submit", "s3://b/main.py")
        identifier = emr.run_job_flow(**request, Steps=[submit])["JobFlowId"]
        told = failure(emr, identifier)
    assert told.startswith("emr:emr-6.15.0: /no/such/python: does not run (No such file")


# What becomes of a cluster


@pytest.mark.parametrize(
    ("script", "action", "code"),
    [
        ("true", "TERMINATE_CLUSTER", "ALL_STEPS_COMPLETED"),
        ("false", "CONTINUE", "ALL_STEPS_COMPLETED"),
        ("false", "TERMINATE_CLUSTER", "STEP_FAILURE"),
    ],
)
def test_a_cluster_that_is_not_kept_ends_with_its_steps(
    emr: Any, cluster: Callable[..., str], script: str, action: str, code: str
) -> None:
    identifier = cluster(bash(script, ActionOnFailure=action), keeps=False)
    until(lambda: state(emr, identifier)["State"].startswith("TERMINATED"))
    told = state(emr, identifier)
    assert told["StateChangeReason"]["Code"] == code
    assert (told["State"] == "TERMINATED_WITH_ERRORS") is (code == "STEP_FAILURE")
    with pytest.raises(ClientError, match="shutting down, terminated, or finished"):
        emr.add_job_flow_steps(JobFlowId=identifier, Steps=[bash("true")])


def test_a_failure_can_cancel_what_waits(emr: Any, cluster: Callable[..., str]) -> None:
    identifier = cluster(bash("exit 1", ActionOnFailure="CANCEL_AND_WAIT"), bash("true"))
    assert states(emr, identifier) == ["FAILED", "CANCELLED"]
    assert state(emr, identifier)["State"] == "WAITING"


def test_terminating_ends_processes_and_protection_prevents_it(
    emr: Any, cluster: Callable[..., str], tmp_path: Path
) -> None:
    identifier = cluster(bash(f": > {tmp_path}/started; sleep 60 & wait"), bash("true"))
    until(lambda: (tmp_path / "started").exists())
    emr.set_termination_protection(JobFlowIds=[identifier], TerminationProtected=True)
    with pytest.raises(ClientError, match="termination protected"):
        emr.terminate_job_flows(JobFlowIds=[identifier])
    emr.set_termination_protection(JobFlowIds=[identifier], TerminationProtected=False)
    emr.terminate_job_flows(JobFlowIds=[identifier])
    assert states(emr, identifier) == ["CANCELLED", "CANCELLED"]
    until(lambda: not launchers(tmp_path))


def test_steps_are_cancelled_and_one_that_has_ended_is_not(
    emr: Any, cluster: Callable[..., str]
) -> None:
    identifier = cluster(bash("true"), bash("trap '' INT; sleep 60"), bash("true"))
    until(lambda: [s for s in steps(emr, identifier) if s["Status"]["State"] == "RUNNING"])
    ids = [each["Id"] for each in steps(emr, identifier)]
    until(lambda: steps(emr, identifier)[0]["Status"]["State"] == "COMPLETED")
    told = emr.cancel_steps(ClusterId=identifier, StepIds=ids)["CancelStepsInfoList"]
    assert [each["Status"] for each in told] == ["FAILED", "SUBMITTED", "SUBMITTED"]
    assert states(emr, identifier) == ["COMPLETED", "CANCELLED", "CANCELLED"]


# Answers


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("describe_step", {"ClusterId": "j-1", "StepId": "s"}, "InvalidRequestException", "'j-1'"),
        ("list_steps", {"ClusterId": "j-1"}, "InvalidRequestException", "Cluster id 'j-1' is not"),
        (
            "add_job_flow_steps",
            {"JobFlowId": "j-1", "Steps": [bash("true")]},
            "ValidationException",
            "Specified job flow ID does not exist.",
        ),
        ("list_instances", {"ClusterId": "j-1"}, "NotImplemented", "ListInstances is not there"),
        ("list_clusters", {"Marker": "x"}, "InvalidRequestException", "Marker 'x' is not valid."),
    ],
)
def test_refusals_have_the_code_and_the_words_of_emr(
    emr: Any, operation: str, request_: dict[str, Any], code: str, message: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(emr, operation)(**request_)
    assert refused.value.response["Error"]["Code"] == code
    assert message in refused.value.response["Error"]["Message"]


def test_the_257th_step_is_refused(emr: Any, cluster: Callable[..., str]) -> None:
    identifier = cluster(bash("sleep 60"))
    many = [bash("true") for _ in range(255)]
    for start in range(0, 255, 85):
        emr.add_job_flow_steps(JobFlowId=identifier, Steps=many[start : start + 85])
    with pytest.raises(ClientError, match="Maximum number of active steps") as refused:
        emr.add_job_flow_steps(JobFlowId=identifier, Steps=[bash("true")])
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    page = emr.list_steps(ClusterId=identifier)
    assert len(page["Steps"]) == 50
    pages = emr.get_paginator("list_steps").paginate(ClusterId=identifier)
    assert sum(len(each["Steps"]) for each in pages) == 256
    emr.terminate_job_flows(JobFlowIds=[identifier])


# Job runs of EMR Serverless


@pytest.fixture
def serverless(made: Callable[[str], Any]) -> Any:
    return made("emr-serverless")


@pytest.fixture
def application(serverless: Any) -> str:
    token = uuid4().hex
    request = {"releaseLabel": "emr-7.0.0", "type": "SPARK", "clientToken": token}
    return str(serverless.create_application(**request)["applicationId"])


def start(serverless: Any, application: str, entry_point: str, **changes: Any) -> str:
    request = {
        "applicationId": application,
        "executionRoleArn": ROLE,
        "jobDriver": {"sparkSubmit": {"entryPoint": entry_point}},
        **changes,
    }
    return str(serverless.start_job_run(**request)["jobRunId"])


def job_run(serverless: Any, application: str, identifier: str) -> dict[str, Any]:
    """A job run when it has ended."""

    def described() -> dict[str, Any]:
        told = serverless.get_job_run(applicationId=application, jobRunId=identifier)
        return dict(told["jobRun"])

    until(lambda: described()["state"] in {"SUCCESS", "FAILED", "CANCELLED"})
    return described()


def test_a_job_run_runs_and_its_log_is_where_it_is_told(
    serverless: Any, application: str, made: Callable[[str], Any], spark_aws: LocalAWS
) -> None:
    bucket = spark_aws.account.bucket
    made("s3").put_object(Bucket=bucket, Key="b/main.py", Body=b"print('words')")
    logs = {"s3MonitoringConfiguration": {"logUri": f"s3://{bucket}/logs"}}
    identifier = start(
        serverless,
        application,
        f"s3://{bucket}/b/main.py",
        configurationOverrides={"monitoringConfiguration": logs},
    )
    assert job_run(serverless, application, identifier)["state"] == "SUCCESS"
    key = f"logs/applications/{application}/jobs/{identifier}/SPARK_DRIVER/stdout.gz"
    body = made("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert gzip.decompress(body).endswith(b"words\n")
    (listed,) = serverless.list_job_runs(applicationId=application, states=["SUCCESS"])["jobRuns"]
    assert listed["id"] == identifier
    assert serverless.list_job_runs(applicationId=application, states=["FAILED"])["jobRuns"] == []


def test_a_job_run_is_cancelled(
    serverless: Any, application: str, made: Callable[[str], Any], spark_aws: LocalAWS
) -> None:
    bucket = spark_aws.account.bucket
    made("s3").put_object(Bucket=bucket, Key="c/main.py", Body=b"import time; time.sleep(60)")
    identifier = start(serverless, application, f"s3://{bucket}/c/main.py")
    serverless.cancel_job_run(applicationId=application, jobRunId=identifier)
    assert job_run(serverless, application, identifier)["state"] == "CANCELLED"
    with pytest.raises(ClientError, match="is in state CANCELLED"):
        serverless.cancel_job_run(applicationId=application, jobRunId=identifier)


def test_hive_fails_at_once_and_says_so(serverless: Any, application: str) -> None:
    driver = {"hive": {"query": "s3://b/q.sql"}}
    identifier = start(serverless, application, "", jobDriver=driver)
    told = job_run(serverless, application, identifier)
    assert told["state"] == "FAILED"
    assert told["stateDetails"].endswith("Hive is not there; a Spark job run is")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jobDriver": {}}, "jobDriver must have one of sparkSubmit and hive"),
        ({"executionRoleArn": "role"}, "validation errors? detected: Value 'role'"),
    ],
)
def test_a_job_run_that_says_too_little_is_refused(
    spark_aws: LocalAWS, application: str, changes: dict[str, Any], message: str
) -> None:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    careless = session.client(
        "emr-serverless",
        endpoint_url=spark_aws.endpoint_url,
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError, match=message) as refused:
        start(careless, application, "s3://b/m.py", **changes)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_job_run_that_is_not_there_is_not_found(serverless: Any, application: str) -> None:
    with pytest.raises(ClientError) as refused:
        serverless.get_job_run(applicationId=application, jobRunId="00nothing")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_the_end_of_the_server_ends_its_steps(tmp_path: Path) -> None:
    with LocalAWS(tmp_path / "aws") as aws:
        session: Any = boto3.Session("key", "secret", region_name="us-east-1")
        emr = session.client("emr", endpoint_url=aws.endpoint_url)
        forever = bash(f": > {tmp_path}/started; exec sleep 60")
        emr.run_job_flow(Name="c", Instances={"InstanceCount": 1}, Steps=[forever])
        until(lambda: (tmp_path / "started").exists())
    assert not launchers(tmp_path)


def test_a_cluster_that_stays_is_there_when_the_server_starts_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    request = {"Name": "c", "Instances": {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}}
    with LocalAWS(tmp_path / "aws") as aws:
        emr = session.client("emr", endpoint_url=aws.endpoint_url)
        forever = bash(f": > {tmp_path}/started; exec sleep 60")
        identifier = emr.run_job_flow(**request, Steps=[forever, bash("true")])["JobFlowId"]
        until(lambda: (tmp_path / "started").exists())
    (tmp_path / "aws" / "emr" / "j-DAMAGED").mkdir()
    (tmp_path / "aws" / "emr" / "j-DAMAGED" / "cluster.json").write_text("{")
    with LocalAWS(tmp_path / "aws") as aws:
        emr = session.client("emr", endpoint_url=aws.endpoint_url)
        (listed,) = emr.list_clusters()["Clusters"]
        assert (listed["Id"], listed["Status"]["State"]) == (identifier, "WAITING")
        told = [each["Status"]["StateChangeReason"] for each in steps(emr, identifier)]
        assert told == [{"Message": "The local AWS was stopped"}] * 2
        emr.add_job_flow_steps(JobFlowId=identifier, Steps=[bash("true")])
        assert states(emr, identifier) == ["CANCELLED", "CANCELLED", "COMPLETED"]
    assert "j-DAMAGED/cluster.json: left out: it cannot be read" in caplog.text
