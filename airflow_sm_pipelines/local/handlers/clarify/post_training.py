"""Bias of predictions. To add a metric: a function, and a row of `METRICS`.

Let `a` be the rest and `d` the facet. A metric that divides by a number of rows which are not there
is infinite, as in Clarify.
"""

import math
from collections.abc import Callable

from .groups import Groups, Rows
from .pre_training import Metric, disparity

Rate = Callable[[Rows], float]


def _positive_rate(rows: Rows) -> float:
    return _ratio(sum(rows.predicted), rows.count)


def _accuracy(rows: Rows) -> float:
    return _ratio(_right(rows, True) + _right(rows, False), rows.count)


def _recall(rows: Rows) -> float:
    return _ratio(_right(rows, True), sum(rows.positive))


def _specificity(rows: Rows) -> float:
    return _ratio(_right(rows, False), rows.count - sum(rows.positive))


def _precision(rows: Rows) -> float:
    return _ratio(_right(rows, True), sum(rows.predicted))


def _rejection_precision(rows: Rows) -> float:
    return _ratio(_right(rows, False), rows.count - sum(rows.predicted))


def _acceptance(rows: Rows) -> float:
    """Labels that are positive for each prediction that is."""
    return _ratio(sum(rows.positive), sum(rows.predicted))


def _rejection(rows: Rows) -> float:
    return _ratio(rows.count - sum(rows.positive), rows.count - sum(rows.predicted))


def _treatment(rows: Rows) -> float:
    """False negatives for each false positive."""
    return _ratio(
        rows.confusion(positive=True, predicted=False),
        rows.confusion(positive=False, predicted=True),
    )


def generalized_entropy(groups: Groups) -> float:
    """Half of the squared variation of the benefits, 1 + prediction - label, of everyone."""
    rows = groups.everyone
    benefits = [1 + p - y for y, p in zip(rows.positive, rows.predicted, strict=True)]
    mean = sum(benefits) / len(benefits)
    if mean == 0:
        return math.inf
    return sum((each / mean) ** 2 - 1 for each in benefits) / (2 * len(benefits))


def disparate_impact(groups: Groups) -> float:
    """The rate of positive predictions of `d`, for that of `a`."""
    return _ratio(_positive_rate(groups.disadvantaged), _positive_rate(groups.rest))


def _ratio(part: float, whole: float) -> float:
    if whole == 0:
        return 0.0 if part == 0 else math.inf
    return part / whole


def _right(rows: Rows, positive: bool) -> int:
    return rows.confusion(positive=positive, predicted=positive)


def _rest_less_facet(rate: Rate) -> Metric:
    return lambda groups: _less(rate(groups.rest), rate(groups.disadvantaged))


def _facet_less_rest(rate: Rate) -> Metric:
    return lambda groups: _less(rate(groups.disadvantaged), rate(groups.rest))


def _less(one: float, other: float) -> float:
    return 0.0 if one == other else one - other  # both may be infinite


METRICS: dict[str, tuple[str, Metric]] = {
    "AD": ("Accuracy Difference (AD)", _rest_less_facet(_accuracy)),
    "CDDPL": (
        "Conditional Demographic Disparity in Predicted Labels (CDDPL)",
        lambda groups: disparity(groups, groups.everyone.predicted),
    ),
    "DAR": ("Difference in Acceptance Rates (DAR)", _rest_less_facet(_precision)),
    "DCA": ("Difference in Conditional Acceptance (DCA)", _rest_less_facet(_acceptance)),
    "DCR": ("Difference in Conditional Rejection (DCR)", _facet_less_rest(_rejection)),
    "DI": ("Disparate Impact (DI)", disparate_impact),
    "DPPL": (
        "Difference in Positive Proportions in Predicted Labels (DPPL)",
        _rest_less_facet(_positive_rate),
    ),
    "DRR": ("Difference in Rejection Rates (DRR)", _facet_less_rest(_rejection_precision)),
    "GE": ("Generalized Entropy (GE)", generalized_entropy),
    "RD": ("Recall Difference (RD)", _rest_less_facet(_recall)),
    "SD": ("Specificity Difference (SD)", _facet_less_rest(_specificity)),
    "TE": ("Treatment Equality (TE)", _facet_less_rest(_treatment)),
}

# Flips the facet of rows and asks the model again, for which there is none.
UNAVAILABLE = {"FT": ("Flip Test (FT)", "the flip test needs the model; it is not there locally")}
