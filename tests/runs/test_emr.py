"""Steps of EMR clusters and job runs of EMR Serverless, on the local AWS, which runs them."""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest

from tests.fakes import until
from tests.spark import mapped

from .conftest import RunPipeline
from .steps import ROLE, as_text, get, pipeline, processing

if TYPE_CHECKING:
    from airflow_sm_pipelines.local import LocalAWS


@pytest.fixture(scope="module")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[LocalAWS]":
    """A local AWS on which something stands for Spark."""
    from airflow_sm_pipelines.local import LocalAWS
    from airflow_sm_pipelines.local.images import Images

    images = Images(config=mapped(tmp_path_factory.mktemp("spark")))
    root = tmp_path_factory.mktemp("aws")
    with LocalAWS(root, images=images, grace_seconds=1) as server:
        yield server


@pytest.fixture
def client(aws_environment: "LocalAWS") -> Callable[[str], Any]:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=aws_environment.endpoint_url)


@pytest.fixture
def emr(client: Callable[[str], Any]) -> Any:
    return client("emr")


@pytest.fixture
def serverless(client: Callable[[str], Any]) -> Any:
    return client("emr-serverless")


@pytest.fixture
def cluster(emr: Any) -> Iterator[str]:
    """A cluster that is there before the pipeline and stays."""
    instances = {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    identifier: str = emr.run_job_flow(Name="shared", Instances=instances)["JobFlowId"]
    yield identifier
    emr.terminate_job_flows(JobFlowIds=[identifier])


@pytest.fixture
def application(serverless: Any) -> str:
    made = serverless.create_application(
        releaseLabel="emr-7.0.0", type="SPARK", clientToken=uuid4().hex
    )
    return str(made["applicationId"])


@pytest.fixture
def main(client: Callable[[str], Any], aws_environment: "LocalAWS") -> Callable[[str], str]:
    """Put a program to S3; its URI."""

    def put(program: str) -> str:
        bucket, key = aws_environment.account.bucket, f"{uuid4().hex}/main.py"
        client("s3").put_object(Bucket=bucket, Key=key, Body=program.encode())
        return f"s3://{bucket}/{key}"

    return put


@pytest.fixture
def fail(aws_environment: "LocalAWS") -> Iterator[Callable[..., None]]:
    yield lambda *faults: aws_environment.faults.add(*faults)
    aws_environment.faults.replace()


def bash(script: str, *, name: str = "Work", **place: Any) -> dict[str, Any]:
    """A step that runs a line of bash on a cluster."""
    jar = {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]}
    arguments = {"StepConfig": {"HadoopJarStep": jar}, **place}
    return {"Name": name, "Type": "EMR", "Arguments": arguments}


MASTER = {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}
OWN_CLUSTER = {"Instances": {"InstanceGroups": [MASTER]}, "ReleaseLabel": "emr-6.15.0"}


def spark(entry_point: str, *, name: str = "Work", **place: Any) -> dict[str, Any]:
    """A job run of a program."""
    driver = {"sparkSubmit": {"entryPoint": entry_point, "entryPointArguments": ["a", "b"]}}
    config = {"executionRoleArn": ROLE, "jobDriver": driver}
    arguments = {"ExecutionRoleArn": ROLE, "JobConfig": config, **place}
    return {"Name": name, "Type": "EMRServerless", "Arguments": arguments}


def steps(emr: Any, cluster: str) -> list[dict[str, Any]]:
    """The steps of a cluster, the first one first."""
    return list(emr.list_steps(ClusterId=cluster)["Steps"][::-1])


# A step of a cluster


def test_a_step_is_added_once_and_hands_on_what_emr_says(
    run_pipeline: RunPipeline, emr: Any, cluster: str
) -> None:
    reader = processing("Read")
    reader["Arguments"]["Environment"] = {
        "CLUSTER": get("Steps.Work.ClusterId"),
        "STATE": get("Steps.Work.Status.State"),
        "SCRIPT": get("Steps.Work.Config.Args[2]"),
    }
    run = run_pipeline(pipeline(bash("echo hello", ClusterId=cluster), reader), name="emr-once")
    assert run.state == "success"
    (step,) = steps(emr, cluster)
    assert step["Status"]["State"] == "COMPLETED"
    assert step["ActionOnFailure"] == "CONTINUE"
    assert run.outputs["Work"]["Id"] == step["Id"]
    assert run.outputs["Read"]["Environment"] == {
        "CLUSTER": cluster,
        "STATE": "COMPLETED",
        "SCRIPT": "echo hello",
    }


def test_a_step_that_fails_tells_why_and_leaves_the_cluster(
    run_pipeline: RunPipeline, emr: Any, cluster: str
) -> None:
    run = run_pipeline(
        pipeline(bash("echo out of luck; exit 3", ClusterId=cluster)), name="emr-fails"
    )
    assert run.state == "failed"
    (step,) = steps(emr, cluster)
    assert run.failures["Work"] == (
        f"Work: Step {step['Id']} is FAILED: Command exited with ret '3'\nout of luck"
    )
    assert emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"] == "WAITING"


@pytest.mark.parametrize("fault", ["ResetAfter", "ResetBefore", "Throttling", "InternalFailure"])
def test_a_step_is_added_once_though_the_call_goes_wrong(
    run_pipeline: RunPipeline, emr: Any, cluster: str, fail: Callable[..., None], fault: str
) -> None:
    fail({"Kind": fault, "Operations": "elasticmapreduce:AddJobFlowSteps", "Times": 1})
    run = run_pipeline(pipeline(bash("true", ClusterId=cluster)), name="emr-lost")
    assert run.state == "success"
    (step,) = steps(emr, cluster)
    assert run.outputs["Work"]["Id"] == step["Id"]


def test_a_step_that_waits_without_a_worker_ends_as_any_other(
    run_pipeline: RunPipeline, emr: Any, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS", "0")
    work = [bash(script, name=name, ClusterId=cluster) for name, script in DEFERRED.items()]
    run = run_pipeline(pipeline(*work), name="emr-deferred")
    assert (run.tasks["Good"], run.tasks["Bad"]) == ("success", "failed")
    assert len(steps(emr, cluster)) == 2


DEFERRED = {"Good": "true", "Bad": "false"}


def test_a_failed_step_is_followed_by_another_where_its_policy_says(
    run_pipeline: RunPipeline, emr: Any, cluster: str, fail: Callable[..., None]
) -> None:
    work = bash("true", ClusterId=cluster)
    allowed = {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 0, "MaxAttempts": 1}
    fail({"Kind": "InternalFailure", "Operations": "elasticmapreduce:ListSteps", "Times": 1})
    run = run_pipeline(pipeline({**work, "RetryPolicies": [allowed]}), name="emr-policy")
    assert run.state == "success"
    assert len(steps(emr, cluster)) == 1


def test_a_step_that_somebody_cancels_has_failed(
    run_pipeline: RunPipeline, emr: Any, cluster: str
) -> None:
    def cancel() -> None:
        until(lambda: [each for each in steps(emr, cluster) if running(each)])
        ids = [each["Id"] for each in steps(emr, cluster)]
        emr.cancel_steps(ClusterId=cluster, StepIds=ids)

    thread = threading.Thread(target=cancel)
    thread.start()
    run = run_pipeline(pipeline(bash("sleep 60", ClusterId=cluster)), name="emr-cancelled")
    thread.join()
    assert run.state == "failed"
    assert run.failures["Work"].endswith("is CANCELLED: Step was cancelled by user")


def running(step: dict[str, Any]) -> bool:
    return bool(step["Status"]["State"] == "RUNNING")


def test_a_cluster_that_is_not_there_fails_the_step(run_pipeline: RunPipeline) -> None:
    run = run_pipeline(pipeline(bash("true", ClusterId="j-NONE")), name="emr-absent")
    assert run.state == "failed"
    assert "Cluster id 'j-NONE' is not valid" in run.failures["Work"]


def test_a_second_run_adopts_the_step_of_the_first(
    run_pipeline: RunPipeline, emr: Any, cluster: str
) -> None:
    reader = processing("Read")
    reader["Arguments"]["Environment"] = {
        "CLUSTER": get("Steps.Work.ClusterId"),
        "STEP": get("Steps.Work.Id"),
    }
    kept = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    definition = pipeline({**bash("true", ClusterId=cluster), **kept}, reader)
    first, second = (run_pipeline(definition, name="emr-cached") for _ in range(2))
    assert first.state == second.state == "success"
    (step,) = steps(emr, cluster)
    assert second.outputs["Work"] == first.outputs["Work"]
    assert second.outputs["Read"]["Environment"] == {"CLUSTER": cluster, "STEP": step["Id"]}


# A cluster of the step's own


def own(emr: Any, name: str) -> list[dict[str, Any]]:
    clusters = emr.list_clusters()["Clusters"]
    return [each for each in clusters if f"-{name}-" in each["Name"]]


@pytest.mark.parametrize("fault", ["", "ResetAfter"])
def test_a_cluster_of_the_steps_own_ends_with_it(
    run_pipeline: RunPipeline, emr: Any, fail: Callable[..., None], fault: str
) -> None:
    name = uuid4().hex[:12]
    if fault:
        fail({"Kind": fault, "Operations": "elasticmapreduce:RunJobFlow", "Times": 1})
    run = run_pipeline(pipeline(bash("true", name=name, ClusterConfig=OWN_CLUSTER)), name="emr-own")
    assert run.state == "success"
    (made,) = own(emr, name)
    assert run.outputs[name]["ClusterId"] == made["Id"]
    until(lambda: own(emr, name)[0]["Status"]["State"] == "TERMINATED")
    tags = emr.describe_cluster(ClusterId=made["Id"])["Cluster"]["Tags"]
    assert {"Key": "sm-pipelines:step", "Value": name} in tags


def test_a_cluster_of_the_steps_own_ends_where_the_step_fails(
    run_pipeline: RunPipeline, emr: Any
) -> None:
    name = uuid4().hex[:12]
    run = run_pipeline(
        pipeline(bash("exit 1", name=name, ClusterConfig=OWN_CLUSTER)), name="emr-own"
    )
    assert run.state == "failed"
    until(lambda: own(emr, name)[0]["Status"]["State"] == "TERMINATED_WITH_ERRORS")


# A job run of EMR Serverless


def runs(serverless: Any, application: str) -> list[dict[str, Any]]:
    return list(serverless.list_job_runs(applicationId=application)["jobRuns"])


@pytest.mark.parametrize("fault", ["", "ResetAfter", "ResetBefore"])
def test_a_job_run_of_emrserverless_is_started_once_and_hands_on_what_get_job_run_says(
    run_pipeline: RunPipeline,
    serverless: Any,
    application: str,
    main: Callable[[str], str],
    fail: Callable[..., None],
    fault: str,
) -> None:
    if fault:
        fail({"Kind": fault, "Operations": "emr-serverless:StartJobRun", "Times": 1})
    work = spark(main("import sys; print(sys.argv)"), ApplicationId=application)
    reader = processing("Read")
    reader["Arguments"]["Environment"] = {"JOB": as_text(get("Steps.Work.jobRun.jobRunId"))}
    run = run_pipeline(pipeline(work, reader), name="serverless")
    assert run.state == "success"
    (made,) = runs(serverless, application)
    assert made["state"] == "SUCCESS"
    assert run.outputs["Read"]["Environment"] == {"JOB": made["id"]}
    described = serverless.get_job_run(applicationId=application, jobRunId=made["id"])["jobRun"]
    assert described["tags"]["sm-pipelines:step"] == "Work"


def test_a_job_run_that_fails_tells_why(
    run_pipeline: RunPipeline, serverless: Any, application: str, main: Callable[[str], str]
) -> None:
    work = spark(main("raise SystemExit('out of luck')"), ApplicationId=application)
    run = run_pipeline(pipeline(work), name="serverless-fails")
    assert run.state == "failed"
    (made,) = runs(serverless, application)
    assert run.failures["Work"].startswith(f"Work: JobRun {made['id']} is FAILED: Job failed")
    assert "out of luck" in run.failures["Work"]


@pytest.mark.parametrize("fault", ["", "ResetAfter"])
def test_an_application_of_the_steps_own_is_created_once(
    run_pipeline: RunPipeline,
    serverless: Any,
    main: Callable[[str], str],
    fail: Callable[..., None],
    fault: str,
) -> None:
    if fault:
        fail({"Kind": fault, "Operations": "emr-serverless:CreateApplication", "Times": 1})
    before = applications(serverless)
    config = {"type": "SPARK", "releaseLabel": "emr-7.0.0"}
    run = run_pipeline(
        pipeline(spark(main("print(1)"), ApplicationConfig=config)), name="serverless-own"
    )
    assert run.state == "success"
    (made,) = applications(serverless) - before
    assert run.outputs["Work"]["jobRun"]["applicationId"] == made


def applications(serverless: Any) -> set[str]:
    return {each["id"] for each in serverless.list_applications()["applications"]}


def test_a_program_that_is_not_there_fails_at_once(
    run_pipeline: RunPipeline, application: str, aws_environment: "LocalAWS"
) -> None:
    missing = f"s3://{aws_environment.account.bucket}/none/main.py"
    run = run_pipeline(
        pipeline(spark(missing, ApplicationId=application)), name="serverless-absent"
    )
    assert run.state == "failed"
    assert f"{missing}: there is no such object" in run.failures["Work"]
