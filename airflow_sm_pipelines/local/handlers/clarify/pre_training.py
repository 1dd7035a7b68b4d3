"""Bias of a dataset, before there is a model. To add a metric: a function, and a row of `METRICS`.

Let `a` be the rest and `d` the facet; `q` is a share of positive labels.
"""

import math
from collections.abc import Callable, Sequence

from .groups import Groups, Rows

Metric = Callable[[Groups], float]


def class_imbalance(groups: Groups) -> float:
    """(n_a - n_d) / (n_a + n_d)."""
    a, d = groups.rest.count, groups.disadvantaged.count
    return (a - d) / (a + d)


def difference_in_positive_proportions(groups: Groups) -> float:
    """q_a - q_d."""
    (a, _), (d, _) = _both(groups)
    return a - d


def kullback_leibler(groups: Groups) -> float:
    """The divergence of the labels of `a` from those of `d`."""
    return _divergence(*_both(groups))


def jensen_shannon(groups: Groups) -> float:
    """Half of the divergences of both from their mean."""
    a, d = _both(groups)
    mean = [(one + other) / 2 for one, other in zip(a, d, strict=True)]
    return (_divergence(a, mean) + _divergence(d, mean)) / 2


def lp_norm(groups: Groups) -> float:
    """The Euclidean distance of the shares."""
    return math.sqrt(sum(each**2 for each in _differences(groups)))


def total_variation(groups: Groups) -> float:
    """Half of the sum of the differences of the shares."""
    return sum(_differences(groups)) / 2


def kolmogorov_smirnov(groups: Groups) -> float:
    """The largest difference of the shares."""
    return max(_differences(groups))


def conditional_demographic_disparity(groups: Groups) -> float:
    """The demographic disparity of labels, by the size of each group of the third column."""
    return disparity(groups, groups.everyone.positive)


def disparity(groups: Groups, positive: Sequence[bool]) -> float:
    """CDD: the facet's share of the rejected less its share of the accepted, averaged by group."""
    if groups.strata is None:
        raise ValueError("Group variable is empty or not provided")
    rows = list(zip(groups.strata, groups.facet, positive, strict=True))
    total = 0.0
    for stratum in {each[0] for each in rows}:
        inside = [(facet, holds) for each, facet, holds in rows if each == stratum]
        rejected = [facet for facet, holds in inside if not holds]
        accepted = [facet for facet, holds in inside if holds]
        total += len(inside) * (_share(rejected) - _share(accepted))
    return total / len(rows)


def _share(facets: Sequence[bool]) -> float:
    return sum(facets) / len(facets) if facets else 0.0


def _both(groups: Groups) -> tuple[tuple[float, float], tuple[float, float]]:
    return _shares(groups.rest), _shares(groups.disadvantaged)


def _shares(rows: Rows) -> tuple[float, float]:
    """The shares of positive and of negative labels."""
    positive = sum(rows.positive) / rows.count
    return positive, 1 - positive


def _differences(groups: Groups) -> list[float]:
    a, d = _both(groups)
    return [abs(one - other) for one, other in zip(a, d, strict=True)]


def _divergence(a: Sequence[float], d: Sequence[float]) -> float:
    if any(one > 0 and other == 0 for one, other in zip(a, d, strict=True)):
        return math.inf
    return sum(one * math.log(one / other) for one, other in zip(a, d, strict=True) if one)


METRICS: dict[str, tuple[str, Metric]] = {
    "CDDL": (
        "Conditional Demographic Disparity in Labels (CDDL)",
        conditional_demographic_disparity,
    ),
    "CI": ("Class Imbalance (CI)", class_imbalance),
    "DPL": (
        "Difference in Positive Proportions in Labels (DPL)",
        difference_in_positive_proportions,
    ),
    "JS": ("Jensen-Shannon Divergence (JS)", jensen_shannon),
    "KL": ("Kullback-Liebler Divergence (KL)", kullback_leibler),
    "KS": ("Kolmogorov-Smirnov Distance (KS)", kolmogorov_smirnov),
    "LP": ("L-p Norm (LP)", lp_norm),
    "TVD": ("Total Variation Distance (TVD)", total_variation),
}
