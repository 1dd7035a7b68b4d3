"""What is suggested from a baseline, as in constraints.json."""

from collections.abc import Sequence
from typing import Any

from ..container import Table
from .columns import MOST_CATEGORIES, inferred_type, present


def constraints(table: Table) -> dict[str, Any]:
    """The content of constraints.json."""
    return {
        "version": 0.0,
        "features": [_feature(name, values) for name, values in table.columns.items()],
        "monitoring_config": MONITORING,
    }


def _feature(name: str, values: Sequence[str | None]) -> dict[str, Any]:
    given = present(values)
    inferred = inferred_type(given)
    described: dict[str, Any] = {
        "name": name,
        "inferred_type": inferred,
        "completeness": len(given) / len(values) if values else 1.0,
    }
    if inferred in ("Integral", "Fractional"):
        least = min(map(float, given))
        return {**described, "num_constraints": {"is_non_negative": least >= 0}}
    domains = list(dict.fromkeys(given))
    if inferred == "String" and len(domains) <= MOST_CATEGORIES:
        return {**described, "string_constraints": {"domains": domains}}
    return described


# The thresholds with which the prebuilt container writes its suggestion.
MONITORING: dict[str, Any] = {
    "evaluate_constraints": "Enabled",
    "emit_metrics": "Enabled",
    "datatype_check_threshold": 1.0,
    "domain_content_threshold": 1.0,
    "distribution_constraints": {
        "perform_comparison": "Enabled",
        "comparison_threshold": 0.1,
        "comparison_method": "Robust",
        "categorical_comparison_threshold": 0.1,
        "categorical_drift_method": "LInfinity",
    },
}
