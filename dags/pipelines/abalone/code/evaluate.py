"""Measure a trained XGBoost model on the test set.

A SageMaker Processing script. It reads `model/model.tar.gz`, as SageMaker's built-in XGBoost
leaves it, and every CSV file under `test` (target first, no header), and writes
`evaluation/evaluation.json` in the layout of SageMaker's model quality reports.

Runs on the old libraries of `sagemaker-xgboost:1.7-1` (Python 3.8) as well as on current ones.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tarfile
from pathlib import Path

import numpy
import xgboost

MODEL_NAME = "xgboost-model"
PICKLE_HEADERS = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))
RESAMPLES = 200
SEED = 42


def main() -> None:
    """Load, predict, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-dir", type=Path, default=Path("/opt/ml/processing"))
    base = parser.parse_args().base_dir
    model = load_model(base / "model" / "model.tar.gz")
    targets, features = read(base / "test")
    print(f"Evaluating on {len(targets)} rows with {features.shape[1]} features")
    report = {"regression_metrics": measure(targets, predict(model, features))}
    for name, metric in report["regression_metrics"].items():
        print(f"{name} = {metric['value']:.4f} (+/- {metric['standard_deviation']:.4f})")
    write(report, base / "evaluation" / "evaluation.json")


def load_model(archive: Path) -> xgboost.Booster:
    """The booster in a `model.tar.gz`: pickled by old containers, in XGBoost's own format since."""
    if not archive.is_file():
        raise SystemExit(f"{archive}: no such file; is it the output of the training step?")
    with tarfile.open(archive) as tar:
        names = [name for name in tar.getnames() if Path(name).name == MODEL_NAME]
        if not names:
            found = ", ".join(tar.getnames()) or "nothing"
            raise SystemExit(f"{archive}: no {MODEL_NAME} in it; found {found}")
        content = tar.extractfile(names[0]).read()
    print(f"Loading {names[0]}, {len(content)} bytes")
    if content.startswith(PICKLE_HEADERS):
        return pickle.loads(content)
    booster = xgboost.Booster()
    booster.load_model(bytearray(content))
    return booster


def read(folder: Path) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Targets and features of every CSV file under `folder`."""
    files = sorted(file for file in folder.glob("**/*.csv") if file.stat().st_size)
    if not files:
        raise SystemExit(f"{folder}: no CSV file with rows; is it the output of preprocessing?")
    rows = numpy.concatenate([numpy.loadtxt(file, delimiter=",", ndmin=2) for file in files])
    if rows.shape[1] < 2:
        raise SystemExit(f"{folder}: {rows.shape[1]} column; expected the target and its features")
    return rows[:, 0], rows[:, 1:]


def predict(model: xgboost.Booster, features: numpy.ndarray) -> numpy.ndarray:
    """One prediction a row."""
    if model.num_features() != features.shape[1]:
        raise SystemExit(
            f"the model was trained on {model.num_features()} features, "
            f"the test set has {features.shape[1]}"
        )
    return model.predict(xgboost.DMatrix(features))


def measure(targets: numpy.ndarray, predictions: numpy.ndarray) -> dict[str, dict[str, float]]:
    """Metric name -> its value, and its standard deviation over bootstrapped test sets."""
    generator = numpy.random.RandomState(SEED)
    samples = generator.randint(len(targets), size=(RESAMPLES, len(targets)))
    resampled = [metrics(targets[sample], predictions[sample]) for sample in samples]
    return {
        name: {
            "value": value,
            "standard_deviation": float(numpy.std([metric[name] for metric in resampled])),
        }
        for name, value in metrics(targets, predictions).items()
    }


def metrics(targets: numpy.ndarray, predictions: numpy.ndarray) -> dict[str, float]:
    """Metric name -> value of one test set."""
    errors = targets - predictions
    mse = float(numpy.mean(errors**2))
    variance = float(numpy.var(targets))
    return {
        "mse": mse,
        "rmse": mse**0.5,
        "mae": float(numpy.mean(numpy.abs(errors))),
        # Of rows with one and the same target nothing is explained.
        "r2": 1 - mse / variance if variance else 0.0,
    }


def write(report: dict, file: Path) -> None:
    """`report` as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=2) + "\n")
    print(f"Wrote {file}")


if __name__ == "__main__":
    main()
