"""The metrics of built-in XGBoost that XGBoost itself does not have, by scikit-learn.

To add one: a row of `METRICS`, and its name in `metrics.py`. scikit-learn is imported where one of
them is asked for: its import takes longer than most local training.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """A function of `sklearn.metrics`, its options, and whether it is one of classes."""

    function: str
    of_classes: bool = True
    options: Mapping[str, object] = field(default_factory=dict)


def evaluation(names: Sequence[str]) -> Callable[[Any, Any], list[tuple[str, float]]]:
    """A function for XGBoost's `custom_metric` that gives all of `names`."""
    library = importlib.import_module("sklearn.metrics")

    def evaluate(predictions: Any, matrix: Any) -> list[tuple[str, float]]:
        labels = matrix.get_label()
        return [
            (name, _measure(library, METRICS[name], labels=labels, predictions=predictions))
            for name in names
        ]

    return evaluate


def _measure(library: Any, metric: Metric, *, labels: Any, predictions: Any) -> float:
    values = _classes(predictions) if metric.of_classes else predictions
    return float(getattr(library, metric.function)(labels, values, **metric.options))


def _classes(predictions: Any) -> Any:
    """The classes that `predictions` mean: probabilities, one or many an example, or classes."""
    return predictions.argmax(axis=1) if predictions.ndim > 1 else predictions.round()


def _averaged(function: str, average: str) -> Metric:
    return Metric(function, options={"average": average, "zero_division": 0.0})


METRICS: dict[str, Metric] = {
    "accuracy": Metric("accuracy_score"),
    "balanced_accuracy": Metric("balanced_accuracy_score"),
    "f1": _averaged("f1_score", "macro"),
    "f1_binary": _averaged("f1_score", "binary"),
    "f1_macro": _averaged("f1_score", "macro"),
    "mse": Metric("mean_squared_error", of_classes=False),
    "precision": _averaged("precision_score", "binary"),
    "precision_macro": _averaged("precision_score", "macro"),
    "precision_micro": _averaged("precision_score", "micro"),
    "r2": Metric("r2_score", of_classes=False),
    "recall": _averaged("recall_score", "binary"),
    "recall_macro": _averaged("recall_score", "macro"),
    "recall_micro": _averaged("recall_score", "micro"),
}
