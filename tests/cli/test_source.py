"""What `airflow-sm` reads definitions from; the commands themselves are in tests of their own."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from airflow_sm_pipelines.cli import source
from airflow_sm_pipelines.cli.errors import FAILED, REFUSED, CommandError
from airflow_sm_pipelines.files import pipeline_name
from airflow_sm_pipelines.local import LocalAWS
from tests.answering import answers
from tests.cli.conftest import DEFINITION

TEXT = DEFINITION.read_text(encoding="utf-8")


@pytest.fixture
def bucket(aws_environment: LocalAWS) -> Any:
    client: Any = boto3.client("s3")
    client.create_bucket(Bucket="command-line")
    client.put_object(Bucket="command-line", Key="work/definition.json", Body=TEXT.encode())
    yield "s3://command-line"
    client.delete_object(Bucket="command-line", Key="work/definition.json")
    client.delete_bucket(Bucket="command-line")


def give(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """Let standard input hold this."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_and_stays_where_it_is(kind: type, tmp_path: Path) -> None:
    found = source.find(kind(DEFINITION))
    assert source.pipeline(found).name == "work"
    assert source.on_disk(found, tmp_path) == DEFINITION
    assert list(tmp_path.iterdir()) == []


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, TEXT.encode())
    pipeline = source.read("-")
    assert (pipeline.name, len(pipeline.steps) > 0) == ("pipeline", True)


def test_problems_are_told_with_their_source_and_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, b"import os")
    with pytest.raises(CommandError) as caught:
        source.read("-")
    assert caught.value.exit_code == FAILED
    assert caught.value.lines == (
        "-: $: Python source; run it, and save what Pipeline.definition() returns",
    )


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("absent.json", "absent.json: No such file or directory; name the definition's JSON file"),
        ("s3://bucket", "s3://bucket: not the URI of an object; write s3://bucket/key"),
        (
            "pipeline:",
            "pipeline:: not the name of a pipeline; write pipeline:NAME or pipeline:NAME@VERSION",
        ),
    ],
)
def test_what_cannot_be_read_is_exit_2(reference: str, told: str) -> None:
    with pytest.raises(CommandError) as caught:
        source.read(reference)
    assert (caught.value.exit_code, caught.value.lines) == (REFUSED, (told,))


def test_an_object_in_s3_is_read_by_a_connection_and_written_below_the_run(
    bucket: str, tmp_path: Path
) -> None:
    found = source.find(f"{bucket}/work/definition.json", connection="aws_default")
    assert source.pipeline(found).name == "work"
    file = source.on_disk(found, tmp_path)
    assert file.is_relative_to(tmp_path)
    assert (file.read_text(encoding="utf-8"), pipeline_name(file)) == (TEXT, "work")


def test_what_aws_does_not_have_is_exit_2_without_a_connection_too(bucket: str) -> None:
    with pytest.raises(CommandError) as caught:
        source.read(f"{bucket}/absent.json")
    assert (caught.value.exit_code, caught.value.lines) == (
        REFUSED,
        (f"{bucket}/absent.json: no such object; name one that is there",),
    )


def test_a_region_is_handed_on(aws_environment: LocalAWS) -> None:
    with pytest.raises(CommandError) as caught:
        source.read("pipeline:Absent", connection="aws_default", region="eu-west-1")
    assert "in the region eu-west-1" in str(caught.value)


def test_a_pipeline_of_the_account_keeps_what_the_account_knows_on_disk(
    aws_environment: LocalAWS, tmp_path: Path
) -> None:
    client: Any = boto3.client("sagemaker")
    role = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
    token = "t" * 32
    client.create_pipeline(
        PipelineName="Work", PipelineDefinition=TEXT, ClientRequestToken=token, RoleArn=role
    )
    try:
        found = source.find("pipeline:Work", connection="aws_default")
    finally:
        client.delete_pipeline(PipelineName="Work", ClientRequestToken=token)
    again = source.pipeline(source.find(source.on_disk(found, tmp_path)))
    assert (again.name, again.role_arn) == ("Work", role)
    assert again == source.pipeline(found)


def test_a_refusal_of_aws_is_exit_2_and_names_the_action(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        answers(monkeypatch, 403, Code="AccessDenied", Message="no"),
        pytest.raises(CommandError) as caught,
    ):
        source.read("s3://bucket/key", connection="answering")
    assert (caught.value.exit_code, caught.value.lines) == (
        REFUSED,
        (
            "s3://bucket/key: s3:GetObject on bucket/key: access denied; allow the action for the "
            "connection's identity. AWS says: no",
        ),
    )


def test_this_process_has_not_imported_airflow_after_aws_was_asked(bucket: str) -> None:
    """`airflow-sm run` makes Airflow's settings later, and Airflow reads them once."""
    code = (
        "import sys; from airflow_sm_pipelines.cli import source; "
        f"print(source.read('{bucket}/work/definition.json').name); "
        "print({'airflow', 'boto3', 'botocore'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["work", "set()"]
