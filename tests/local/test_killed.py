"""What services other than SageMaker have again after `kill -9` of the server and a new start."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from .killed import TRUST, Server, code

READ = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
    }
)
ROLE = "arn:aws:iam::123456789012:role/team/runner"
POLICY = "arn:aws:iam::123456789012:policy/team/reader"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A server that has the root of a killed one, and what that had told."""

    server: Server
    function: dict[str, Any]
    queue_url: str


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Again]:
    root = tmp_path_factory.mktemp("killed") / "root"
    with Server(root) as server:
        make_role(server.client("iam"))
        make_function(server.client("lambda"))
        function = server.client("lambda").get_function(FunctionName="f")["Configuration"]
        url = make_queue(server.client("sqs"))
        make_callbacks(server.client("sqs"), server.client("sagemaker"), url)
    with Server(root) as server:
        yield Again(server=server, function=function, queue_url=url)


def test_a_function_is_what_it_was_and_runs(again: Again) -> None:
    functions, before = again.server.client("lambda"), again.function
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
    assert only.rpartition("/")[2] == again.queue_url.rpartition("/")[2]
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
