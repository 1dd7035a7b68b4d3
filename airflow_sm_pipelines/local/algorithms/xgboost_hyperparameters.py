"""The hyperparameters of built-in XGBoost: their names, types and ranges.

`parse` types a job's strings as AWS's container does, and words its complaints as the container
words them. To add one: a row of `HYPERPARAMETERS`. Source: "XGBoost hyperparameters" in the
SageMaker developer guide, and the source of the container where the guide is silent.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from .container import ClientError
from .metrics import XGBOOST_METRICS


def parse(texts: Mapping[str, str]) -> dict[str, Any]:
    """The hyperparameters of a job, typed. Raises `ClientError` for the first that is wrong."""
    for name in _REQUIRED:
        if name not in texts:
            raise ClientError(f"Missing required hyperparameter: {name}")
    values: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in HYPERPARAMETERS:
            raise ClientError(f"Extraneous hyperparameter found: {name}")
        try:
            values[name] = HYPERPARAMETERS[name](_plain(text))
        except ValueError as error:
            raise ClientError(f"Hyperparameter {name}: {error}") from error
    _check_together(values)
    return values


def _plain(text: str) -> str:
    """A value without the quotes that SDKs put around it, as JSON."""
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        return text


def _check_together(values: Mapping[str, object]) -> None:
    objective = str(values.get("objective", ""))
    if objective.startswith("multi:") and "num_class" not in values:
        raise ClientError("Require input for parameter 'num_class' for multi-classification")
    if "num_class" in values and objective and not objective.startswith("multi:"):
        raise ClientError(
            "Do not need to setup parameter 'num_class' for learning task other than "
            "multi-classification."
        )
    if values.get("use_dask_gpu_training") == "true":
        raise ClientError("Hyperparameter use_dask_gpu_training: there is no GPU locally")
    for name in ("_kfold", "_num_cv_round"):
        if name in values:
            raise ClientError(f"Hyperparameter {name}: cross-validation is not run locally")


def _number(interval: str) -> Callable[[str], object]:
    """A float within `interval`, written as in mathematics: `(0, 1]`."""
    return lambda text: _within(interval, _convert(float, text))


def _integer(interval: str) -> Callable[[str], object]:
    """A whole number within `interval`."""
    return lambda text: _within(interval, _convert(int, text))


def _one_of(*choices: str) -> Callable[[str], object]:
    def convert(text: str) -> str:
        if text not in choices:
            raise ValueError(f"{text} is not in {list(choices)}")
        return text

    return convert


def _many_of(*choices: str) -> Callable[[str], object]:
    """Names of `choices`, between commas."""

    def convert(text: str) -> str:
        names = [name.strip() for name in text.split(",")]
        if any(name not in choices for name in names):
            raise ValueError(f"value {names} not in range {list(choices)}")
        return ",".join(names)

    return convert


def _flag(text: str) -> str:
    return str(_one_of("true", "false")(text.lower()))


def _metrics(text: str) -> list[str]:
    """Metric names between commas, or as a JSON list; some take a threshold, `error@0.7`."""
    names = [name.strip(" \"'") for name in text.strip("[] ").split(",")]
    for name in names:
        metric, at, threshold = name.partition("@")
        if at and metric not in _WITH_THRESHOLD:
            raise ValueError(
                f"Metric '{name}' is not supported. Parameter 'eval_metric' with customized "
                f"threshold should be one of these options: {', '.join(_WITH_THRESHOLD)}."
            )
        if at:
            _convert(float, threshold.rstrip("-"))
        if metric.rstrip("-") not in XGBOOST_METRICS:
            raise ValueError(f"value {names} not in range {list(XGBOOST_METRICS)}")
    return names


def _objective_metric(text: str) -> str:
    """The metric of a tuning job: `validation:rmse`, of which XGBoost knows `rmse`."""
    return _metrics(text.rpartition(":")[2])[0]


def _constraints(text: str) -> str:
    """What XGBoost reads itself: `(1,-1)`, `[[0, 1], [2, 3]]`."""
    try:
        json.loads(text.replace("(", "[").replace(")", "]"))
    except ValueError as error:
        raise ValueError(f"could not parse value {text!r}") from error
    return text


def _convert(kind: Callable[[str], float], text: str) -> float:
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"could not parse value {text!r}") from error


def _within(interval: str, value: float) -> float:
    low, high = (float(bound) for bound in interval.strip("()[]").split(","))
    above = value > low or (value == low and interval.startswith("["))
    below = value < high or (value == high and interval.endswith("]"))
    if math.isnan(value) or not (above and below):
        raise ValueError(f"{value} is not in {interval}")
    return value


_REQUIRED = ("num_round",)
_WITH_THRESHOLD = ("error", "ndcg", "map", "tweedie-nloglik")
_UPDATERS = (
    "coord_descent",
    "distcol",
    "grow_colmaker",
    "grow_histmaker",
    "grow_local_histmaker",
    "grow_quantile_histmaker",
    "grow_skmaker",
    "prune",
    "refresh",
    "shotgun",
    "sync",
)
_OBJECTIVES = (
    "binary:hinge",
    "binary:logistic",
    "binary:logitraw",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:map",
    "rank:ndcg",
    "rank:pairwise",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:linear",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:aft",
    "survival:cox",
)

HYPERPARAMETERS: dict[str, Callable[[str], object]] = {
    "_kfold": _integer("[2, inf)"),
    "_num_cv_round": _integer("[1, inf)"),
    "_tuning_objective_metric": _objective_metric,
    "aft_loss_distribution": _one_of("normal", "logistic", "extreme"),
    "aft_loss_distribution_scale": _number("(0, inf)"),
    "alpha": _number("[0, inf)"),
    "base_score": _number("(-inf, inf)"),
    "booster": _one_of("gbtree", "gblinear", "dart"),
    "colsample_bylevel": _number("(0, 1]"),
    "colsample_bynode": _number("(0, 1]"),
    "colsample_bytree": _number("(0, 1]"),
    "csv_weights": _integer("[0, 1]"),
    "deterministic_histogram": _flag,
    "dsplit": _one_of("row", "col"),
    "early_stopping_rounds": _integer("[1, inf)"),
    "eta": _number("[0, 1]"),
    "eval_metric": _metrics,
    "gamma": _number("[0, inf)"),
    "grow_policy": _one_of("depthwise", "lossguide"),
    "interaction_constraints": _constraints,
    "lambda": _number("[0, inf)"),
    "lambda_bias": _number("[0, 1]"),
    "max_bin": _integer("[0, inf)"),
    "max_delta_step": _number("[0, inf)"),
    "max_depth": _integer("[0, inf)"),
    "max_leaves": _integer("[0, inf)"),
    "min_child_weight": _number("[0, inf)"),
    "monotone_constraints": _constraints,
    "normalize_type": _one_of("tree", "forest"),
    "nthread": _integer("[1, inf)"),
    "num_class": _integer("[2, inf)"),
    "num_parallel_tree": _integer("[1, inf)"),
    "num_round": _integer("[1, inf)"),
    "objective": _one_of(*_OBJECTIVES),
    "one_drop": _integer("[0, 1]"),
    "predictor": _one_of("auto", "cpu_predictor", "gpu_predictor"),
    "process_type": _one_of("default", "update"),
    "rate_drop": _number("[0, 1]"),
    "refresh_leaf": _integer("[0, 1]"),
    "sample_type": _one_of("uniform", "weighted"),
    "sampling_method": _one_of("uniform", "gradient_based"),
    "save_model_on_termination": _flag,
    "scale_pos_weight": _number("(0, inf)"),
    "seed": _integer("(-2147483648, 2147483647)"),
    "silent": _integer("[0, 1]"),
    "single_precision_histogram": _flag,
    "sketch_eps": _number("(0, 1)"),
    "skip_drop": _number("[0, 1]"),
    "subsample": _number("(0, 1]"),
    "tree_method": _one_of("auto", "exact", "approx", "hist", "gpu_hist"),
    "tweedie_variance_power": _number("(1, 2)"),
    "updater": _many_of(*_UPDATERS),
    "use_dask_gpu_training": _flag,
    "verbosity": _integer("[0, 3]"),
}
