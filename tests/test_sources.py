"""Where a definition may come from, against real files, the local AWS and the real SDK."""

import gc
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from airflow.sdk import ObjectStoragePath

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.document import LARGEST_TEXT
from airflow_sm_pipelines.errors import AccessDeniedError, DefinitionError, SourceError
from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.sources import (
    ANSWERS,
    SCHEMES,
    fetch,
    is_remote,
    load_from,
    require_file,
)
from tests.answering import answers, connection

ROOT = Path(__file__).parents[1]
SDK_PYTHON = ROOT / ".venvs" / "sdk" / "bin" / "python"
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
STEP = {"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "enough"}}
TEXT = json.dumps({"Version": "2020-12-01", "Steps": [STEP]})
CURES = "a path, s3://bucket/key, pipeline:NAME or pipeline:NAME@VERSION"


def refusal(reference: Any, **arguments: Any) -> str:
    with pytest.raises(SourceError) as caught:
        load_from(reference, **arguments)
    return str(caught.value)


@dataclass
class SdkPipeline:
    """What is asked of a Pipeline of the SageMaker SDK, of either version."""

    text: Any = TEXT
    name: Any = "Abalone"

    def definition(self) -> str:
        if isinstance(self.text, Exception):
            raise self.text
        return self.text  # type: ignore[no-any-return]


# Files


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize(
    ("place", "name"), [("abalone.json", "abalone"), ("abalone/definition.json", "abalone")]
)
def test_a_file_gives_the_pipeline_its_name(
    tmp_path: Path, kind: type, place: str, name: str
) -> None:
    file = tmp_path / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(TEXT, encoding="utf-8")
    pipeline = load_from(kind(file))
    assert (pipeline.name, [step.name for step in pipeline.steps]) == (name, ["Stop"])
    assert fetch(kind(file)).path == file


def test_a_file_whose_name_looks_like_a_scheme_is_read_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pipeline:abalone").write_text(TEXT, encoding="utf-8")
    (tmp_path / "s3:abalone").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert load_from("./pipeline:abalone").name == "pipeline:abalone"
    assert load_from("s3:abalone").name == "s3:abalone"


def test_problems_of_a_definition_have_their_places_in_it(tmp_path: Path) -> None:
    file = tmp_path / "abalone.json"
    file.write_text('{"Version": "1999", "Steps": []}', encoding="utf-8")
    with pytest.raises(DefinitionError) as caught:
        load_from(file)
    assert "$.Version" in {problem.where for problem in caught.value.problems}


@pytest.mark.parametrize("key", ["abalone.json", "abalone/definition.json"])
def test_a_path_of_airflows_object_storage_is_read(key: str) -> None:
    path = ObjectStoragePath("memory://bucket") / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(TEXT.encode())
    found = fetch(path)
    assert (found.text, found.name, found.path) == (TEXT.encode(), "abalone", None)
    path.unlink()
    assert refusal(path) == f"{path}: {path.path}; name the definition's JSON file"


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("absent.json", "absent.json: No such file or directory; name the definition's JSON file"),
        (".", ".: is a folder; name the definition's JSON file"),
        ("\0", "\0: no path: embedded null byte; name the definition's JSON file"),
        ("gs://bucket/key", f"gs://bucket/key: no scheme that is known; give {CURES}, or an "
            "airflow.sdk.ObjectStoragePath"),
        ("pipelines://abalone", "pipelines://abalone: no scheme that is known; did you mean "
            f"'pipeline'?; give {CURES}, or an airflow.sdk.ObjectStoragePath"),
        (TEXT, "{...: a definition's text, no place; give it to load()"),
        (3, f"int: no place of a definition; give {CURES} or an SDK's Pipeline"),
        ("s3://bucket", "s3://bucket: not the URI of an object; write s3://bucket/key"),
        ("s3://bucket/", "s3://bucket/: not the URI of an object; write s3://bucket/key"),
        ("s3://@bucket/k", "s3://@bucket/k: not the URI of an object; write s3://bucket/key"),
        *(
            (f"pipeline:{name}", f"pipeline:{name}: not the name of a pipeline; "
            "write pipeline:NAME or pipeline:NAME@VERSION")
            for name in ("", "a b", "a@", "a@0", "a@b@c", "-a", "//a", "arn:aws:iam::1:role/r")
        ),
    ],
)  # fmt: skip
def test_what_leads_nowhere_is_told(
    reference: Any, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(reference) == told


def test_an_arn_says_the_region_and_no_other_may_be_asked_for() -> None:
    arn = "pipeline:arn:aws:sagemaker:eu-west-1:123456789012:pipeline/abalone"
    assert refusal(arn, region_name="us-east-1") == (
        f"{arn}: in the region eu-west-1, and us-east-1 was asked for; leave that out"
    )


def test_what_asks_aws_is_known_by_its_start() -> None:
    assert is_remote("s3://bucket/key")
    assert is_remote("pipeline:abalone")
    assert not any(map(is_remote, ["a.json", "s3:a", "./pipeline:a", "-", "gs://b/k"]))


# Objects


def test_an_object_of_the_sdk_gives_its_definition_and_name() -> None:
    pipeline = load_from(SdkPipeline())
    assert (pipeline.name, len(pipeline.steps)) == ("Abalone", 1)


def test_an_object_whose_name_is_no_text_is_called_pipeline() -> None:
    assert load_from(SdkPipeline(name=None)).name == "pipeline"


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        (
            SdkPipeline(ValueError("no role")),
            "SdkPipeline Abalone: definition() raised ValueError: no role; it has to return a text",
        ),
        (
            SdkPipeline({"Version": 1}, name=None),
            "SdkPipeline without a name: definition() returned a dict; it has to return JSON text",
        ),
    ],
)
def test_an_object_that_makes_no_text_is_named_with_the_cause(
    pipeline: SdkPipeline, told: str
) -> None:
    assert refusal(pipeline) == told


def test_a_class_in_place_of_its_object_is_told() -> None:
    assert "definition() raised TypeError" in refusal(SdkPipeline)


def test_a_keyboard_interrupt_inside_an_object_is_not_swallowed() -> None:
    class Interrupted(SdkPipeline):
        def definition(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_from(Interrupted())


@pytest.mark.parametrize("kind", [Path, Pipeline])
@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("s3://bucket/key", "s3://bucket/key"),
        ("pipeline:Abalone", "pipeline:Abalone"),
        (SdkPipeline(), "SdkPipeline"),
        (ObjectStoragePath("memory://bucket/key"), "ObjectStoragePath"),
    ],
)
def test_a_dag_file_is_told_why_it_reads_files_alone(
    given: object, where: str, kind: type[Path] | type[Pipeline]
) -> None:
    with pytest.raises(SourceError) as caught:
        require_file(given, kind)
    told = str(caught.value)
    assert told.startswith(f"{where}: a DAG file reads JSON files alone, because ")
    assert told.endswith("; write the definition to a file once, and give its pathlib.Path to "
        "load_dag")  # fmt: skip


@pytest.mark.parametrize(
    ("given", "kind", "told"),
    [
        ("a.json", Path, "a.json: str where Path is expected; "
            "give the pathlib.Path of a JSON file"),
        (3, Pipeline, "int: int where Pipeline is expected; give what load() returns, or the "
            "pathlib.Path of a JSON file to load_dag"),
    ],
)  # fmt: skip
def test_a_dag_file_is_told_what_to_give(
    given: object, kind: type[Path] | type[Pipeline], told: str
) -> None:
    with pytest.raises(SourceError) as caught:
        require_file(given, kind)
    assert str(caught.value) == told


def test_a_dag_file_may_give_a_path_and_what_is_read_there(tmp_path: Path) -> None:
    require_file(tmp_path, Path)
    require_file(load_from(SdkPipeline()), Pipeline)


SDK_PROGRAM = """
import logging, sys, warnings
warnings.simplefilter("ignore")
logging.disable()
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import LocalPipelineSession
import boto3
from airflow_sm_pipelines.errors import SourceError
from airflow_sm_pipelines.sources import load_from

session = LocalPipelineSession(boto_session=boto3.Session(region_name="us-east-1"))
rounds = ParameterInteger("Rounds", default_value=3)
steps = [FailStep("Stop", error_message="enough")]
made = Pipeline("Abalone", parameters=[rounds], steps=steps, sagemaker_session=session)
pipeline = load_from(made)
print(pipeline.name, pipeline.parameters[0].default, [step.name for step in pipeline.walk()])
try:
    load_from(Pipeline("Broken", steps=[3], sagemaker_session=session))
except SourceError as error:
    print(error)
try:
    load_from("pipeline:Abalone")
except SourceError as error:
    print(error)
print("airflow" in sys.modules)
"""


@pytest.mark.slow
def test_a_pipeline_of_the_real_sdk_is_read_where_airflow_is_not() -> None:
    if not SDK_PYTHON.exists():
        pytest.skip(".venvs/sdk is missing: make it with `make sdk`")
    variables = {"PYTHONPATH": str(ROOT), "SAGEMAKER_SUPPRESS_V2_WARNING": "1"}
    done = subprocess.run(
        [SDK_PYTHON, "-c", SDK_PROGRAM],
        env={**variables, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made, broken, remote, airflow = done.stdout.splitlines()[-4:]
    assert made == "Abalone 3 ['Stop']"
    assert broken.startswith("Pipeline Broken: definition() raised ")
    assert remote == (
        "pipeline:Abalone: No module named 'airflow'; pip install airflow-sm-pipelines, which "
        "brings Airflow's connections to AWS"
    )
    assert airflow == "False"


def test_reading_a_file_costs_neither_airflow_nor_boto3(tmp_path: Path) -> None:
    (tmp_path / "abalone.json").write_text(TEXT, encoding="utf-8")
    code = (
        "import sys; from airflow_sm_pipelines.sources import load_from; "
        f"load_from({str(tmp_path / 'abalone.json')!r}); "
        "print({'airflow', 'boto3', 'botocore'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# AWS: the local one


@pytest.fixture
def s3(aws_environment: LocalAWS) -> Any:
    client: Any = boto3.client("s3")
    client.create_bucket(Bucket="definitions")
    yield client
    for found in client.list_objects_v2(Bucket="definitions").get("Contents", ()):
        client.delete_object(Bucket="definitions", Key=found["Key"])
    client.delete_bucket(Bucket="definitions")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("abalone.json", "abalone"),
        ("teams/abalone/definition.json", "abalone"),
        ("definition.json", "definitions"),
        ("a/..", "pipeline"),
    ],
)
def test_an_object_in_s3_is_read_and_named_like_a_file(s3: Any, key: str, name: str) -> None:
    s3.put_object(Bucket="definitions", Key=key, Body=TEXT.encode())
    assert load_from(f"s3://definitions/{key}").name == name


def test_the_connection_may_stand_in_the_uri(
    s3: Any, aws_environment: LocalAWS, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put_object(Bucket="definitions", Key="abalone.json", Body=TEXT.encode())
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    other = aws_environment.environment["AIRFLOW_CONN_AWS_DEFAULT"]
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", other)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", connection("http://127.0.0.1:1"))
    assert load_from("s3://other@definitions/abalone.json").name == "abalone"


def test_what_is_not_in_s3_is_told(s3: Any) -> None:
    s3.put_object(Bucket="definitions", Key="large.json", Body=b" " * (LARGEST_TEXT + 1))
    assert refusal("s3://definitions/absent.json") == (
        "s3://definitions/absent.json: no such object; name one that is there"
    )
    assert refusal("s3://no-such-bucket/absent.json") == (
        "s3://no-such-bucket/absent.json: no such bucket; name one that is there"
    )
    assert refusal("s3://definitions/large.json") == (
        "s3://definitions/large.json: an object of 8,388,609 bytes; a definition is at most 1 MiB, "
        "and up to 8,388,608 is read"
    )
    gc.collect()  # a connection that was left open warns when it goes, and a warning is an error


@pytest.fixture
def account(aws_environment: LocalAWS) -> Any:
    client: Any = boto3.client("sagemaker")
    client.create_pipeline(
        PipelineName="Abalone",
        PipelineDisplayName="Rings",
        PipelineDescription="From shells to ages",
        PipelineDefinition=TEXT,
        ClientRequestToken="t" * 32,
        RoleArn=ROLE,
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    yield client
    client.delete_pipeline(PipelineName="Abalone", ClientRequestToken="t" * 32)


def test_a_pipeline_of_the_account_comes_with_what_the_account_knows_of_it(account: Any) -> None:
    pipeline = load_from("pipeline:Abalone")
    assert (pipeline.name, pipeline.display_name, pipeline.description) == (
        "Abalone",
        "Rings",
        "From shells to ages",
    )
    assert (pipeline.role_arn, pipeline.max_parallel_steps) == (ROLE, 2)
    assert [step.name for step in pipeline.steps] == ["Stop"]


def test_a_pipeline_that_is_not_in_the_region_is_told_with_the_region(account: Any) -> None:
    assert refusal("pipeline:Abalone", region_name="eu-west-1") == (
        "pipeline:Abalone: no such pipeline or version in the region eu-west-1; name one that is "
        "there, or another region"
    )


# AWS: one that answers as it is told to


@pytest.mark.parametrize(
    ("reference", "request_", "region"),
    [
        ("Abalone", {"PipelineName": "Abalone"}, "us-east-1"),
        ("Abalone@12", {"PipelineName": "Abalone", "PipelineVersionId": 12}, "us-east-1"),
        (
            "Abalone@v1.2",
            {"PipelineName": "Abalone", "PipelineVersionAlias": "v1.2"},
            "us-east-1",
        ),
        (
            "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/abalone@3",
            {
                "PipelineName": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/abalone",
                "PipelineVersionId": 3,
            },
            "eu-west-1",
        ),
    ],
)
def test_a_version_is_asked_for_by_its_id_or_alias(
    reference: str, request_: dict[str, Any], region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"PipelineName": "Abalone", "PipelineDefinition": TEXT}
    with answers(monkeypatch, 200, **answer) as answering:
        assert load_from(f"pipeline:{reference}", aws_conn_id="answering").name == "Abalone"
    assert (answering.asked, answering.regions) == ([request_], [region])


PIPELINE = "pipeline:Abalone"
OBJECT = "s3://definitions/abalone.json"


@pytest.mark.parametrize(
    ("reference", "status", "code", "message", "told"),
    [
        (PIPELINE, 400, "ResourceNotFound", "", "no such pipeline or version in the region "
            "us-east-1; name one that is there, or another region"),
        (PIPELINE, 400, "ValidationException", "Pipeline does not exist", "no such pipeline or "
            "version in the region us-east-1; name one that is there, or another region"),
        (PIPELINE, 400, "ValidationException", "odd", "An error occurred (ValidationException) "
            "when calling the DescribePipeline operation: odd; look at the connection and its "
            "region, us-east-1"),
        (PIPELINE, 400, "ExpiredTokenException", "old", "An error occurred (ExpiredTokenException) "
            "when calling the DescribePipeline operation: old; look at the connection and its "
            "region, us-east-1"),
        (OBJECT, 404, "NoSuchKey", "", "no such object; name one that is there"),
        (OBJECT, 404, "NoSuchBucket", "", "no such bucket; name one that is there"),
        (OBJECT, 400, "AuthorizationHeaderMalformed", "the region 'us-east-1' is wrong", "the "
            "bucket is not in the region us-east-1; name the bucket's region"),
        (OBJECT, 400, "IllegalLocationConstraintException", "", "the bucket is not in the region "
            "us-east-1; name the bucket's region"),
        (OBJECT, 301, "PermanentRedirect", "", "the bucket is not in the region us-east-1; "
            "name the bucket's region"),
    ],
)  # fmt: skip
def test_what_aws_answers_is_told_as_what_it_means(
    reference: str,
    status: int,
    code: str,
    message: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = "__type" if reference == PIPELINE else "Code"
    with answers(monkeypatch, status, **{key: code, "Message": message, "message": message}):
        assert refusal(reference, aws_conn_id="answering") == f"{reference}: {told}"


def test_every_row_of_answers_is_met() -> None:
    marks = test_what_aws_answers_is_told_as_what_it_means.pytestmark  # type: ignore[attr-defined]
    codes = {case[2] for case in marks[0].args[1]}
    assert {code for code, _, _ in ANSWERS} <= codes


@pytest.mark.parametrize(
    ("reference", "key", "code", "action", "resource"),
    [
        (
            PIPELINE,
            "__type",
            "AccessDeniedException",
            "sagemaker:DescribePipeline",
            "Abalone",
        ),
        (OBJECT, "Code", "AccessDenied", "s3:GetObject", "definitions/abalone.json"),
    ],
)
def test_a_refusal_names_the_action(
    reference: str,
    key: str,
    code: str,
    action: str,
    resource: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        answers(monkeypatch, 403, **{key: code}),
        pytest.raises(AccessDeniedError) as caught,
    ):
        load_from(reference, aws_conn_id="answering")
    assert (caught.value.action, caught.value.resource) == (action, resource)


@pytest.mark.parametrize("reference", [PIPELINE, OBJECT])
def test_an_endpoint_that_does_not_answer_is_told(
    reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = {"retries": {"max_attempts": 0}}
    dead = connection("http://127.0.0.1:1", config_kwargs=once)
    monkeypatch.setenv("AIRFLOW_CONN_DEAD", dead)
    told = refusal(reference, aws_conn_id="dead")
    assert told.startswith(f"{reference}: Could not connect to the endpoint URL")
    assert told.endswith("; look at the connection and its region, us-east-1")


def test_a_connection_without_a_region_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", '{"conn_type": "aws"}')
    assert refusal(PIPELINE, aws_conn_id="nowhere") == (
        f"{PIPELINE}: You must specify a region.; look at the connection and its region"
    )


def test_an_older_botocore_is_told_to_be_upgraded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Botocore prefers a service model from AWS_DATA_PATH: here one that knows no versions."""
    import botocore.loaders

    loader = botocore.loaders.Loader()
    model = loader.load_service_model("sagemaker", "service-2")
    members = model["shapes"]["DescribePipelineRequest"]["members"]
    del members["PipelineVersionAlias"]
    version = loader.determine_latest_version("sagemaker", "service-2")
    folder = tmp_path / "sagemaker" / version
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model), encoding="utf-8")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_DEAD", connection("http://127.0.0.1:1"))
    assert refusal("pipeline:Abalone@prod", aws_conn_id="dead") == (
        "pipeline:Abalone@prod: this botocore does not know PipelineVersionAlias; "
        "upgrade boto3 and botocore"
    )


def test_every_scheme_is_one_that_a_reference_can_start_with() -> None:
    assert all(is_remote(f"{scheme}://") for scheme in SCHEMES)
