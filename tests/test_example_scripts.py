"""The scripts of the Abalone example, run in the environments of their images."""

from __future__ import annotations

import ast
import csv
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.images import Images

EXAMPLE = Path(__file__).resolve().parents[1] / "dags" / "pipelines" / "abalone"
SCRIPTS = EXAMPLE / "code"
DATA = (EXAMPLE / "data" / "abalone.csv").read_text()
DEFINITION = json.loads((EXAMPLE / "definition.json").read_text())
STEPS = {step["Name"]: step for step in DEFINITION["Steps"]}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run of a script ended."""

    log: str
    error: str | None


class Script:
    """A script of the example, imported once in its image's environment and run many times."""

    def __init__(self, name: str, image_uri: str) -> None:
        runtime = Images().runtime(image_uri)
        self.python = runtime.python
        self._process = subprocess.Popen(
            [runtime.python, "-B", "-c", WORKER, name],
            env={**runtime.environment, "PYTHONPATH": str(SCRIPTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, base_dir: Path, *arguments: str) -> Outcome:
        """The script's `main` with `arguments`, on `base_dir` instead of /opt/ml/processing."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(["--base-dir", str(base_dir), *arguments]), file=self._process.stdin)
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def preprocess() -> Iterator[Script]:
    """The script of the Preprocess step."""
    script = Script("preprocess", image_of("Preprocess"))
    yield script
    script.stop()


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Script]:
    """The script of the Evaluate step."""
    script = Script("evaluate", image_of("Evaluate"))
    yield script
    script.stop()


@pytest.fixture(scope="module")
def sets(preprocess: Script, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the data set, preprocessed."""
    base = tmp_path_factory.mktemp("sets")
    put(base, DATA)
    assert preprocess.run(base).error is None
    return base


@pytest.fixture(scope="module")
def models(evaluate: Script, sets: Path) -> dict[str, bytes]:
    """Format -> the model that the example's hyperparameters give, in that format."""
    hyperparameters = json.dumps(STEPS["Train"]["Arguments"]["HyperParameters"])
    subprocess.run([evaluate.python, "-c", TRAIN, sets, hyperparameters], env={}, check=True)
    return {file.suffix[1:]: file.read_bytes() for file in sets.glob("model.*")}


def image_of(step: str) -> str:
    """The image that `step` runs in."""
    return str(STEPS[step]["Arguments"]["AppSpecification"]["ImageUri"])


def put(base: Path, text: str) -> None:
    """Make `text` the input of the Preprocess step."""
    folder = base / "input" / "data"
    folder.mkdir(parents=True)
    (folder / "abalone.csv").write_text(text)


def rows(base: Path, name: str) -> list[list[float]]:
    """One of the sets that the Preprocess step wrote."""
    with (base / name / f"{name}.csv").open() as file:
        return [[float(value) for value in row] for row in csv.reader(file)]


def put_model(base: Path, name: str, content: bytes) -> None:
    """Make a `model.tar.gz` with one file the model of the Evaluate step."""
    (base / "model").mkdir()
    with tarfile.open(base / "model" / "model.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))


def put_test_set(base: Path, text: str) -> None:
    """Make `text` the test set of the Evaluate step."""
    (base / "test").mkdir()
    (base / "test" / "test.csv").write_text(text)


@pytest.mark.parametrize("name", ["preprocess.py", "evaluate.py"])
def test_script_parses_on_the_python_of_the_old_images(name: str) -> None:
    ast.parse((SCRIPTS / name).read_text(), feature_version=(3, 8))


def test_preprocess_splits_every_row_that_is_no_outlier(sets: Path) -> None:
    sizes = [len(rows(sets, name)) for name in ("train", "validation", "test")]
    assert sizes == [2503, 835, 835]


def test_preprocess_keeps_outliers_when_told_to(preprocess: Script, tmp_path: Path) -> None:
    put(tmp_path, DATA)
    preprocess.run(tmp_path, "--drop-outliers", "false")
    assert sum(len(rows(tmp_path, name)) for name in ("train", "validation", "test")) == 4177


@pytest.mark.parametrize("text", ["true", "True"])
def test_preprocess_reads_booleans_of_the_service_and_of_local_mode(
    preprocess: Script, tmp_path: Path, text: str
) -> None:
    put(tmp_path, DATA)
    assert "Dropped 4 rows" in preprocess.run(tmp_path, "--drop-outliers", text).log


def test_preprocess_gives_the_same_bytes_for_the_same_data(
    preprocess: Script, sets: Path, tmp_path: Path
) -> None:
    put(tmp_path, DATA)
    preprocess.run(tmp_path)
    for name in ("train", "validation", "test"):
        file = f"{name}/{name}.csv"
        assert (tmp_path / file).read_bytes() == (sets / file).read_bytes()


def test_preprocess_puts_the_target_first_and_scales_by_the_training_set(sets: Path) -> None:
    train = rows(sets, "train")
    targets, *features = zip(*train, strict=True)
    assert all(target == int(target) and 1 <= target <= 29 for target in targets)
    assert len(features) == 10
    assert all(sum(row[1:4]) == 1 for row in train)
    assert [sum(feature) / len(train) for feature in features[3:]] == pytest.approx([0] * 7)


GOOD = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the file is empty"),
        (
            "M,0.455,0.365,15\n",
            "4 columns; expected 9: sex, length, diameter, height, whole_weight, shucked_weight,"
            " viscera_weight, shell_weight, rings",
        ),
        (GOOD + "M,1,2,3,4,5,6,7,8,9,10\n", "not a CSV file: "),
        (GOOD + GOOD.replace("M", "X"), "row 2: sex is 'X'; expected one of F, I, M"),
        (GOOD.replace("0.095", "tall"), "row 1: height is 'tall'; expected a number"),
        (GOOD + GOOD.replace("15\n", "\n"), "row 2: rings is 'nan'; expected a number"),
        (GOOD * 4, "4 rows are too few to split; give at least 10"),
    ],
)
def test_preprocess_says_what_is_wrong_with_the_data(
    preprocess: Script, tmp_path: Path, text: str, error: str
) -> None:
    put(tmp_path, text)
    assert error in (preprocess.run(tmp_path).error or "")


def test_preprocess_says_that_there_is_no_data(preprocess: Script, tmp_path: Path) -> None:
    error = preprocess.run(tmp_path).error
    assert error == f"{tmp_path / 'input' / 'data'}: no CSV file; is the input data URI right?"


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("--drop-outliers", "maybe", "'maybe' is neither true nor false"),
        ("--test-share", "0.5", "0.5 is not between 0 and 0.5"),
    ],
)
def test_preprocess_refuses_arguments_out_of_range(
    preprocess: Script, tmp_path: Path, option: str, value: str, error: str
) -> None:
    assert error in (preprocess.run(tmp_path, option, value).error or "")


def test_default_threshold_takes_the_if_branch_and_a_tenth_the_else_branch(
    evaluate: Script, sets: Path, models: dict[str, bytes], tmp_path: Path
) -> None:
    (threshold,) = (
        parameter["DefaultValue"]
        for parameter in DEFINITION["Parameters"]
        if parameter["Name"] == "MseThreshold"
    )
    put_model(tmp_path, "xgboost-model", models["native"])
    put_test_set(tmp_path, (sets / "test" / "test.csv").read_text())
    assert evaluate.run(tmp_path).error is None
    assert 0.1 < metrics(tmp_path)["mse"]["value"] < threshold


@pytest.mark.parametrize("model_format", ["native", "pickle"])
def test_evaluate_reads_every_format_of_the_container(
    evaluate: Script, models: dict[str, bytes], sets: Path, tmp_path: Path, model_format: str
) -> None:
    put_model(tmp_path, "xgboost-model", models[model_format])
    put_test_set(tmp_path, (sets / "test" / "test.csv").read_text())
    assert "Evaluating on 835 rows with 10 features" in evaluate.run(tmp_path).log


def test_evaluate_measures_with_a_spread(
    evaluate: Script, models: dict[str, bytes], sets: Path, tmp_path: Path
) -> None:
    put_model(tmp_path, "xgboost-model", models["native"])
    put_test_set(tmp_path, (sets / "test" / "test.csv").read_text())
    evaluate.run(tmp_path)
    measured = metrics(tmp_path)
    assert list(measured) == ["mse", "rmse", "mae", "r2"]
    assert measured["rmse"]["value"] ** 2 == pytest.approx(measured["mse"]["value"])
    assert all(0 < metric["standard_deviation"] < 1 for metric in measured.values())


def test_evaluate_says_that_there_is_no_model(evaluate: Script, tmp_path: Path) -> None:
    error = evaluate.run(tmp_path).error
    archive = tmp_path / "model" / "model.tar.gz"
    assert error == f"{archive}: no such file; is it the output of the training step?"


def test_evaluate_says_what_it_found_instead_of_a_model(evaluate: Script, tmp_path: Path) -> None:
    put_model(tmp_path, "model.pth", b"")
    error = evaluate.run(tmp_path).error or ""
    assert error.endswith("model.tar.gz: no xgboost-model in it; found model.pth")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no CSV file with rows; is it the output of preprocessing?"),
        ("15\n", "1 column; expected the target and its features"),
        ("15,1,2\n", "the model was trained on 10 features, the test set has 2"),
    ],
)
def test_evaluate_says_what_is_wrong_with_the_test_set(
    evaluate: Script, models: dict[str, bytes], tmp_path: Path, text: str, error: str
) -> None:
    put_model(tmp_path, "xgboost-model", models["native"])
    put_test_set(tmp_path, text)
    assert error in (evaluate.run(tmp_path).error or "")


def metrics(base: Path) -> dict[str, dict[str, float]]:
    """What the Evaluate step reported."""
    report = json.loads((base / "evaluation" / "evaluation.json").read_text())
    measured: dict[str, dict[str, float]] = report["regression_metrics"]
    return measured


WORKER = """
import contextlib, importlib, io, json, sys

script = importlib.import_module(sys.argv[1])
for line in sys.stdin:
    sys.argv[1:] = json.loads(line)
    log, error = io.StringIO(), None
    try:
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            script.main()
    except SystemExit as stop:
        error = log.getvalue() if stop.code == 2 else str(stop)
    print(json.dumps({"log": log.getvalue(), "error": error}), flush=True)
"""

TRAIN = """
import json, pathlib, pickle, sys
import numpy, xgboost

base, hyperparameters = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
rounds = int(hyperparameters.pop("num_round"))
train = numpy.loadtxt(base / "train" / "train.csv", delimiter=",")
booster = xgboost.train(hyperparameters, xgboost.DMatrix(train[:, 1:], train[:, 0]), rounds)
(base / "model.native").write_bytes(booster.save_raw("ubj"))
(base / "model.pickle").write_bytes(pickle.dumps(booster))
"""
