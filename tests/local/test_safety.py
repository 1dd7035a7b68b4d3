"""What a job cannot do to its server and to the shell that started it."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_sm_pipelines.local.sandbox import apart, choose
from tests.fakes import until as wait

from .calls import text
from .launched import launchers, running
from .models import OWN_PORT, final_transform_job, make_model, server, transform_request

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

Run = Callable[..., dict[str, Any]]

own_processes = pytest.mark.skipif(not apart(), reason="needs process namespaces")


@own_processes
@pytest.mark.parametrize(
    "kill",
    [
        "os.kill(os.getppid(), signal.SIGKILL)",
        "os.kill(1, signal.SIGKILL)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.kill(0, signal.SIGTERM)",
        "os.kill(-1, signal.SIGSTOP)",
    ],
    ids=["its parent", "the first process", "its group", "every process"],
)
def test_a_job_that_kills_what_it_can_kills_nothing_else(processed: Run, kill: str) -> None:
    script = f"import os, signal\ntry: {kill}\nexcept ProcessLookupError: pass"
    assert processed(script)["ProcessingJobStatus"] == "Completed"


@own_processes
def test_a_job_sees_no_process_but_its_own(processed: Run, job_folder: Path) -> None:
    processed("import os; print([each for each in os.listdir('/proc') if each.isdigit()])")
    assert (job_folder / "log.txt").read_text() == "['1', '2']\n"


@own_processes
def test_a_daemon_that_a_job_leaves_ends_with_the_job(processed: Run, name: str) -> None:
    words = f"import time; time.sleep(600)  # {name}"
    script = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", {words!r}], start_new_session=True)
"""
    assert processed(script)["ProcessingJobStatus"] == "Completed"
    assert not running(words)


@own_processes
def test_a_process_that_is_left_without_a_server_ends_its_own(tmp_path: Path) -> None:
    ml = tmp_path / "ml"
    ml.mkdir()
    words = f"import time; open('/opt/ml/started', 'w'); time.sleep(600)  # {tmp_path}"
    started = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], "
    daemon = [sys.executable, "-c", f"{started}start_new_session=True).wait()", words]
    command = choose().command(daemon, ml)
    starter = [sys.executable, "-c", f"import subprocess; subprocess.run({command!r})"]
    with subprocess.Popen(starter) as server_process:
        wait((ml / "started").exists)
        server_process.kill()
    wait(lambda: not launchers(ml))
    wait(lambda: not running(words))


SECRETS = (
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AIRFLOW__CORE__FERNET_KEY",
    "GITHUB_TOKEN",
    "HTTPS_PROXY",
    "PYTHONPATH",
)


@pytest.fixture(autouse=True)
def _poison(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "poison")


PRINT = "import os; print('here:', dict(os.environ))"


def clean(seen: str) -> bool:
    """Whether it is an environment, and has nothing of the shell."""
    return "AWS_ENDPOINT_URL" in seen and "poison" not in seen


def test_a_processing_job_has_no_secret_of_the_shell(processed: Run, job_folder: Path) -> None:
    processed(PRINT)
    assert clean((job_folder / "log.txt").read_text())


def test_a_training_job_has_no_secret_of_the_shell(trained: Run, job_folder: Path) -> None:
    trained(PRINT)
    assert clean((job_folder / "log.txt").read_text())


def test_a_model_server_has_no_secret_of_the_shell(
    sagemaker: "SageMakerClient", s3: "S3Client", bucket: str, name: str
) -> None:
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body="x\n")
    files = server("def line(text): return str(dict(os.environ))")
    make_model(sagemaker, s3, bucket, files, name=name, image=OWN_PORT)
    sagemaker.create_transform_job(**transform_request(name, name, bucket))
    assert final_transform_job(sagemaker, name)["TransformJobStatus"] == "Completed"
    assert clean(text(s3, bucket, "out/a.csv.out"))


def test_a_function_has_no_secret_of_the_shell(client: Callable[[str], Any], name: str) -> None:
    functions = client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        Handler="main.handler",
        Code={"ZipFile": zipped("import os\ndef handler(e, c): return dict(os.environ)")},
    )
    answer = functions.invoke(FunctionName=name)
    assert clean(answer["Payload"].read().decode())


@own_processes
def test_a_function_that_kills_its_parent_kills_nothing_else(
    client: Callable[[str], Any], name: str
) -> None:
    functions = client("lambda")
    code = "import os\ndef handler(e, c): os.kill(os.getppid(), 9); return os.getpid()"
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        Handler="main.handler",
        Code={"ZipFile": zipped(code)},
    )
    assert functions.invoke(FunctionName=name)["Payload"].read() == b"2"


def test_a_step_of_emr_has_no_secret_of_the_shell(
    client: Callable[[str], Any], tmp_path: Path
) -> None:
    emr = client("emr")
    step = {
        "Name": "env",
        "HadoopJarStep": {
            "Jar": "command-runner.jar",
            "Args": ["bash", "-c", f"env > {tmp_path}/env; mv {tmp_path}/env {tmp_path}/seen"],
        },
    }
    emr.run_job_flow(Name="c", Instances={"InstanceCount": 1}, Steps=[step])
    wait((tmp_path / "seen").exists)
    assert clean((tmp_path / "seen").read_text())


def zipped(code: str) -> bytes:
    """The package of a function whose module is `main`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("main.py", code)
    return content.getvalue()
