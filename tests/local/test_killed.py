"""What services other than SageMaker have again after `kill -9` of the server and a new start."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.emr import job_runs
from airflow_sm_pipelines.local.emr.clusters import DIED
from tests.fakes import until

from .killed import TRUST, Server, code
from .launched import launchers

READ = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
    }
)
ROLE = "arn:aws:iam::123456789012:role/team/runner"
POLICY = "arn:aws:iam::123456789012:policy/team/reader"

QUEUE = "arn:aws:sqs:us-east-1:123456789012:q"
EXECUTION = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/0123456789ab"
OPEN, ANSWERED, DELETED = "openCall01", "doneCall02", "goneCall03"
OUTPUTS = [{"Name": "n", "Value": "v"}]


def make_role(iam: Any) -> None:
    iam.create_policy(PolicyName="reader", Path="/team/", PolicyDocument=READ)
    iam.create_role(RoleName="runner", Path="/team/", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="runner", PolicyArn=POLICY)
    iam.put_role_policy(RoleName="runner", PolicyName="own", PolicyDocument=READ)
    iam.create_role(RoleName="gone", AssumeRolePolicyDocument=TRUST)
    iam.delete_role(RoleName="gone")


def make_function(functions: Any) -> None:
    functions.create_function(
        FunctionName="f",
        Role=ROLE,
        Runtime="python3.12",
        Handler="main.handler",
        Code=code("one"),
        Tags={"team": "ml"},
        Publish=True,
    )
    functions.update_function_code(FunctionName="f", **code("two"))
    functions.publish_version(FunctionName="f")
    functions.update_function_code(FunctionName="f", **code("three"))
    functions.update_function_configuration(FunctionName="f", Timeout=7)
    functions.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    functions.update_alias(FunctionName="f", Name="live", FunctionVersion="2")
    functions.add_permission(
        FunctionName="f", StatementId="s", Action="lambda:InvokeFunction", Principal="*"
    )


def make_queue(sqs: Any) -> str:
    url: str = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "5"})["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "0"})
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "2"})
    sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
    sqs.delete_queue(QueueUrl=sqs.create_queue(QueueName="gone")["QueueUrl"])
    return url


def make_callbacks(sqs: Any, sagemaker: Any, url: str) -> None:
    attributes = {"a": {"DataType": "String", "StringValue": "b"}}
    sqs.send_message(QueueUrl=url, MessageBody=message(OPEN), MessageAttributes=attributes)
    sqs.send_message(QueueUrl=url, MessageBody=message(ANSWERED))
    entries = [{"Id": each, "MessageBody": each} for each in (DELETED, "batch")]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    taken = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    for each in taken:
        if each["Body"] == DELETED:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    sagemaker.send_pipeline_execution_step_success(CallbackToken=ANSWERED, OutputParameters=OUTPUTS)


def message(token: str) -> str:
    return json.dumps({"token": token, "pipelineExecutionArn": EXECUTION})


def make_clusters(emr: Any, folder: Path) -> tuple[str, str]:
    """A cluster that stays, with a step of each state, and one that does not stay."""
    files = [folder / "first", folder / "second"]
    steps = [step("true"), step(f": > {files[0]}; sleep 600 & wait"), step("true")]
    lasting = emr.run_job_flow(Name="c", Instances=instances(keeps=True), Steps=steps)
    only = step(f": > {files[1]}; sleep 600")
    passing = emr.run_job_flow(Name="c", Instances=instances(keeps=False), Steps=[only])
    until(lambda: all(file.exists() for file in files))
    return lasting["JobFlowId"], passing["JobFlowId"]


def step(script: str) -> dict[str, Any]:
    jar = {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]}
    return {"Name": "s", "ActionOnFailure": "CONTINUE", "HadoopJarStep": jar}


def instances(*, keeps: bool) -> dict[str, Any]:
    return {"InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": keeps}


def make_job_runs(serverless: Any, s3: Any, folder: Path) -> dict[str, Any]:
    """What StartJobRun has answered for a run that is in progress, and of the same token."""
    file = folder / "third"
    s3.create_bucket(Bucket="scripts")
    script = f"open({str(file)!r}, 'w'); import time; time.sleep(600)"
    s3.put_object(Bucket="scripts", Key="main.py", Body=script.encode())
    made = serverless.create_application(
        releaseLabel="emr-7.0.0", type="SPARK", clientToken="t", tags={"team": "ml"}
    )
    run = serverless.start_job_run(**job_run(made["applicationId"]))
    until(file.exists)
    return {"application": made, "run": run}


def job_run(application: str) -> dict[str, Any]:
    return {
        "applicationId": application,
        "clientToken": "t",
        "executionRoleArn": ROLE,
        "jobDriver": {"sparkSubmit": {"entryPoint": "s3://scripts/main.py"}},
    }


def make(server: Server) -> dict[str, Any]:
    functions, sqs = server.client("lambda"), server.client("sqs")
    make_role(server.client("iam"))
    make_function(functions)
    url = make_queue(sqs)
    make_callbacks(sqs, server.client("sagemaker"), url)
    function = functions.get_function(FunctionName="f")["Configuration"]
    mapping = functions.create_event_source_mapping(
        EventSourceArn=QUEUE, FunctionName="f", Enabled=False
    )
    return {"function": function, "queue_url": url, "mapping": mapping}


def make_work(server: Server, folder: Path) -> dict[str, Any]:
    serverless = make_job_runs(server.client("emr-serverless"), server.client("s3"), folder)
    return {"clusters": make_clusters(server.client("emr"), folder), **serverless}


@dataclass(frozen=True, slots=True)
class Again:
    """A server that has the root of a killed one, and what that had told."""

    server: Server
    root: Path
    before: dict[str, Any]


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    root = tmp_path_factory.mktemp("killed") / "root"
    with Server(root) as server:
        before = {**make(server), **make_work(server, root.parent)}
    with Server(root) as server:
        yield Again(server, root, before)


def test_a_function_is_what_it_was_and_runs(again: Again) -> None:
    functions, before = again.server.client("lambda"), again.before["function"]
    told = functions.get_function(FunctionName="f")
    assert told["Tags"] == {"team": "ml"}
    for member in ("FunctionArn", "CodeSha256", "Timeout", "Handler", "Runtime", "Role"):
        assert told["Configuration"][member] == before[member]
    assert functions.get_alias(FunctionName="f", Name="live")["FunctionVersion"] == "2"
    assert (
        json.loads(functions.get_policy(FunctionName="f")["Policy"])["Statement"][0]["Sid"] == "s"
    )
    versions = functions.list_versions_by_function(FunctionName="f")["Versions"]
    assert [each["Version"] for each in versions] == ["$LATEST", "1", "2"]
    assert versions[1]["CodeSha256"] != versions[2]["CodeSha256"]
    answer = functions.invoke(FunctionName="f")
    assert json.loads(answer["Payload"].read()) == "three"


def test_a_queue_has_its_function(again: Again) -> None:
    functions, made = again.server.client("lambda"), again.before["mapping"]
    told = functions.get_event_source_mapping(UUID=made["UUID"])
    assert told["State"] == "Disabled"
    for member in ("EventSourceArn", "FunctionArn", "BatchSize", "LastModified"):
        assert told[member] == made[member]


def test_a_role_has_its_policies(again: Again) -> None:
    iam = again.server.client("iam")
    listed = [each["Arn"] for each in iam.list_roles()["Roles"]]
    assert sorted(listed) == ["arn:aws:iam::123456789012:role/SageMakerExecutionRole", ROLE]
    (attached,) = iam.list_attached_role_policies(RoleName="runner")["AttachedPolicies"]
    assert attached["PolicyArn"] == POLICY
    assert iam.list_role_policies(RoleName="runner")["PolicyNames"] == ["own"]


def test_a_queue_is_what_it_was(again: Again) -> None:
    sqs = again.server.client("sqs")
    (only,) = sqs.list_queues()["QueueUrls"]
    assert only.rpartition("/")[2] == again.before["queue_url"].rpartition("/")[2]
    attributes = sqs.get_queue_attributes(QueueUrl=only, AttributeNames=["All"])["Attributes"]
    assert (attributes["VisibilityTimeout"], attributes["DelaySeconds"]) == ("5", "0")
    assert sqs.list_queue_tags(QueueUrl=only)["Tags"] == {"b": "2"}


def test_messages_that_nobody_has_deleted_come_again(again: Again) -> None:
    sqs = again.server.client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    bodies = [each["Body"] for each in answer["Messages"]]
    assert bodies == [message(OPEN), message(ANSWERED), "batch"]
    assert answer["Messages"][0]["MessageAttributes"]["a"]["StringValue"] == "b"


def test_callbacks_are_as_they_were_answered(again: Again) -> None:
    sagemaker = again.server.client("sagemaker")
    told = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=EXECUTION)
    steps = {
        each["Metadata"]["Callback"]["CallbackToken"]: each
        for each in told["PipelineExecutionSteps"]
    }
    assert steps.keys() == {OPEN, ANSWERED}
    assert steps[OPEN]["StepStatus"] == "Executing"
    assert steps[ANSWERED]["StepStatus"] == "Succeeded"
    assert steps[ANSWERED]["Metadata"]["Callback"]["OutputParameters"] == OUTPUTS
    with pytest.raises(sagemaker.exceptions.ConflictException):
        sagemaker.send_pipeline_execution_step_success(CallbackToken=ANSWERED)


def test_a_step_that_ran_has_failed_and_the_cluster_takes_others(again: Again) -> None:
    emr, (cluster, _) = again.server.client("emr"), again.before["clusters"]
    pending, running, ended = emr.list_steps(ClusterId=cluster)["Steps"][-3:]
    assert (ended["Status"]["State"], running["Status"]["State"]) == ("COMPLETED", "FAILED")
    assert running["Status"]["FailureDetails"]["Message"] == DIED
    assert pending["Status"]["State"] == "CANCELLED"
    assert pending["Status"]["StateChangeReason"]["Message"] == DIED
    timeline = running["Status"]["Timeline"]
    assert timeline["CreationDateTime"] <= timeline["StartDateTime"] < timeline["EndDateTime"]
    assert emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"] == "WAITING"
    (added,) = emr.add_job_flow_steps(JobFlowId=cluster, Steps=[step("true")])["StepIds"]

    def state() -> str:
        return str(emr.describe_step(ClusterId=cluster, StepId=added)["Step"]["Status"]["State"])

    until(lambda: state() == "COMPLETED")


def test_a_cluster_that_was_not_to_stay_has_ended(again: Again) -> None:
    emr, (lasting, cluster) = again.server.client("emr"), again.before["clusters"]
    status = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]
    assert status["State"] == "TERMINATED_WITH_ERRORS"
    assert status["StateChangeReason"] == {"Code": "INTERNAL_ERROR", "Message": DIED}
    listed = [each["Id"] for each in emr.list_clusters()["Clusters"]]
    assert listed == [cluster, lasting]


def test_a_job_run_that_ran_has_failed_and_its_application_is_there(again: Again) -> None:
    serverless, made = again.server.client("emr-serverless"), again.before["application"]
    application = serverless.get_application(applicationId=made["applicationId"])["application"]
    assert (application["arn"], application["state"]) == (made["arn"], "STARTED")
    assert application["tags"] == {"team": "ml"}
    run = again.before["run"]
    told = serverless.get_job_run(applicationId=run["applicationId"], jobRunId=run["jobRunId"])
    assert told["jobRun"]["state"] == "FAILED"
    assert told["jobRun"]["stateDetails"] == job_runs.DIED
    del run["ResponseMetadata"]
    same = serverless.start_job_run(**job_run(made["applicationId"]))
    assert {key: same[key] for key in run} == run
    assert not launchers(again.root)
