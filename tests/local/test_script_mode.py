import glob
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from airflow_sm_pipelines.local.images import Images, Runtime

from .containers import DEADLINE_SECONDS, RESOURCES, Ended, end, fill, our_images, start

PRINT_ARGUMENTS = "import json, sys; print('ARGUMENTS', json.dumps(sys.argv[1:]))\n"
PRINT_VARIABLES = """
import json, os
print("VARIABLES", json.dumps({k: v for k, v in os.environ.items() if k.startswith("SM_")}))
"""


def archive(files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            tar.addfile(member, io.BytesIO(content.encode()))
    return packed.getvalue()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return our_images(tmp_path_factory.mktemp("config")).runtime("python:3.12")


@pytest.fixture
def begin(image: Runtime, tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Starts the image's `train` with the code in /opt/ml/code."""

    def run(
        code: Mapping[str, str],
        hyperparameters: Mapping[str, str],
        *,
        channels: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        resources: Mapping[str, object] = RESOURCES,
    ) -> "subprocess.Popen[str]":
        files = {f"code/{name}": content for name, content in code.items()}
        ml = tmp_path / "ml"
        fill(ml, hyperparameters, files, channels=channels, resources=resources)
        return start(image.for_job(tmp_path / "venv"), tmp_path / "ml", environment)

    return run


@pytest.fixture
def train(begin: Callable[..., "subprocess.Popen[str]"], tmp_path: Path) -> Callable[..., Ended]:
    """Runs the image's `train` to its end."""
    return lambda *arguments, **options: end(begin(*arguments, **options), tmp_path / "ml")


def test_the_program_runs_in_the_directory_of_its_code(train: Callable[..., Ended]) -> None:
    code = {"train.py": "import os, own; print(os.getcwd(), own.NAME)\n", "own.py": "NAME = 'me'\n"}
    ended = train(code, {"sagemaker_program": "train.py"})
    assert (ended.code, ended.log) == (0, "/opt/ml/code me\n")


def test_hyperparameters_are_arguments_by_name(train: Callable[..., Ended]) -> None:
    ended = train(
        {"train.py": PRINT_ARGUMENTS},
        {
            "sagemaker_program": '"train.py"',
            "sagemaker_region": '"us-east-1"',
            "_tuning_objective_metric": "rmse",
            "n": "5",
            "learning-rate": "0.1",
            "name": '"quoted"',
            "plain": "as it is",
            "flag": "true",
            "nothing": "null",
            "layers": "[64, 32]",
            "options": '{"b": 2, "a": 1}',
        },
    )
    assert ended.printed("ARGUMENTS") == [
        *("--flag", "True"),
        *("--layers", "[64, 32]"),
        *("--learning-rate", "0.1"),
        *("-n", "5"),
        *("--name", "quoted"),
        *("--nothing", ""),
        *("--options", "a=1,b=2"),
        *("--plain", "as it is"),
    ]


def test_the_variables_are_those_of_the_toolkit(train: Callable[..., Ended]) -> None:
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    ended = train(
        {"train.py": PRINT_VARIABLES},
        {
            "sagemaker_program": "train.py",
            "sagemaker_container_log_level": "10",
            "sagemaker_estimator_class_name": '"SKLearn"',
            "batch-size": "32",
            "who": '"me"',
        },
        channels={"validation": channel, "train": channel},
    )
    variables = ended.printed("VARIABLES")
    assert isinstance(variables, dict)
    described = json.loads(variables.pop("SM_TRAINING_ENV"))
    assert variables.pop("SM_NUM_CPUS") == str(os.cpu_count())
    assert variables.pop("SM_NUM_GPUS").isdigit()
    assert variables.pop("SM_NUM_NEURONS").isdigit()
    assert json.loads(variables.pop("SM_RESOURCE_CONFIG")) == RESOURCES
    assert variables == {
        "SM_CHANNELS": '["train","validation"]',
        "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
        "SM_CHANNEL_VALIDATION": "/opt/ml/input/data/validation",
        "SM_CURRENT_HOST": "algo-1",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-1"]',
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "SM_DISTRIBUTION_INSTANCE_GROUPS": "[]",
        "SM_FRAMEWORK_MODULE": "",
        "SM_FRAMEWORK_PARAMS": '{"sagemaker_estimator_class_name":"SKLearn"}',
        "SM_HOSTS": '["algo-1"]',
        "SM_HPS": '{"batch-size":32,"who":"me"}',
        "SM_HP_BATCH-SIZE": "32",
        "SM_HP_WHO": "me",
        "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
        "SM_INPUT_DATA_CONFIG": json.dumps(
            {"train": channel, "validation": channel}, sort_keys=True, separators=(",", ":")
        ),
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_INSTANCE_GROUPS": '["homogeneousCluster"]',
        "SM_INSTANCE_GROUPS_DICT": json.dumps(
            {
                "homogeneousCluster": {
                    "hosts": ["algo-1"],
                    "instance_group_name": "homogeneousCluster",
                    "instance_type": "ml.m5.large",
                }
            },
            sort_keys=True,
            separators=(",", ":"),
        ),
        "SM_IS_HETERO": "false",
        "SM_LOG_LEVEL": "10",
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_MODULE_DIR": "/opt/ml/code",
        "SM_MODULE_NAME": "train",
        "SM_NETWORK_INTERFACE_NAME": "eth0",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_OUTPUT_INTERMEDIATE_DIR": "/opt/ml/output/intermediate",
        "SM_USER_ARGS": '["--batch-size","32","--who","me"]',
        "SM_USER_ENTRY_POINT": "train.py",
    }
    assert described["job_name"] == "my-job"
    assert described["is_master"] is True
    assert described["hyperparameters"] == {"batch-size": 32, "who": "me"}


def test_nested_hyperparameters_are_json_in_the_variables(train: Callable[..., Ended]) -> None:
    ended = train(
        {"train.py": PRINT_VARIABLES},
        {
            "sagemaker_program": "train.py",
            "layers": "[64, 32]",
            "optimizer": '{"name": "adam", "betas": [0.9, 0.99], "nested": {"a": null}}',
            "flag": "true",
            "nothing": "null",
        },
    )
    variables = ended.printed("VARIABLES")
    assert isinstance(variables, dict)
    assert variables["SM_HP_LAYERS"] == "[64,32]"
    optimizer = {"name": "adam", "betas": [0.9, 0.99], "nested": {"a": None}}
    assert json.loads(variables["SM_HP_OPTIMIZER"]) == optimizer
    assert (variables["SM_HP_FLAG"], variables["SM_HP_NOTHING"]) == ("true", "")
    assert json.loads(variables["SM_HPS"])["optimizer"] == optimizer


THREE = {
    "current_host": "algo-2",
    "current_instance_type": "ml.m5.large",
    "current_group_name": "workers",
    "hosts": ["algo-1", "algo-2", "algo-3"],
    "instance_groups": [
        {"instance_group_name": "head", "instance_type": "ml.p3.2xlarge", "hosts": ["algo-1"]},
        {
            "instance_group_name": "workers",
            "instance_type": "ml.m5.large",
            "hosts": ["algo-2", "algo-3"],
        },
    ],
    "network_interface_name": "lo",
}


def test_hosts_and_their_groups_are_in_the_variables(train: Callable[..., Ended]) -> None:
    settings = {
        "sagemaker_program": "train.py",
        "sagemaker_distribution_instance_groups": '["workers"]',
    }
    ended = train({"train.py": PRINT_VARIABLES}, settings, resources=THREE)
    variables = ended.printed("VARIABLES")
    assert isinstance(variables, dict)
    assert variables["SM_HOSTS"] == '["algo-1","algo-2","algo-3"]'
    assert variables["SM_CURRENT_HOST"] == "algo-2"
    assert variables["SM_CURRENT_INSTANCE_GROUP"] == "workers"
    assert variables["SM_CURRENT_INSTANCE_GROUP_HOSTS"] == '["algo-2","algo-3"]'
    assert variables["SM_INSTANCE_GROUPS"] == '["head","workers"]'
    assert set(json.loads(variables["SM_INSTANCE_GROUPS_DICT"])) == {"head", "workers"}
    assert variables["SM_IS_HETERO"] == "true"
    assert variables["SM_DISTRIBUTION_INSTANCE_GROUPS"] == '["workers"]'
    assert variables["SM_NETWORK_INTERFACE_NAME"] == "lo"
    described = json.loads(variables["SM_TRAINING_ENV"])
    assert (described["is_master"], described["master_hostname"]) == (False, "algo-1")


def test_hosts_meet_where_pytorch_looks(train: Callable[..., Ended]) -> None:
    script = "import os; print(os.environ['MASTER_ADDR'], os.environ['MASTER_PORT'])"
    ended = train({"train.py": script}, {"sagemaker_program": "train.py"}, resources=THREE)
    assert ended.log == "algo-1 7777\n"


TORCHRUN = {"sagemaker_program": "train.py", "sagemaker_torch_distributed_enabled": "true"}
# In place of PyTorch, which is too large for a test: the module that `torchrun` is.
TORCH = {
    "torch/__init__.py": "",
    "torch/distributed/__init__.py": "",
    "torch/distributed/run.py": PRINT_ARGUMENTS,
    "train.py": "",
}


@pytest.mark.parametrize(
    ("resources", "options"),
    [
        (RESOURCES, ["--nnodes=1", "--nproc_per_node=1"]),
        (
            THREE,
            [
                "--nnodes=3",
                "--nproc_per_node=1",
                "--master_addr=algo-1",
                "--master_port=7777",
                "--node_rank=1",
            ],
        ),
    ],
)
@pytest.mark.skipif(glob.glob("/dev/nvidia[0-9]*") != [], reason="a process for each GPU")
def test_torchrun_starts_the_program_on_every_host(
    train: Callable[..., Ended], resources: Mapping[str, object], options: list[str]
) -> None:
    ended = train(TORCH, {**TORCHRUN, "lr": "0.1"}, resources=resources)
    assert ended.printed("ARGUMENTS") == [*options, "train.py", "--lr", "0.1"]


def test_torchrun_starts_python_alone(train: Callable[..., Ended]) -> None:
    ended = train({"go.sh": ""}, {**TORCHRUN, "sagemaker_program": "go.sh"})
    assert ended.failure == (
        "ClientError: hyperparameter sagemaker_torch_distributed_enabled: go.sh is no Python"
    )


def test_code_in_s3_is_fetched_from_the_endpoint(
    train: Callable[..., Ended], endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=endpoint)
    s3.create_bucket(Bucket="code-bucket")
    packed = archive({"train.py": PRINT_ARGUMENTS, "folder/more.txt": "more"})
    s3.put_object(Bucket="code-bucket", Key="a job/source dir+1.tar.gz", Body=packed)
    s3.close()
    ended = train(
        {},
        {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://code-bucket/a job/source dir+1.tar.gz",
        },
        environment={"AWS_ENDPOINT_URL": endpoint, "http_proxy": "http://127.0.0.1:1"},
    )
    assert (ended.code, ended.printed("ARGUMENTS")) == (0, [])
    assert (ended.ml / "code" / "folder" / "more.txt").read_text() == "more"


def test_code_that_is_not_in_s3_is_the_failure(train: Callable[..., Ended], endpoint: str) -> None:
    ended = train(
        {},
        {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": "s3://no-such-bucket/source.tar.gz",
        },
        environment={"AWS_ENDPOINT_URL": endpoint},
    )
    assert ended.code == 1
    assert ended.failure.startswith("ClientError: s3://no-such-bucket/source.tar.gz: 404 ")


def test_requirements_are_installed_for_this_job_only(
    train: Callable[..., Ended], image: Runtime
) -> None:
    code = {
        "train.py": "import greeting; print(greeting.WORD)\n",
        "requirements.txt": "./lib\n",
        # A package whose build needs nothing that an index would have to provide.
        "lib/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n',
        "lib/backend.py": BACKEND,
    }
    ended = train(code, {"sagemaker_program": "train.py"})
    assert ended.log.endswith("hello\n")
    shared = subprocess.run([image.python, "-c", "import greeting"], stderr=subprocess.DEVNULL)
    assert shared.returncode == 1


def test_requirements_that_cannot_be_installed_are_the_failure(train: Callable[..., Ended]) -> None:
    code = {"train.py": "print('never')\n", "requirements.txt": "./absent\n"}
    ended = train(code, {"sagemaker_program": "train.py"})
    assert ended.code == 1
    assert ended.failure.startswith('InstallRequirementsError:\nExitCode 1\nErrorMessage "ERROR: ')
    assert "never" not in ended.log


def test_code_with_a_setup_is_installed_and_run_as_a_module(train: Callable[..., Ended]) -> None:
    code = {
        "setup.py": "raise SystemExit('the backend below is used')\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        'backend-path = ["."]\n',
        "backend.py": BACKEND,
        "train.py": f"print('MODULE', '\"' + __spec__.name + '\"')\n{PRINT_ARGUMENTS}",
    }
    ended = train(code, {"sagemaker_program": "train.py", "a": "1"})
    assert ended.printed("MODULE") == "train"
    assert ended.printed("ARGUMENTS") == ["-a", "1"]


def test_a_shell_script_is_run_with_the_arguments(train: Callable[..., Ended]) -> None:
    code = {"go.sh": "#!/bin/sh\nprintf '[%s]' \"$@\"\necho $SM_MODEL_DIR\n"}
    ended = train(code, {"sagemaker_program": "go.sh", "text": "a 'b' $c"})
    assert ended.log == "[--text][a 'b' $c]/opt/ml/model\n"


def test_the_exception_of_the_script_is_the_failure(train: Callable[..., Ended]) -> None:
    code = {"train.py": "import sys\nprint('on it')\nraise ValueError('no such column: age')\n"}
    ended = train(code, {"sagemaker_program": "train.py", "lr": "0.1"})
    assert ended.code == 1
    head, command = ended.failure.split("\nCommand ")
    assert (
        head
        == 'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: no such column: age"'
    )
    assert command.endswith('/python train.py --lr 0.1"')
    assert ended.log.startswith("on it\nTraceback (most recent call last)")


def test_the_exit_code_of_the_script_is_that_of_the_job(train: Callable[..., Ended]) -> None:
    ended = train({"train.py": "import sys; sys.exit(7)\n"}, {"sagemaker_program": "train.py"})
    assert ended.code == 7


def test_what_the_script_wrote_as_its_failure_stays(train: Callable[..., Ended]) -> None:
    script = "mkdir /opt/ml/output; printf mine > /opt/ml/output/failure; exit 9\n"
    ended = train({"go.sh": script}, {"sagemaker_program": "go.sh"})
    assert (ended.code, ended.failure) == (9, "mine")


def test_a_script_that_a_signal_ended_has_the_code_of_a_shell(train: Callable[..., Ended]) -> None:
    code = {"train.py": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)\n"}
    assert train(code, {"sagemaker_program": "train.py"}).code == 137


def test_a_script_that_is_asked_to_stop_may_finish_its_work(
    begin: Callable[..., "subprocess.Popen[str]"],
) -> None:
    script = """
import signal, sys, time
def stop(*_):
    print("saved", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(600)
"""
    job = begin({"train.py": script}, {"sagemaker_program": "train.py"})
    assert job.stdout is not None
    assert job.stdout.readline() == "ready\n"
    os.killpg(job.pid, signal.SIGTERM)
    assert job.communicate(timeout=DEADLINE_SECONDS)[0] == "saved\n"
    assert job.returncode == 0


@pytest.mark.parametrize(
    ("hyperparameters", "failure"),
    [
        (
            {},
            "hyperparameter sagemaker_program: missing; this image runs a script, so name it "
            "there, and its code in sagemaker_submit_directory",
        ),
        (
            {"sagemaker_program": "other.py"},
            "hyperparameter sagemaker_program: no other.py in the code (which has train.py)",
        ),
        (
            {"sagemaker_program": "train.py", "sagemaker_submit_directory": "/nowhere"},
            "hyperparameter sagemaker_submit_directory: /nowhere is not there; name an S3 URI, a "
            "tar.gz file or a directory",
        ),
        (
            {
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": "/opt/ml/code/train.py",
            },
            "/opt/ml/code/train.py: not a tar.gz archive (file could not be opened successfully:",
        ),
        (
            {"sagemaker_program": "train.py", "sagemaker_mpi_enabled": "true"},
            "hyperparameter sagemaker_mpi_enabled: this launcher is not there locally; "
            'distribution={"torch_distributed": {"enabled": True}} is, and none',
        ),
    ],
)
def test_what_cannot_be_run_says_what_would_be_right(
    train: Callable[..., Ended], hyperparameters: dict[str, str], failure: str
) -> None:
    ended = train({"train.py": "print('never')\n"}, hyperparameters)
    assert ended.code == 1
    assert ended.failure.startswith(f"ClientError: {failure}")
    assert "never" not in ended.log.splitlines()


def test_without_an_endpoint_the_variable_that_is_not_set_is_named(
    train: Callable[..., Ended],
) -> None:
    settings = {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://b/k.tar.gz"}
    failure = "s3://b/k.tar.gz: AWS_ENDPOINT_URL is not set; run in the local AWS"
    assert train({}, settings).failure.startswith(f"ClientError: {failure}")


def test_an_endpoint_that_does_not_answer_is_named(train: Callable[..., Ended]) -> None:
    ended = train(
        {},
        {"sagemaker_program": "train.py", "sagemaker_submit_directory": "s3://b/k.tar.gz"},
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
    )
    assert "s3://b/k.tar.gz: http://127.0.0.1:1 does not answer: " in ended.failure


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "directory"])
def test_code_in_a_channel_is_used(
    train: Callable[..., Ended], tmp_path: Path, packed: bool
) -> None:
    source = tmp_path / "ml" / "input" / "data" / "code"
    source.mkdir(parents=True)
    (source / "train.py").write_text(PRINT_ARGUMENTS)
    (source / "sourcedir.tar.gz").write_bytes(archive({"train.py": PRINT_ARGUMENTS}))
    place = "/opt/ml/input/data/code" + ("/sourcedir.tar.gz" if packed else "")
    settings = {"sagemaker_program": "train.py", "sagemaker_submit_directory": place}
    assert train({}, settings).printed("ARGUMENTS") == []


def test_the_script_needs_only_the_standard_library() -> None:
    """`-S` leaves out the packages of any environment."""
    script = Path(sys.modules[Images.__module__].__file__ or "").with_name("script_mode.py")
    command = [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({str(script)!r})"]
    assert subprocess.run(command).returncode == 0


# A build backend of the standard library alone: the smallest that pip accepts.
BACKEND = """
import zipfile

METADATA = "Metadata-Version: 2.1\\nName: greeting\\nVersion: 1.0\\n"

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "greeting-1.0-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("greeting.py", "WORD = 'hello'")
        about = "greeting-1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", METADATA)
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        )
        files = ("METADATA", "WHEEL", "RECORD")
        wheel.writestr(
            f"{about}/RECORD",
            "greeting.py,,\\n" + "".join(f"{about}/{file},,\\n" for file in files),
        )
    return name
"""
