"""The metrics that SageMaker reads from the logs of its built-in algorithms.

A request for a built-in algorithm has no MetricDefinitions; the service adds them, and
DescribeTrainingJob shows them. `BUILT_IN_METRICS` has them by the name of the image's rule in
`images.toml`, as (Name, Regex). Only the standard library is needed to import this.

Source: "Tune an XGBoost Model" in the SageMaker developer guide, and the names in the source of
AWS's own container; the expression is that of a described training job.
"""

# Larger is better, in the first; smaller is better, in the second.
XGBOOST_MAXIMIZE = (
    "accuracy",
    "auc",
    "aucpr",
    "balanced_accuracy",
    "f1",
    "f1_binary",
    "f1_macro",
    "map",
    "ndcg",
    "precision",
    "precision_macro",
    "precision_micro",
    "r2",
    "recall",
    "recall_macro",
    "recall_micro",
)
XGBOOST_MINIMIZE = (
    "aft-nloglik",
    "cox-nloglik",
    "error",
    "gamma-deviance",
    "gamma-nloglik",
    "interval-regression-accuracy",
    "logloss",
    "mae",
    "mape",
    "merror",
    "mlogloss",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
)
XGBOOST_METRICS = (*XGBOOST_MAXIMIZE, *XGBOOST_MINIMIZE)

_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


def _xgboost(channel: str, metric: str) -> tuple[str, str]:
    return f"{channel}:{metric}", rf".*\[[0-9]+\].*#011{channel}-{metric}:{_NUMBER}.*"


_XGBOOST = tuple(
    _xgboost(channel, metric) for channel in ("train", "validation") for metric in XGBOOST_METRICS
)

BUILT_IN_METRICS: dict[str, tuple[tuple[str, str], ...]] = {
    "xgboost": _XGBOOST,
    "xgboost-1": _XGBOOST,
}
