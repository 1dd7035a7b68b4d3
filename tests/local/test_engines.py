"""Jobs in containers, through a stand-in for the engine: no Docker is at hand where these run.

It records its command lines and runs what it is asked to, on this machine.
"""

import io
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from airflow_sm_pipelines.local import LocalAWS, contain, engines
from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.images import ImageError, Images
from tests.local.calls import final_processing_job, final_training_job, resources, until

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

STAND_IN = """\
#!/bin/sh
for word in "$@"; do printf '%s\\n' "$word"; done >> "$(dirname "$0")/record"
echo . >> "$(dirname "$0")/record"
case $1 in
    info) exit 0 ;;
    kill) exit 0 ;;
esac
entrypoint="echo the image itself"
while [ $# -gt 0 ]; do
    case $1 in
        -v) ml=${2%%:*}; shift ;;
        -p) port=${2#*:}; export STAND_IN_PORT="${port%:*}"; shift ;;
        --entrypoint) entrypoint=$2; shift ;;
        any/*) shift; break ;;
    esac
    shift
done
cd "$ml" && env > environment && exec $entrypoint "$@"
"""
RULES = """\
isolation = "container"

[[image]]
match = "any/mapped"
name = "mapped"
container = "any/other:2"

[[image]]
match = "any/server"
name = "server"
container = "any/server:1"
serve = ["python3", "model/serve.py"]
"""
"""All images in containers, one of them as another one."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="module")
def aws(folder: Path) -> Iterator[LocalAWS]:
    """A local AWS whose only engine is the stand-in."""
    (folder / "images.toml").write_text(RULES)
    (folder / "docker").write_text(STAND_IN)
    (folder / "docker").chmod(0o755)
    engines.program.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        images = Images(config=folder / "images.toml")
        with LocalAWS(folder / "aws", images=images, grace_seconds=1) as server:
            yield server
    engines.program.cache_clear()


def recorded(folder: Path, verb: str) -> list[list[str]]:
    """The command lines of a verb, each word by word."""
    lines = (folder / "record").read_text().split("\n.\n")
    return [words for words in (line.split("\n") for line in lines) if words[0] == verb]


@pytest.fixture(scope="module")
def sagemaker(aws: LocalAWS) -> "SageMakerClient":
    session = boto3.Session("key", "secret", region_name=aws.account.region)
    return session.client("sagemaker", endpoint_url=aws.endpoint_url)


def process(
    sagemaker: "SageMakerClient", name: str, *entrypoint: str, arguments: tuple[str, ...] = ()
) -> None:
    """Start a processing job in the image any/<name>:1."""
    application: dict[str, Any] = {"ImageUri": f"any/{name}:1"}
    if entrypoint:
        application["ContainerEntrypoint"] = list(entrypoint)
    if arguments:
        application["ContainerArguments"] = list(arguments)
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        ProcessingResources={"ClusterConfig": resources()},  # type: ignore[arg-type, misc]
        AppSpecification=application,  # type: ignore[arg-type]
        Environment={"SECRET": "not on a command line"},
    )


def of_image(folder: Path, image: str) -> list[str]:
    """The command line that ran an image."""
    (words,) = (words for words in recorded(folder, "run") if image in words)
    return words


def test_a_job_is_run_in_its_image_with_its_own_opt_ml(
    aws: LocalAWS, folder: Path, sagemaker: "SageMakerClient"
) -> None:
    process(sagemaker, "own", "sh", "-c", "echo hello; echo done > output/message")
    job = final_processing_job(sagemaker, "own")
    assert (job["ProcessingJobStatus"], job["ExitMessage"].strip()) == ("Completed", "done")
    words = of_image(folder, "any/own:1")
    name = words[3]
    ml = aws.root / "jobs" / "own" / "ml"
    assert words[:6] == ["run", "--rm", "--name", name, "-v", f"{ml}:/opt/ml"]
    script = "echo hello; echo done > output/message"
    assert words[-7:] == ["--network", "host", "--entrypoint", "sh", "any/own:1", "-c", script]
    assert (aws.root / "jobs" / "own" / "log.txt").read_text() == "hello\n"


def test_variables_are_passed_by_name_and_this_machines_are_not(
    aws: LocalAWS, folder: Path, sagemaker: "SageMakerClient"
) -> None:
    process(sagemaker, "variables", "true")
    assert final_processing_job(sagemaker, "variables")["ProcessingJobStatus"] == "Completed"
    words = of_image(folder, "any/variables:1")
    passed_on = {words[index + 1] for index, word in enumerate(words) if word == "-e"}
    assert {"SECRET", "AWS_ENDPOINT_URL", "PYTHONUNBUFFERED"} <= passed_on
    assert not passed_on & {"PATH", "HOME", "AIRFLOW_SM_CONTAINER_IMAGE"}
    assert "not on a command line" not in " ".join(words)
    environment = (aws.root / "jobs" / "variables" / "ml" / "environment").read_text()
    assert "SECRET=not on a command line\n" in environment
    assert f"AWS_ENDPOINT_URL={aws.endpoint_url}\n" in environment


def test_without_an_entry_point_the_images_own_gets_the_arguments(
    aws: LocalAWS, folder: Path, sagemaker: "SageMakerClient"
) -> None:
    process(sagemaker, "arguments", arguments=("--rows", "3"))
    assert final_processing_job(sagemaker, "arguments")["ProcessingJobStatus"] == "Completed"
    words = of_image(folder, "any/arguments:1")
    assert words[-3:] == ["any/arguments:1", "--rows", "3"]
    assert "--entrypoint" not in words


def test_an_image_that_is_mapped_trains_as_the_other_one(
    aws: LocalAWS, folder: Path, sagemaker: "SageMakerClient"
) -> None:
    sagemaker.create_training_job(
        TrainingJobName="mapped",
        RoleArn=aws.account.role_arn,
        AlgorithmSpecification={"TrainingImage": "any/mapped:1", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": f"s3://{aws.account.bucket}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    assert final_training_job(sagemaker, "mapped")["TrainingJobStatus"] == "Completed"
    words = of_image(folder, "any/other:2")
    assert words[-2:] == ["any/other:2", "train"]
    assert (aws.root / "jobs" / "mapped" / "log.txt").read_text() == "the image itself train\n"


def test_the_exit_code_is_that_of_the_container(
    aws: LocalAWS, sagemaker: "SageMakerClient"
) -> None:
    process(sagemaker, "failing", "sh", "-c", "exit 7")
    job = final_processing_job(sagemaker, "failing")
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].endswith("exit code: 7")


def test_a_stop_reaches_the_container_and_one_that_stays_is_killed(
    aws: LocalAWS, folder: Path, sagemaker: "SageMakerClient"
) -> None:
    deaf = "trap '' TERM; touch up; while true; do sleep 0.1; done"
    process(sagemaker, "deaf", "sh", "-c", deaf)
    up = aws.root / "jobs" / "deaf" / "ml" / "up"
    until(up.exists, bool)
    sagemaker.stop_processing_job(ProcessingJobName="deaf")
    assert final_processing_job(sagemaker, "deaf")["ProcessingJobStatus"] == "Stopped"
    words = of_image(folder, "any/deaf:1")
    until(lambda: ["kill", words[3]] in recorded(folder, "kill"), bool)


def test_a_stop_lets_the_container_end_by_itself(
    aws: LocalAWS, sagemaker: "SageMakerClient"
) -> None:
    polite = "trap 'echo bye > output/message; exit 0' TERM; touch up; while :; do sleep 0.1; done"
    process(sagemaker, "polite", "sh", "-c", polite)
    until((aws.root / "jobs" / "polite" / "ml" / "up").exists, bool)
    sagemaker.stop_processing_job(ProcessingJobName="polite")
    assert final_processing_job(sagemaker, "polite")["ExitMessage"].strip() == "bye"


@pytest.mark.parametrize(
    ("platform", "options", "endpoint_url"),
    [
        ("linux", ["--network", "host"], "http://127.0.0.1:4599"),
        (
            "darwin",
            ["--add-host", "host.docker.internal:host-gateway"],
            "http://host.docker.internal:4599",
        ),
    ],
)
def test_a_container_finds_the_local_aws(
    platform: str, options: list[str], endpoint_url: str
) -> None:
    assert contain.network(platform) == options
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4599", "PYTHONUNBUFFERED": "1"}
    assert contain.variables(given, platform) == {**given, "AWS_ENDPOINT_URL": endpoint_url}


def test_without_an_engine_a_job_fails_with_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "images.toml").write_text(RULES)
    monkeypatch.setenv("PATH", str(tmp_path))
    engines.program.cache_clear()
    images = Images(config=tmp_path / "images.toml")
    with pytest.raises(ImageError, match=r"(?s)no engine answers.*docker: there is no program"):
        images.runtime("any/own:1")
    engines.program.cache_clear()


def test_an_engine_that_does_not_answer_is_told_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "podman").write_text("#!/bin/sh\necho 'Cannot connect to it' >&2; exit 1\n")
    (tmp_path / "podman").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    (docker, podman) = (probe for probe in engines.probes())
    assert (docker.name, podman.name) == ("docker", "podman")
    assert (podman.works, podman.reason) == (False, "Cannot connect to it")


def test_another_isolation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images.toml").write_text('isolation = "vm"\n')
    with pytest.raises(LocalError, match=r"isolation: 'vm' does not do; it would be 'container'"):
        Images(config=tmp_path / "images.toml")


SERVER = """
import os, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).upper())
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(("127.0.0.1", int(os.environ["STAND_IN_PORT"])), Handler).serve_forever()
"""


def test_a_container_that_serves_is_reached_at_a_port_of_this_machine(
    aws: LocalAWS, folder: Path, sagemaker: "SageMakerClient"
) -> None:
    session = boto3.Session("key", "secret", region_name=aws.account.region)
    s3 = session.client("s3", endpoint_url=aws.endpoint_url)
    s3.create_bucket(Bucket="served")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        script = tarfile.TarInfo("serve.py")
        script.size = len(SERVER)
        archive.addfile(script, io.BytesIO(SERVER.encode()))
    s3.put_object(Bucket="served", Key="model.tar.gz", Body=packed.getvalue())
    s3.put_object(Bucket="served", Key="in/a.csv", Body=b"a,b")
    sagemaker.create_model(
        ModelName="served",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        PrimaryContainer={"Image": "any/server:1", "ModelDataUrl": "s3://served/model.tar.gz"},
    )
    source: Any = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://served/in/"}}
    sagemaker.create_transform_job(
        TransformJobName="served",
        ModelName="served",
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": "s3://served/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    job = until(
        lambda: dict(sagemaker.describe_transform_job(TransformJobName="served")),
        lambda job: job["TransformJobStatus"] not in ("InProgress", "Stopping"),
    )
    assert job["TransformJobStatus"] == "Completed", job
    answered = s3.get_object(Bucket="served", Key="out/a.csv.out")["Body"].read()
    assert answered.rstrip() == b"A,B"
    words = of_image(folder, "any/server:1")
    published = words[words.index("-p") + 1]
    assert re.fullmatch(r"127\.0\.0\.1:\d+:8080", published)
    assert "--network" not in words


def test_a_container_with_a_network_of_its_own_gets_to_this_machine_by_its_gateway() -> None:
    gateway = ["--add-host", "host.docker.internal:host-gateway"]
    assert contain.network("linux", "1234") == ["-p", "127.0.0.1:1234:8080", *gateway]
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4599", engines.PORT: "1234"}
    told = contain.variables(given, "linux")
    assert told["AWS_ENDPOINT_URL"] == "http://host.docker.internal:4599"
