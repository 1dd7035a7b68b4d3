"""What an analysis breaks of a baseline, which is the analysis.json of an earlier one.

A metric that is farther from its balanced value than it was is a violation. A metric without a
number, then or now, is not compared.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-model-monitor-bias-drift-violations.html
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..container import ClientError
from .configuration import KINDS

# How far apart two numbers are that differ by their rounding alone.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Place:
    """Which number of an analysis: `CI` of the value `40` of the facet `Age`."""

    kind: str
    facet: str
    value: str
    metric: str


def violations(analysis: Mapping[str, Any], baseline: Mapping[str, Any]) -> list[dict[str, str]]:
    """The violations of an analysis, in its order."""
    before = _of_baseline(baseline)
    compared = [(place, now) for place, now in _numbers(analysis) if place in before]
    if not compared:
        raise ClientError(
            "the baseline has no metric of this analysis; it would be an analysis.json of the same "
            "facets and the same kind of bias"
        )
    return [
        {
            "facet": place.facet,
            "facet_value": place.value,
            "metric_name": place.metric,
            "constraint_check_type": "bias_drift_check",
            "description": f"Value {now} does not meet the constraint requirement",
        }
        for place, now in compared
        if _is_worse(place.metric, now, before[place])
    ]


def _of_baseline(baseline: Mapping[str, Any]) -> dict[Place, float]:
    try:
        return dict(_numbers(baseline))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ClientError(f"the baseline is no analysis.json of Clarify: {error!r}") from error


def _numbers(analysis: Mapping[str, Any]) -> Iterator[tuple[Place, float]]:
    """The metrics of an analysis that have a number."""
    for kind in KINDS:
        facets = analysis.get(f"{kind}_metrics", {}).get("facets", {})
        for facet, groups in facets.items():
            for group in groups:
                yield from _of_group(kind, facet, group)


def _of_group(kind: str, facet: str, group: Mapping[str, Any]) -> Iterator[tuple[Place, float]]:
    value = _configured(str(group["value_or_threshold"]))
    for metric in group["metrics"]:
        if metric.get("value") is not None:
            yield Place(kind, facet, value, metric["name"]), float(metric["value"])


def _configured(value: str) -> str:
    """A facet's value as it is configured: of `(40, 75]` the threshold, as 75 is the data's own."""
    interval = re.fullmatch(r"\((.+), .+\]", value)
    return interval[1] if interval else value


def _is_worse(metric: str, now: float, before: float) -> bool:
    balanced = _BALANCED.get(metric, 0.0)
    then, today = abs(before - balanced), abs(now - balanced)
    return today > then and not math.isclose(today, then, rel_tol=_ROUNDING, abs_tol=_ROUNDING)


# Disparate impact is a ratio; every other metric is balanced at 0.
_BALANCED = {"DI": 1.0}
