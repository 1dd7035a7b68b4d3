"""Transform jobs, over the wire: what reaches the model, and what becomes of its answers."""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from airflow_sm_pipelines.local import LocalAWS
from airflow_sm_pipelines.local.images import Images
from airflow_sm_pipelines.local.sandbox import choose

from ..calls import until
from ..models import (
    OWN_NETWORK,
    OWN_PORT,
    ROLE,
    final_transform_job,
    make_model,
    outputs,
    server,
    transform_request,
)

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Transformed = Callable[..., dict[str, Any]]


@pytest.fixture
def create(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> Callable[..., str]:
    """Create a transform job of a model that serves itself; keywords replace members."""

    def made(
        code: str = "",
        inputs: Mapping[str, str | bytes] | None = None,
        *,
        image: str = OWN_PORT,
        files: Mapping[str, str] | None = None,
        source: Mapping[str, Any] | None = None,
        output: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        for key, content in (inputs or {"a.csv": "one\ntwo\n"}).items():
            s3.put_object(Bucket=bucket, Key=f"in/{key}", Body=content)
        make_model(sagemaker, s3, bucket, files or server(code), name=name, image=image)
        request = {**transform_request(name, name, bucket), **changes}
        request["TransformInput"] = {**request["TransformInput"], **(source or {})}
        request["TransformOutput"] = {**request["TransformOutput"], **(output or {})}
        sagemaker.create_transform_job(**request)
        return name

    return made


@pytest.fixture
def transformed(sagemaker: "SageMakerClient", create: Callable[..., str]) -> Transformed:
    """Run such a job to its end; its description."""
    return lambda *args, **keywords: final_transform_job(sagemaker, create(*args, **keywords))


# What a request was like, as the line that the model answers.
TELL = """
def answer(body, headers):
    return json.dumps([body.decode(), headers.get("Content-Type"), headers.get("Accept")]).encode()
"""


def told(s3: "S3Client", bucket: str, file: str = "a.csv.out") -> list[Any]:
    return [json.loads(line) for line in outputs(s3, bucket)[file].splitlines()]


@pytest.mark.parametrize("image", [OWN_PORT, OWN_NETWORK])
def test_each_line_is_answered_and_stored_below_the_output_path(
    transformed: Transformed, s3: "S3Client", bucket: str, image: str
) -> None:
    inputs = {"a.csv": "one\ntwo\n", "deep/b.csv": "three"}
    job = transformed(inputs=inputs, image=image)
    assert job["TransformJobStatus"] == "Completed"
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    assert outputs(s3, bucket) == {"a.csv.out": "ONE\nTWO\n", "deep/b.csv.out": "THREE\n"}


@pytest.mark.parametrize(
    ("changes", "bodies"),
    [
        ({}, ["one\ntwo\n"]),
        ({"BatchStrategy": "SingleRecord"}, ["one", "two"]),
        ({"source": {"SplitType": "None"}}, ["one\ntwo\n"]),
    ],
)
def test_a_request_has_what_the_strategy_says(
    transformed: Transformed, s3: "S3Client", bucket: str, changes: Any, bodies: list[str]
) -> None:
    transformed(TELL, **changes)
    assert told(s3, bucket) == [[body, "text/csv", "text/csv"] for body in bodies]


def test_a_request_is_no_larger_than_the_payload(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    line = "x" * 299_999 + "\n"
    count = "def answer(body, headers): return str(len(body.splitlines())).encode()"
    transformed(count, {"a.csv": line * 7}, MaxPayloadInMB=1)
    assert outputs(s3, bucket)["a.csv.out"] == "3\n3\n1\n"


def test_a_record_that_is_larger_than_the_payload_fails_the_job(
    transformed: Transformed,
) -> None:
    job = transformed(inputs={"a.csv": "x" * 1_100_000}, MaxPayloadInMB=1)
    assert job["FailureReason"] == (
        "ClientError: a.csv: Too much data for max payload size: a record has 1100000 bytes, "
        "MaxPayloadInMB allows 1048576; raise it (up to 100) or split the input"
    )


# Answers when as many requests are there as the job has asked for, and with their number.
MEET = """
import threading
meeting = threading.Barrier({count})

def answer(body, headers):
    meeting.wait(20)
    return body + b"!"
"""


def test_as_many_requests_are_made_at_once_as_the_job_says_and_results_keep_their_order(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    lines = {"a.csv": "".join(f"{number}\n" for number in range(9))}
    job = transformed(
        MEET.format(count=3), lines, MaxConcurrentTransforms=3, BatchStrategy="SingleRecord"
    )
    assert job["TransformJobStatus"] == "Completed"
    assert outputs(s3, bucket)["a.csv.out"] == "".join(f"{number}!\n" for number in range(9))


def test_the_container_says_what_the_job_does_not(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    asked = 'parameters = {"MaxConcurrentTransforms": 2, "BatchStrategy": "SINGLE_RECORD"}'
    job = transformed(f"{asked}\n{MEET.format(count=2)}", {"a.csv": "1\n2\n3\n4\n"})
    assert job["TransformJobStatus"] == "Completed"
    assert outputs(s3, bucket)["a.csv.out"] == "1!\n2!\n3!\n4!\n"


SHOW = """
def answer(body, headers):
    names = [name for name in os.environ if name.startswith("SAGEMAKER_") and "BIND" not in name]
    return json.dumps({name: os.environ[name] for name in [*names, "MINE"]}).encode()
"""


def test_the_container_is_told_of_the_job_by_its_environment(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    transformed(
        SHOW,
        MaxPayloadInMB=2,
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=4,
        Environment={"MINE": "yes"},
    )
    assert told(s3, bucket)[0] == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4",
        "MINE": "yes",
    }


def test_what_the_job_does_not_say_is_not_in_the_environment(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    transformed(SHOW, Environment={"MINE": "yes"})
    assert told(s3, bucket)[0] == {"SAGEMAKER_BATCH": "true", "MINE": "yes"}


def test_compressed_input_is_unpacked(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    transformed(inputs={"a.gz": gzip.compress(b"one\n")}, source={"CompressionType": "Gzip"})
    assert outputs(s3, bucket) == {"a.gz.out": "ONE\n"}


def test_input_that_is_not_compressed_as_said_fails_the_job(transformed: Transformed) -> None:
    job = transformed(source={"CompressionType": "Gzip"})
    assert job["FailureReason"].startswith("ClientError: a.csv: Not a gzipped file")


def test_a_manifest_names_the_input(transformed: Transformed, s3: "S3Client", bucket: str) -> None:
    names = [{"prefix": f"s3://{bucket}/in/"}, "b.csv", "deep/c.csv"]
    s3.put_object(Bucket=bucket, Key="manifest.json", Body=json.dumps(names))
    place = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{bucket}/manifest.json"}
    inputs = {"a.csv": "a", "b.csv": "b", "b.csv.old": "x", "deep/c.csv": "c"}
    transformed(inputs=inputs, source={"DataSource": {"S3DataSource": place}})
    assert outputs(s3, bucket) == {"b.csv.out": "B\n", "deep/c.csv.out": "C\n"}


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["gone.csv"], "No S3 objects found under S3 URL"),
        (["../secret"], "'../secret' leads out of its prefix"),
        (["/etc/x"], "'/etc/x' leads out of its prefix"),
    ],
)
def test_a_manifest_names_what_is_there_below_its_prefix(
    transformed: Transformed, s3: "S3Client", bucket: str, names: list[str], problem: str
) -> None:
    manifest = [{"prefix": f"s3://{bucket}/in/"}, *names]
    s3.put_object(Bucket=bucket, Key="manifest.json", Body=json.dumps(manifest))
    place = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{bucket}/manifest.json"}
    job = transformed(source={"DataSource": {"S3DataSource": place}})
    assert problem in job["FailureReason"]


def test_another_kind_of_input_fails_the_job(transformed: Transformed, bucket: str) -> None:
    place = {"S3DataType": "AugmentedManifestFile", "S3Uri": f"s3://{bucket}/in/a.csv"}
    job = transformed(source={"DataSource": {"S3DataSource": place}})
    assert job["FailureReason"] == (
        "ClientError: S3DataType 'AugmentedManifestFile' is none of a transform job's; it would be "
        "S3Prefix or ManifestFile"
    )


@pytest.mark.parametrize("content", ["{}", "[]", '[{"prefix": 1}]', "nothing"])
def test_a_manifest_that_is_none_fails_the_job(
    transformed: Transformed, s3: "S3Client", bucket: str, content: str
) -> None:
    s3.put_object(Bucket=bucket, Key="manifest.json", Body=content)
    place = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{bucket}/manifest.json"}
    job = transformed(source={"DataSource": {"S3DataSource": place}})
    assert job["FailureReason"].startswith(f"ClientError: s3://{bucket}/manifest.json: no manifest")


DOUBLE = "def line(text): return str(2 * float(text.split(',')[-1]))"


def test_results_of_filtered_rows_are_joined_with_the_whole_ones(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    transformed(
        DOUBLE,
        {"a.csv": 'id-1,"a, b",1\nid-2,c,2\n'},
        DataProcessing={"InputFilter": "$[2]", "JoinSource": "Input", "OutputFilter": "$[0,1,-1]"},
    )
    assert outputs(s3, bucket)["a.csv.out"] == 'id-1,"a, b",2.0\nid-2,c,4.0\n'


def test_json_lines_are_joined_by_their_members(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    total = "def line(text): return json.dumps({'total': sum(json.loads(text))})"
    transformed(
        total,
        {"a": '{"id": 1, "x": [1, 2]}\n{"id": 2, "x": [3]}\n'},
        source={"ContentType": "application/jsonlines"},
        output={"Accept": "application/jsonlines"},
        DataProcessing={
            "InputFilter": "$.x",
            "JoinSource": "Input",
            "OutputFilter": "$['id','SageMakerOutput']",
        },
    )
    assert told(s3, bucket, "a.out") == [
        {"id": 1, "SageMakerOutput": {"total": 3}},
        {"id": 2, "SageMakerOutput": {"total": 3}},
    ]


def test_an_answer_of_fewer_lines_than_records_cannot_be_joined(transformed: Transformed) -> None:
    job = transformed(
        "def answer(body, headers): return b'one line'", DataProcessing={"JoinSource": "Input"}
    )
    assert job["FailureReason"].startswith(
        "ClientError: a.csv: JoinSource: the model answered 1 lines to 2 records"
    )


def test_a_filter_that_does_not_fit_a_record_fails_the_job(transformed: Transformed) -> None:
    job = transformed(DataProcessing={"InputFilter": "$[7]"})
    assert job["FailureReason"] == (
        "ClientError: a.csv: DataProcessing: $[7]: no element 7 in an array of 1"
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"ModelName": "nobody"}, 'Could not find model "'),
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB cannot be greater than 100, not 101"),
        (
            {"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2},
            "MaxConcurrentTransforms * MaxPayloadInMB cannot exceed 100 MB: 2 * 60",
        ),
        (
            {"source": {"SplitType": "None"}, "BatchStrategy": "SingleRecord"},
            "BatchStrategy SingleRecord needs TransformInput.SplitType",
        ),
        ({"DataProcessing": {"InputFilter": "x"}}, "DataProcessing.InputFilter: 'x' does not"),
        (
            {"source": {"ContentType": "image/png"}, "DataProcessing": {"InputFilter": "$[0]"}},
            "DataProcessing needs TransformInput.ContentType text/csv or ",
        ),
        (
            {"output": {"Accept": "image/png"}, "DataProcessing": {"OutputFilter": "$[0]"}},
            "DataProcessing needs TransformOutput.Accept text/csv or ",
        ),
        (
            {
                "output": {"Accept": "application/json"},
                "DataProcessing": {"JoinSource": "Input"},
            },
            "DataProcessing.JoinSource Input needs TransformOutput.Accept to be of the kind of",
        ),
        (
            {"output": {"AssembleWith": "None"}, "DataProcessing": {"JoinSource": "Input"}},
            "DataProcessing.JoinSource Input needs TransformInput.SplitType and ",
        ),
    ],
)
def test_a_job_that_cannot_be_is_refused(
    create: Callable[..., str], changes: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ClientError) as refused:
        create(**changes)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert problem in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "def answer(body, headers): return 400, b'no such column'",
            "ClientError: a.csv: Bad HTTP status received from algorithm: 400: no such column",
        ),
        (
            "print('ValueError: bad', flush=True)\n"
            "def answer(body, headers): return 500, b'<html>'",
            "AlgorithmError: a.csv: Bad HTTP status received from algorithm: 500: serving",
        ),
        (
            "def answer(body, headers): os._exit(3)",
            "AlgorithmError: a.csv: serving, exit code: 3",
        ),
        ("raise ValueError('no model')", "AlgorithmError: ValueError: no model, exit code: 1"),
    ],
)
def test_a_model_that_fails_says_why(transformed: Transformed, code: str, reason: str) -> None:
    job = transformed(code, ModelClientConfig={"InvocationsMaxRetries": 0})
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == reason


def test_an_invocation_that_fails_is_tried_again(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    code = """
tries = []

def answer(body, headers):
    tries.append(body)
    return (503, b"busy") if len(tries) < 3 else str(len(tries)).encode()
"""
    transformed(code)
    assert outputs(s3, bucket)["a.csv.out"] == "3\n"


def test_what_worked_is_stored_although_another_object_failed(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    code = "def answer(body, headers): return (400, b'bad') if b'bad' in body else body"
    job = transformed(code, {"a": "good\n", "b": "bad\n", "c": "fine\n"})
    assert job["FailureReason"].startswith("ClientError: b: Bad HTTP status")
    assert outputs(s3, bucket) == {"a.out": "good\n", "c.out": "fine\n"}


def test_without_input_the_job_fails(transformed: Transformed, bucket: str) -> None:
    place = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/nothing"}
    job = transformed(source={"DataSource": {"S3DataSource": place}})
    assert job["FailureReason"] == (
        f"ClientError: No S3 objects found under S3 URL 's3://{bucket}/nothing' given in input "
        "data source"
    )


def test_a_job_that_is_stopped_ends_its_server(
    sagemaker: "SageMakerClient", create: Callable[..., str], job_folder: Any
) -> None:
    name = create(
        "import time\ndef answer(body, headers): print('asked', flush=True); time.sleep(600)"
    )
    until(lambda: (job_folder / "log.txt").read_text(), lambda log: "asked" in log)
    sagemaker.stop_transform_job(TransformJobName=name)
    assert final_transform_job(sagemaker, name)["TransformJobStatus"] == "Stopped"


def test_a_job_that_is_stopped_while_its_server_gets_ready_ends_it(
    sagemaker: "SageMakerClient", create: Callable[..., str], job_folder: Path
) -> None:
    name = create("def healthy(): print('asked', flush=True)")
    until(lambda: (job_folder / "log.txt").read_text(), lambda log: "asked" in log)
    sagemaker.stop_transform_job(TransformJobName=name)
    assert final_transform_job(sagemaker, name)["TransformJobStatus"] == "Stopped"


def test_nothing_is_sent_before_the_ping_is_answered_with_200(
    transformed: Transformed, s3: "S3Client", bucket: str
) -> None:
    code = """
pings = []

def healthy():
    pings.append(len(pings))
    return len(pings) > 2

def line(text):
    return str(pings[:3])
"""
    transformed(code, {"a.csv": "x\n"})
    assert outputs(s3, bucket)["a.csv.out"] == "[0, 1, 2]\n"


def test_the_log_is_in_cloud_watch(
    transformed: Transformed, logs: "CloudWatchLogsClient", name: str
) -> None:
    transformed("print('loaded the model', flush=True)")
    events = logs.filter_log_events(
        logGroupName="/aws/sagemaker/TransformJobs", logStreamNamePrefix=f"{name}/"
    )["events"]
    lines = [event["message"] for event in events]
    assert "loaded the model" in lines
    assert (
        "[local AWS] MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"
        in lines
    )


@pytest.mark.parametrize("image", [OWN_PORT, OWN_NETWORK])
def test_the_local_aws_is_reached_from_the_model(
    transformed: Transformed, s3: "S3Client", bucket: str, image: str
) -> None:
    code = """
def answer(body, headers):
    url = os.environ["AWS_ENDPOINT_URL"] + "/_local/requests"
    return str("Requests" in json.load(urllib.request.urlopen(url))).encode()
"""
    transformed(code, image=image)
    assert outputs(s3, bucket)["a.csv.out"] == "True\n"


def test_without_networks_a_server_is_told_another_port(tmp_path: Path, images: Images) -> None:
    session: Any = boto3.Session("key", "secret", region_name="us-east-1")
    plain = replace(choose(), name="without networks")
    with LocalAWS(tmp_path, images=images, isolation=plain) as aws:
        s3, sagemaker = (
            session.client(each, endpoint_url=aws.endpoint_url) for each in ("s3", "sagemaker")
        )
        bucket = aws.account.bucket
        s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
        code = "sys.argv[1] = os.environ['SAGEMAKER_BIND_TO_PORT']"
        make_model(sagemaker, s3, bucket, server(code), name="m", image=OWN_NETWORK)
        sagemaker.create_transform_job(**transform_request("t", "m", bucket))
        assert final_transform_job(sagemaker, "t")["TransformJobStatus"] == "Completed"
        assert outputs(s3, bucket) == {"a.csv.out": "X\n"}


def test_servers_of_one_port_run_at_once_and_do_not_meet(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    for number in range(3):
        code = f"def line(text): return 'server {number}'"
        model = make_model(
            sagemaker, s3, bucket, server(code), name=f"{name}-{number}", image=OWN_NETWORK
        )
        request = transform_request(model, model, bucket)
        request["TransformOutput"]["S3OutputPath"] = f"s3://{bucket}/out/{number}"
        sagemaker.create_transform_job(**request)
    for number in range(3):
        final_transform_job(sagemaker, f"{name}-{number}")
    assert outputs(s3, bucket) == {f"{n}/a.csv.out": f"server {n}\n" for n in range(3)}


def test_an_image_without_a_server_fails_the_job_and_says_what_to_map(
    transformed: Transformed,
) -> None:
    assert transformed(image="example/image:1")["FailureReason"] == (
        "ClientError: example/image:1 has no serve command in the local AWS; give serve in the "
        "image map"
    )


def test_a_model_package_that_is_gone_fails_the_job(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    package = sagemaker.create_model_package(ModelPackageName=name)["ModelPackageArn"]
    sagemaker.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": package}
    )
    sagemaker.delete_model_package(ModelPackageName=package)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    assert final_transform_job(sagemaker, name)["FailureReason"] == (
        f"ClientError: ModelPackage {package} does not exist."
    )


def test_artifacts_that_are_not_there_fail_the_job(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    make_model(sagemaker, s3, bucket, server(), name=name)
    s3.delete_object(Bucket=bucket, Key=f"models/{name}/model.tar.gz")
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    assert final_transform_job(sagemaker, name)["FailureReason"] == (
        f"ClientError: Could not find model data at s3://{bucket}/models/{name}/model.tar.gz."
    )


def test_nothing_of_a_model_leaves_its_folder(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    make_model(sagemaker, s3, bucket, {"../../../escaped": "x", **server()}, name=name)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    reason = final_transform_job(sagemaker, name)["FailureReason"]
    assert reason.startswith("ClientError: Failed to extract model data archive from URL")


def test_containers_of_a_model_are_passed_in_their_order(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    parts = []
    for word in ("first", "second"):
        files = server(f"def line(text): return text + ' {word} ' + os.environ['WORD']")
        model = make_model(sagemaker, s3, bucket, files, name=f"{name}-{word}", WORD=word)
        parts.append(sagemaker.describe_model(ModelName=model)["PrimaryContainer"])
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=parts)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    assert final_transform_job(sagemaker, name)["TransformJobStatus"] == "Completed"
    assert outputs(s3, bucket)["a.csv.out"] == "x first first second second\n"


def test_a_model_of_a_package_has_the_packages_container(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    for file, content in server("def line(text): return os.environ['WORD']").items():
        s3.put_object(Bucket=bucket, Key=f"plain/{file}", Body=content)
    plain: Any = {
        "S3Uri": f"s3://{bucket}/plain/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    specification: Any = {
        "Containers": [{"Image": OWN_PORT, "ModelDataSource": {"S3DataSource": plain}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=specification)
    primary: Any = {"ModelPackageName": name, "Environment": {"WORD": "added"}}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=primary)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    final_transform_job(sagemaker, name)
    assert outputs(s3, bucket)["a.csv.out"] == "added\n"


def test_a_model_of_many_models_says_what_would_do(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    many: Any = {"Image": OWN_PORT, "ModelDataUrl": f"s3://{bucket}/m/", "Mode": "MultiModel"}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=many)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    reason = final_transform_job(sagemaker, name)["FailureReason"]
    assert reason.startswith("ClientError: Mode MultiModel: one endpoint for many models is not")
