"""Algorithm mode of AWS's XGBoost image.

Learns from the channels `train` and `validation` by the job's hyperparameters, and leaves the
booster in /opt/ml/model/xgboost-model as `Booster.save_model` writes it by default: UBJSON, which
`Booster.load_model` reads. AWS's image does so from 1.3-1 on, and pickled before: with the argument
`pickled` so does this.

The log has the container's lines. `#011` is how the service's log agent wrote the tab that
XGBoost puts between metrics, and the expressions of the built-in metrics look for it.
"""

import pickle
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

# XGBoost imports scikit-learn where there is one, for an interface that is not used here: that is
# 1.2 of 1.9 seconds. None makes the import fail, and XGBoost goes without.
sys.modules["sklearn"] = None  # type: ignore[assignment]
import xgboost  # type: ignore[import-not-found, unused-ignore]  # noqa: E402

del sys.modules["sklearn"]

from . import xgboost_metrics  # noqa: E402
from .container import MODEL, ClientError, channel_path, fail, read_config  # noqa: E402
from .metrics import XGBOOST_MAXIMIZE  # noqa: E402
from .tabular import Table, read  # noqa: E402
from .xgboost_hyperparameters import parse  # noqa: E402


def main() -> int:
    """Train; returns the exit code of the job's process."""
    try:
        _check_hosts()
        hyperparameters = parse(read_config("hyperparameters.json"))
        tables = _tables(weighted=hyperparameters.get("csv_weights") == 1)
        booster = train(hyperparameters, tables)
    except ClientError as error:
        return fail(f"ClientError: {error}")
    except xgboost.core.XGBoostError as error:
        reason = str(error).partition("Stack trace:")[0].strip()
        return fail(f"ClientError: XGB train call failed with exception:\n{reason}")
    MODEL.mkdir(parents=True, exist_ok=True)
    pickled = "pickled" in sys.argv
    # save_model() would choose the same format for this name, with a warning on the user's screen.
    content = pickle.dumps(booster) if pickled else booster.save_raw(raw_format="ubj")
    (MODEL / "xgboost-model").write_bytes(content)
    return 0


def train(hyperparameters: Mapping[str, Any], tables: Mapping[str, Table]) -> Any:
    """The booster that the tables `train`, and perhaps `validation`, give."""
    _check_labels(str(hyperparameters.get("objective", "")), tables)
    matrices = {name: _matrix(table) for name, table in tables.items()}
    for name, matrix in matrices.items():
        label = "Train" if name == "train" else "Validation"
        _log(f"{label} matrix has {matrix.num_row()} rows and {matrix.num_col()} columns")
    names = _metric_names(hyperparameters)
    own = [name for name in names if name in xgboost_metrics.METRICS]
    settings = {
        **_settings(hyperparameters),
        "eval_metric": [name for name in names if name not in own],
    }
    if own and not settings["eval_metric"]:
        settings["disable_default_eval_metric"] = True
    return xgboost.train(
        settings,
        matrices["train"],
        num_boost_round=hyperparameters["num_round"],
        evals=[(matrix, name) for name, matrix in matrices.items()],
        custom_metric=xgboost_metrics.evaluation(own) if own else None,
        callbacks=_callbacks(hyperparameters, names, with_validation="validation" in matrices),
        verbose_eval=False,
    )


class InOrder(xgboost.callback.TrainingCallback):  # type: ignore[misc, unused-ignore]
    """Runs all of `callbacks` in their order; XGBoost 2 runs them in any, until one stops."""

    def __init__(self, callbacks: Sequence[Any]) -> None:
        super().__init__()
        self._callbacks = callbacks

    def before_training(self, model: Any) -> Any:
        """The model, after all of them have had it."""
        for each in self._callbacks:
            model = each.before_training(model)
        return model

    def after_training(self, model: Any) -> Any:
        """The model, after all of them have had it."""
        for each in self._callbacks:
            model = each.after_training(model)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Whether one of them ends here."""
        ends = [each.after_iteration(model, epoch, evals_log) for each in self._callbacks]
        return any(ends)


class Lines(xgboost.callback.TrainingCallback):  # type: ignore[misc, unused-ignore]
    """Prints the metrics of each round, as the container does."""

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Print the last value of each metric; goes on in any case."""
        parts = [
            f"#011{channel}-{metric}:{values[-1]:.5f}"
            for channel, metrics in evals_log.items()
            for metric, values in metrics.items()
        ]
        sys.stdout.write(f"[{epoch}]{''.join(parts)}\n")
        sys.stdout.flush()
        return False


class Termination(xgboost.callback.TrainingCallback):  # type: ignore[misc, unused-ignore]
    """Ends training after the round in which SIGTERM comes, so that there is a model to save."""

    def __init__(self) -> None:
        super().__init__()
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Whether to end here."""
        return self._asked

    def _ask(self, *_: object) -> None:
        self._asked = True


def _check_hosts() -> None:
    hosts = read_config("resourceconfig.json").get("hosts", [])
    if len(hosts) > 1:
        raise ClientError(f"Training on {len(hosts)} hosts is not run locally; use one instance")


def _tables(*, weighted: bool) -> dict[str, Table]:
    """The data of the channels, by the channel's name, `train` first."""
    channels = read_config("inputdataconfig.json")
    if "train" not in channels:
        raise ClientError("Missing required channel: train")
    for name, channel in channels.items():
        if name not in _CHANNELS:
            raise ClientError(f"Extraneous channel found: {name}")
        if channel.get("TrainingInputMode") == "Pipe":
            raise ClientError(f"Channel {name}: Pipe mode is not run locally; use File")
    content_type = channels["train"].get("ContentType")
    tables = {"train": read(channel_path("train"), content_type, weighted=weighted)}
    if "validation" in channels:
        own_type = channels["validation"].get("ContentType") or content_type
        tables["validation"] = read(channel_path("validation"), own_type)
    return tables


def _check_labels(objective: str, tables: Mapping[str, Table]) -> None:
    """XGBoost's own complaint about these is one about its base score."""
    if not objective.startswith(("binary:", "reg:logistic")):
        return
    for name, table in tables.items():
        if table.labels.min() < 0 or table.labels.max() > 1:
            raise ClientError(f"label must be in [0,1] for logistic regression (channel {name})")


def _matrix(table: Table) -> Any:
    return xgboost.DMatrix(table.features, label=table.labels, weight=table.weights)


def _metric_names(hyperparameters: Mapping[str, Any]) -> list[str]:
    """What to measure each round. A tuning job's objective comes last, where stopping looks."""
    asked = hyperparameters.get("eval_metric", [])
    objective = hyperparameters.get("_tuning_objective_metric")
    return [name for name in asked if name != objective] + ([objective] if objective else [])


def _settings(hyperparameters: Mapping[str, Any]) -> dict[str, object]:
    """What of the hyperparameters is XGBoost's own, in the words of its current version."""
    settings: dict[str, object] = {}
    for name, value in hyperparameters.items():
        if name in _OURS:
            continue
        if name in _GONE:
            _log(f"Hyperparameter {name} has no effect in XGBoost {xgboost.__version__}")
            continue
        settings[name] = _RENAMED.get((name, value), value)
        if settings[name] != value:
            _log(f"Hyperparameter {name}: {value} is {settings[name]} here")
    return settings


def _callbacks(
    hyperparameters: Mapping[str, Any], names: list[str], *, with_validation: bool
) -> list[Any]:
    callbacks: list[Any] = [Lines()]
    if hyperparameters.get("save_model_on_termination") == "true":
        callbacks.append(Termination())
    if rounds := hyperparameters.get("early_stopping_rounds"):
        metric = names[-1] if names else None
        stopping = xgboost.callback.EarlyStopping(
            rounds=rounds,
            metric_name=metric,
            data_name="validation" if with_validation else "train",
            maximize=metric.partition("@")[0] in XGBOOST_MAXIMIZE if metric else None,
            # The guide: hosting uses the best model for inference.
            save_best=hyperparameters.get("booster") != "gblinear",
        )
        callbacks.append(stopping)
    return [InOrder(callbacks)]


def _log(message: str) -> None:
    stamp = time.strftime("%Y-%m-%d:%H:%M:%S")
    sys.stdout.write(f"[{stamp}:INFO] {message}\n")
    sys.stdout.flush()


_CHANNELS = ("train", "validation", "code")

# Read by this program, not by XGBoost.
_OURS = (
    "_tuning_objective_metric",
    "csv_weights",
    "early_stopping_rounds",
    "eval_metric",
    "num_round",
    "save_model_on_termination",
    "use_dask_gpu_training",
)

# Documented by AWS, and dropped by XGBoost since its images were made.
_GONE = (
    "deterministic_histogram",
    "dsplit",
    "predictor",
    "silent",
    "single_precision_histogram",
    "sketch_eps",
)

_RENAMED: dict[tuple[str, object], str] = {
    ("objective", "reg:linear"): "reg:squarederror",
    ("tree_method", "gpu_hist"): "hist",
}

if __name__ == "__main__":
    sys.exit(main())
