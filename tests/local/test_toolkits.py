"""What scripts import in AWS's images is there, and does what it does there."""

import json
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.images import Runtime

from .containers import DEADLINE_SECONDS, end, fill, our_images, start

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"

# As a script of the image has them; what is imported and not used is imported by such scripts.
SCRIPT = """
import json, sys
sys.modules["sklearn"] = None  # XGBoost does without; most of the time of its import
from sagemaker_containers import entry_point
from sagemaker_xgboost_container import distributed
from sagemaker_xgboost_container.data_utils import get_dmatrix
import sagemaker_xgboost_container.encoder as encoders
"""
READ = f"""{SCRIPT}
def told(matrix):
    rows = matrix.get_data().toarray().tolist()
    return [rows, matrix.get_label().tolist(), matrix.get_weight().tolist()]

folder = sys.argv[1]
print(json.dumps({{
    "libsvm": told(get_dmatrix(f"{{folder}}/libsvm", "libsvm")),
    "csv": told(get_dmatrix(f"{{folder}}/csv", "text/csv", csv_weights=1)),
    "nothing": get_dmatrix(f"{{folder}}/nothing", "csv"),
    "request": told(encoders.libsvm_to_dmatrix(b"-99 0:1 2:3\\n0:4")),
    "row": told(encoders.decode("1,2.5", "text/csv; charset=utf-8")),
}}))
"""
# Two hosts with a half of the data each; both have the model of all of it.
TOGETHER = f"""{SCRIPT}
import numpy, xgboost

hosts, me, ports = json.loads(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
rows = numpy.arange(20.0).reshape(-1, 1) + 100 * hosts.index(me)

def train(matrix, is_master):
    booster = xgboost.train({{"objective": "reg:squarederror"}}, matrix, 5)
    print(json.dumps([is_master, booster.predict(xgboost.DMatrix([[5.0], [115.0]])).tolist()]))

distributed.rabit_run(
    exec_fun=train,
    args={{"matrix": xgboost.DMatrix(rows, label=rows[:, 0])}},
    include_in_training=True,
    hosts=hosts,
    current_host=me,
    first_port=ports[0],
    second_port=ports[1],
    update_rabit_args=True,
)
"""
TRAINING = """
import json
from sagemaker_training import environment, logging_config
import sagemaker_containers

env = environment.Environment()
print("TOLD", json.dumps([env.hyperparameters, env.hosts, env["model_dir"], env.to_cmd_args()]))
print("CHANNELS", json.dumps(sagemaker_containers.training_env().channel_input_dirs))
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return our_images(tmp_path_factory.mktemp("config")).runtime(IMAGE)


def python(image: Runtime, folder: Path, code: str, *arguments: str) -> "subprocess.Popen[str]":
    """A job's Python that runs `code`."""
    own = image.for_job(folder).python
    command = [str(own), "-W", "ignore", "-c", code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def printed(process: "subprocess.Popen[str]") -> Any:
    with process:
        try:
            said, _ = process.communicate(timeout=DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0
    return json.loads(said.splitlines()[-1])


def test_the_xgboost_image_reads_channels_and_requests_as_matrices(
    image: Runtime, tmp_path: Path
) -> None:
    for name, content in {"libsvm": "3 0:1 2:2\n4:0.5 1:1\n", "csv": "1,0.5,7,8\n"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_text(content)
    assert printed(python(image, tmp_path / "own", READ, str(tmp_path))) == {
        "libsvm": [[[1, 0, 2], [0, 1, 0]], [3, 4], [1, 0.5]],
        "csv": [[[7, 8]], [1], [0.5]],
        "nothing": None,
        "request": [[[1, 0, 3], [4, 0, 0]], [-99, 0], []],
        "row": [[[1, 2.5]], [], []],
    }


def test_hosts_of_the_xgboost_image_train_one_model(image: Runtime, tmp_path: Path) -> None:
    hosts = ["127.0.0.1", "127.0.0.2"]
    told = json.dumps(hosts), json.dumps(two_free_ports())
    processes = [python(image, tmp_path / me, TOGETHER, told[0], me, told[1]) for me in hosts]
    try:
        (first, predicted), (second, same) = [printed(each) for each in processes]
    finally:
        for each in processes:
            with each:
                each.kill()
    assert (first, second, predicted) == (True, False, same)
    assert [round(each / 100) for each in predicted] == [0, 1]


def two_free_ports() -> list[int]:
    with ExitStack() as taken:
        sockets = [taken.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def test_a_training_script_is_told_what_the_toolkit_tells(image: Runtime, tmp_path: Path) -> None:
    hyperparameters = {"sagemaker_program": "train.py", "n": "5", "name": '"it"'}
    fill(tmp_path / "ml", hyperparameters, {"code/train.py": TRAINING}, channels={"train": {}})
    ended = end(start(image.for_job(tmp_path / "own"), tmp_path / "ml"), tmp_path / "ml")
    assert ended.printed("TOLD") == [
        {"n": 5, "name": "it"},
        ["algo-1"],
        "/opt/ml/model",
        ["-n", "5", "--name", "it"],
    ]
    assert ended.printed("CHANNELS") == {"train": "/opt/ml/input/data/train"}


def test_what_a_job_installs_comes_before_ours(image: Runtime, tmp_path: Path) -> None:
    code = "import json, sagemaker_training; print(json.dumps(sagemaker_training.OWN))"
    own = image.for_job(tmp_path / "own").python
    (packages,) = (tmp_path / "own" / "lib").glob("*/site-packages")
    (packages / "sagemaker_training.py").write_text("OWN = True\n")
    assert subprocess.run([own, "-c", code], capture_output=True, check=True).stdout == b"true\n"
