import os
import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_sm_pipelines.local.algorithms.metrics import BUILT_IN_METRICS
from airflow_sm_pipelines.local.images import Runtime

from .containers import DEADLINE_SECONDS, Ended, end, fill, our_images, start

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
METRICS = dict(BUILT_IN_METRICS["xgboost"])
CSV = "".join(f"{row % 5},{row % 5},{row % 3}\n" for row in range(200))
CLASSES = "".join(f"{row % 2},{row % 2},{row % 3}\n" for row in range(60))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return our_images(tmp_path_factory.mktemp("config")).runtime(IMAGE)


def prepare(
    ml: Path,
    hyperparameters: Mapping[str, str],
    files: Mapping[str, str],
    *,
    content_type: str | None = "text/csv",
    hosts: int = 1,
    mode: str = "File",
) -> None:
    """Fill /opt/ml; `files` are by `<channel>/<name>`."""
    channel = {"TrainingInputMode": mode}
    if content_type:
        channel["ContentType"] = content_type
    names = [f"algo-{number + 1}" for number in range(hosts)]
    fill(
        ml,
        hyperparameters,
        {f"input/data/{name}": content for name, content in files.items()},
        channels={name.partition("/")[0]: channel for name in files},
        resources={"current_host": "algo-1", "hosts": names},
    )


def rounds_of(model: Path, image: Runtime) -> int:
    """How many rounds a model has, by XGBoost itself."""
    load = (
        "import sys, xgboost; print(xgboost.Booster(model_file=sys.argv[1]).num_boosted_rounds())"
    )
    command = [str(image.python), "-W", "ignore", "-c", load, str(model)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.fixture
def train(image: Runtime, tmp_path: Path) -> Callable[..., Ended]:
    """Runs the image's `train` to its end."""

    def run(hyperparameters: Mapping[str, str], files: Mapping[str, str], **options: Any) -> Ended:
        prepare(tmp_path / "ml", hyperparameters, files, **options)
        return end(start(image, tmp_path / "ml"), tmp_path / "ml")

    return run


def test_a_model_that_xgboost_loads_is_left(train: Callable[..., Ended], image: Runtime) -> None:
    ended = train({"num_round": "7", "objective": "reg:squarederror"}, {"train/a.csv": CSV})
    assert (ended.code, sorted(os.listdir(ended.ml))) == (0, ["input", "model"])
    assert rounds_of(ended.model, image) == 7


def test_an_image_before_1_3_leaves_a_model_that_pickle_loads(tmp_path: Path) -> None:
    old = our_images(tmp_path).runtime(IMAGE.replace("1.7-1", "1.0-1-cpu-py3"))
    prepare(tmp_path / "ml", {"num_round": "3"}, {"train/train.csv": CSV})
    ended = end(start(old, tmp_path / "ml"), tmp_path / "ml")
    assert ended.code == 0, ended.log
    load = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).num_boosted_rounds())"
    command = [str(old.python), "-c", load, str(ended.model)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"3\n"


def test_the_log_has_a_line_a_round_that_the_built_in_metrics_read(
    train: Callable[..., Ended],
) -> None:
    ended = train(
        {"num_round": "5", "eta": "1", "eval_metric": "rmse,mae"},
        {"train/a.csv": CSV, "validation/b.csv": CSV},
    )
    assert re.search(r"^\[\S+:INFO\] Train matrix has 200 rows and 2 columns$", ended.log, re.M)
    assert re.search(
        r"^\[0\]#011train-rmse:\S+#011train-mae:\S+#011validation-rmse:", ended.log, re.M
    )
    found = re.findall(METRICS["validation:rmse"], ended.log)
    assert len(found) == 5
    assert float(found[-1]) < float(found[0])


def test_weights_can_stand_in_the_second_column(train: Callable[..., Ended]) -> None:
    ended = train({"num_round": "1", "csv_weights": "1"}, {"train/a.csv": "0,1,5\n1,3,6\n"})
    assert "Train matrix has 2 rows and 1 columns" in ended.log


def test_training_stops_early_with_the_best_rounds(
    train: Callable[..., Ended], image: Runtime
) -> None:
    noise = "".join(f"{(row * 7919) % 11},{row % 5},{row % 3}\n" for row in range(50))
    ended = train(
        {"num_round": "500", "eta": "1", "early_stopping_rounds": "3"},
        {"train/a.csv": CSV, "validation/b.csv": noise},
    )
    rounds = len(re.findall(METRICS["validation:rmse"], ended.log))
    assert 4 <= rounds < 500
    assert rounds_of(ended.model, image) == rounds - 3


def test_metrics_that_xgboost_lacks_are_measured(train: Callable[..., Ended]) -> None:
    names = "accuracy,balanced_accuracy,f1,f1_binary,f1_macro,mse,precision,precision_macro"
    more = "precision_micro,r2,recall,recall_macro,recall_micro,auc,error@0.7"
    ended = train(
        {
            "num_round": "3",
            "eta": "1",
            "objective": "binary:logistic",
            "eval_metric": f"{names},{more}",
        },
        {"train/a.csv": CLASSES},
    )
    for name in f"{names},{more}".split(","):
        assert f"#011train-{name}:" in ended.log
    assert re.findall(METRICS["train:accuracy"], ended.log)[-1] == "1.00000"


def test_metrics_of_many_classes_are_measured(train: Callable[..., Ended]) -> None:
    ended = train(
        {
            "num_round": "3",
            "objective": "multi:softprob",
            "num_class": "5",
            "_tuning_objective_metric": "validation:f1_macro",
        },
        {"train/a.csv": CSV, "validation/a.csv": CSV},
    )
    assert re.findall(METRICS["validation:f1_macro"], ended.log)[-1] == "1.00000"


def test_what_current_xgboost_has_no_more_is_said(train: Callable[..., Ended]) -> None:
    ended = train(
        {"num_round": "1", "silent": "0", "objective": "reg:linear"}, {"train/a.csv": CSV}
    )
    assert ended.code == 0
    assert "Hyperparameter silent has no effect in XGBoost" in ended.log
    assert "Hyperparameter objective: reg:linear is reg:squarederror here" in ended.log


def test_a_stopped_job_leaves_its_model_where_that_was_asked_for(
    image: Runtime, tmp_path: Path
) -> None:
    settings = {"num_round": "100000000", "save_model_on_termination": "true"}
    ml = tmp_path / "ml"
    prepare(ml, settings, {"train/a.csv": CSV})
    job = start(image, ml)
    assert job.stdout is not None
    for line in job.stdout:
        if line.startswith("[3]"):
            break
    os.killpg(job.pid, signal.SIGTERM)
    job.communicate(timeout=DEADLINE_SECONDS)
    assert job.returncode == 0
    assert (ml / "model" / "xgboost-model").stat().st_size > 0


def test_a_program_among_the_hyperparameters_is_script_mode(train: Callable[..., Ended]) -> None:
    script = "import xgboost\nopen('/opt/ml/model/mine', 'w').write(xgboost.__name__)\n"
    ended = train(
        {
            "sagemaker_program": "mine.py",
            "sagemaker_submit_directory": "/opt/ml/input/data/code",
            "num_round": "3",
        },
        {"train/a.csv": CSV, "code/mine.py": "import os; os.makedirs('/opt/ml/model')\n" + script},
    )
    assert (ended.code, (ended.ml / "model" / "mine").read_text()) == (0, "xgboost")


@pytest.mark.parametrize(
    ("hyperparameters", "files", "options", "failure"),
    [
        ({"eta": "1"}, {"train/a": CSV}, {}, "Missing required hyperparameter: num_round"),
        ({"num_round": "1"}, {"validation/a": CSV}, {}, "Missing required channel: train"),
        (
            {"num_round": "1"},
            {"train/a": CSV, "test/a": CSV},
            {},
            "Extraneous channel found: test",
        ),
        (
            {"num_round": "1"},
            {"train/a": "1 0:0.5\n1,2\n"},
            {"content_type": None},
            "Failed to load libsvm data with exception:\n/opt/ml/input/data/train/a, line 2: "
            "'1,2' is not a number; lines are `label index:value ...`, and ContentType text/csv "
            "is for CSV",
        ),
        (
            {"num_round": "1"},
            {"train/a": CSV},
            {"mode": "Pipe"},
            "Channel train: Pipe mode is not run locally; use File",
        ),
        (
            {"num_round": "1"},
            {"train/a": CSV},
            {"hosts": 2},
            "Training on 2 hosts is not run locally; use one instance",
        ),
        (
            {"num_round": "1", "objective": "binary:logistic"},
            {"train/a": CSV},
            {},
            "label must be in [0,1] for logistic regression (channel train)",
        ),
    ],
)
def test_what_the_user_got_wrong_is_the_failure(
    train: Callable[..., Ended],
    hyperparameters: dict[str, str],
    files: dict[str, str],
    options: dict[str, object],
    failure: str,
) -> None:
    ended = train(hyperparameters, files, **options)
    assert ended.code == 1
    assert ended.failure == f"ClientError: {failure}"
    assert ended.failure in ended.log
    assert not ended.model.exists()


def test_what_xgboost_refuses_is_the_failure_without_its_stack(train: Callable[..., Ended]) -> None:
    ended = train({"num_round": "1", "objective": "reg:gamma"}, {"train/a": "-1,1,2\n-2,2,3\n"})
    assert ended.code == 1
    assert ended.failure.startswith("ClientError: XGB train call failed with exception:\n")
    assert "Stack trace" not in ended.failure
