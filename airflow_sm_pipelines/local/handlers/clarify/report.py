"""The members of analysis.json: bias metrics by facet and value."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..container import ClientError, Table
from . import post_training, pre_training
from .configuration import POST_TRAINING, PRE_TRAINING, Configuration, Facet
from .groups import Groups, above, checked, groups, selected, threshold
from .pre_training import Metric


def analysis(table: Table, config: Configuration) -> dict[str, Any]:
    """The content of analysis.json."""
    positive, shown = selected(table.columns[config.label], config.positive)
    checked(config.label, positive, shown)
    predicted = _predicted(table, config)
    strata = table.columns[config.group] if config.group else None
    report: dict[str, Any] = {"version": "1.0"}
    for kind, asked in config.methods.items():
        facets = {
            facet.name: [
                {
                    "value_or_threshold": value,
                    "metrics": _metrics(kind, asked, groups(inside, positive, predicted, strata)),
                }
                for inside, value in _values(table, facet)
            ]
            for facet in config.facets
        }
        report[f"{kind}_metrics"] = {
            "label": config.label,
            "label_value_or_threshold": shown,
            "facets": facets,
        }
    return report


def _values(table: Table, facet: Facet) -> Iterator[tuple[Sequence[bool], str]]:
    """The rows of each value of a facet; without values, those of each category by itself."""
    column = table.columns[facet.name]
    if facet.values:
        inside, shown = selected(column, facet.values)
        yield checked(facet.name, inside, shown), shown
        return
    for value in dict.fromkeys(each for each in column if each is not None):
        yield checked(facet.name, [each == value for each in column], value), value


def _predicted(table: Table, config: Configuration) -> Sequence[bool] | None:
    """Which rows are predicted positive: by their label, or by their probability.

    Where the label is a number with a threshold, the prediction has the same one.
    """
    if config.predicted is None:
        return None
    column = table.columns[config.predicted]
    labels = table.columns[config.label]
    limit = threshold(labels, config.positive)
    if limit is None and set(column) - {None} <= set(labels):
        return selected(column, config.positive)[0]
    try:
        return above(column, config.threshold if limit is None else limit)
    except ValueError as error:
        raise ClientError(
            f"{config.predicted}: predictions are neither labels nor probabilities: {error}"
        ) from error


def _metrics(kind: str, asked: Sequence[str] | str, divided: Groups) -> list[dict[str, Any]]:
    known, missing = METRICS[kind]
    names = [*known, *missing] if asked == "all" else list(asked)
    unknown = sorted(set(names) - {*known, *missing})
    if unknown:
        raise ClientError(f"{kind}: unknown metrics {', '.join(unknown)}; there are {list(known)}")
    return [
        _measured(name, *known[name], divided) if name in known else _error(name, *missing[name])
        for name in sorted(names)
    ]


def _measured(name: str, description: str, metric: Metric, divided: Groups) -> dict[str, Any]:
    try:
        value = metric(divided)
    except ValueError as error:
        return _error(name, description, str(error))
    shown = value if math.isfinite(value) else str(value).replace("inf", "Infinity")
    return {"name": name, "description": description, "value": shown}


def _error(name: str, description: str, error: str) -> dict[str, Any]:
    """A metric without a value, and why, as Clarify has it."""
    return {"name": name, "description": description, "value": None, "error": error}


METRICS: dict[str, tuple[Mapping[str, tuple[str, Metric]], Mapping[str, tuple[str, str]]]] = {
    PRE_TRAINING: (pre_training.METRICS, {}),
    POST_TRAINING: (post_training.METRICS, post_training.UNAVAILABLE),
}
