"""What is kept of requests to moto's services and told again; a killed server: `test_killed`."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.backend import Moto
from airflow_sm_pipelines.local.calls import Call, model
from airflow_sm_pipelines.local.kept import Shelf
from airflow_sm_pipelines.local.remembered import CHANGES, NEEDED, Remembered
from airflow_sm_pipelines.local.transport import WSGIApp, connect

from .killed import SESSION, TRUST, code


@pytest.fixture
def client(tmp_path: Path) -> Callable[..., Any]:
    """Clients of services that are remembered below a folder; a server started anew has `moto`."""
    moto = Moto()

    def made(service: str, app: WSGIApp | None = None) -> Any:
        found = SESSION.client(service, region_name="eu-west-1")
        connect(found, Remembered(app or moto, tmp_path))
        return found

    return made


def kept(folder: Path, service: str, resource: str) -> list[str]:
    """The operations that are kept of a resource."""
    value = Shelf(folder / service).get(resource)
    return [each["Operation"] for each in value["Requests"]] if value else []


def test_a_request_that_says_all_of_an_earlier_one_takes_its_place(
    client: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes={"DelaySeconds": "1"})["QueueUrl"]
    for seconds in range(5):
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": str(seconds)})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "9"})
    for _ in range(3):
        sqs.tag_queue(QueueUrl=url, Tags={"a": "1", "b": "1"})
        sqs.untag_queue(QueueUrl=url, TagKeys=["a"])
        sqs.untag_queue(QueueUrl=url, TagKeys=["b"])
    changes = ["SetQueueAttributes", "SetQueueAttributes", "TagQueue", "UntagQueue", "UntagQueue"]
    assert kept(tmp_path, "sqs", f"queue {name}") == ["CreateQueue", *changes]
    sqs.delete_queue(QueueUrl=url)
    assert kept(tmp_path, "sqs", f"queue {name}") == []


def test_what_a_version_was_made_of_is_kept(
    client: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    functions = client("lambda")
    role = f"arn:aws:iam::123456789012:role/{name}"
    made = {"FunctionName": name, "Role": role, "Runtime": "python3.12", "Handler": "main.handler"}
    arn = functions.create_function(**made, Code=code("0"))["FunctionArn"]
    for number in range(3):
        functions.update_function_code(FunctionName=name, **code(str(number)))
    functions.publish_version(FunctionName=name)
    functions.update_function_code(FunctionName=arn, **code("4"))
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    functions.delete_alias(FunctionName=name, Name="live")
    update, publish = "UpdateFunctionCode", "PublishVersion"
    resource = f"function {name}"
    assert kept(tmp_path, "lambda", resource) == ["CreateFunction", update, publish, update]
    functions.delete_function(FunctionName=name, Qualifier="1")
    assert kept(tmp_path, "lambda", resource)[-1] == "DeleteFunction"
    functions.delete_function(FunctionName=name)
    assert kept(tmp_path, "lambda", resource) == []


def test_lists_of_the_query_protocol_are_told_apart_by_their_elements(
    client: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    iam = client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    for key in ("a", "b", "a"):
        iam.tag_role(RoleName=name, Tags=[{"Key": key, "Value": "1"}])
    for path in ("one", "two"):
        iam.update_role(RoleName=name, Description=path)
    assert kept(tmp_path, "iam", f"role {name}") == [
        "CreateRole",
        "TagRole",
        "TagRole",
        "UpdateRole",
    ]


def test_what_is_refused_is_not_kept(client: Callable[..., Any], tmp_path: Path, name: str) -> None:
    iam = client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "b"}])
    assert not (tmp_path / "iam").exists()


def test_a_region_and_the_order_of_what_was_told_are_those_of_before(
    client: Callable[..., Any], name: str
) -> None:
    sent: list[tuple[str, str]] = []

    def deaf(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        sent.append((environ["HTTP_X_AMZ_TARGET"], environ["HTTP_AUTHORIZATION"]))
        start_response("400 Bad Request", [])
        return [b"{}"]

    sqs = client("sqs")
    for queue in (f"{name}-b", f"{name}-a"):
        url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    sqs.tag_queue(QueueUrl=url, Tags={"a": "1"})
    with pytest.raises(sqs.exceptions.ClientError):
        client("sqs", deaf).list_queues()
    operations = [target.partition(".")[2] for target, _ in sent]
    assert operations == ["CreateQueue", "CreateQueue", "TagQueue", "ListQueues"]
    assert all("/eu-west-1/sqs/" in signed for _, signed in sent)


def test_what_is_not_as_before_is_told(
    client: Callable[..., Any], tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    Shelf(tmp_path / "iam").put("role damaged", {"Requests": [{"At": "yesterday"}]})
    client("iam").list_roles()  # of a server that has it already
    assert f"role {name}: CreateRole: not as before: " in caplog.text
    assert "role damaged: left out: it is no list of requests" in caplog.text


ROWS = [(service, name) for service, rows in CHANGES.items() for name in rows]


@pytest.mark.parametrize(("service", "operation"), ROWS)
def test_a_row_is_an_operation_and_names_members_of_it(service: str, operation: str) -> None:
    found: Any = model(Call(service=service, operation=operation))
    assert found is not None
    own = {"Policy": "PolicyName" if operation == "CreatePolicy" else "PolicyArn"}
    change = CHANGES[service][operation]
    named = [own.get(member, member) for member in (*change.of, change.unless) if member]
    assert set(named) <= set(found.input_shape.members)


def test_what_is_needed_is_kept() -> None:
    assert {*NEEDED, *(each for needed in NEEDED.values() for each in needed)} <= set(CHANGES)
