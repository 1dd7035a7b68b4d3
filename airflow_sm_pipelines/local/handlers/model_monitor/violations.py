"""What a dataset breaks of the constraints of a baseline, as in constraint_violations.json.

The checks and their thresholds are those that AWS documents; a feature may have thresholds of its
own in `monitoringConfigOverrides`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..container import ClientError, Table
from .columns import present, share_of
from .sketch import apart, robust, weighted

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A column beside what its baseline says of it; the statistics may not be there."""

    constraint: Json
    config: Json
    values: Sequence[str | None]
    statistics: Json
    baseline: Json | None

    @property
    def present(self) -> list[str]:
        """The values that are not missing."""
        return present(self.values)


def violations(table: Table, constraints: Json, *, current: Json, baseline: Json | None) -> Json:
    """The content of constraint_violations.json; `current` and `baseline` are statistics."""
    config = constraints.get("monitoring_config") or {}
    if config.get("evaluate_constraints", "Enabled") != "Enabled":
        return {"violations": []}
    found = [*_column_checks(table, constraints)]
    now, before = _by_name(current), _by_name(baseline or {})
    for constraint in constraints["features"]:
        name = constraint["name"]
        if name not in table.columns:
            continue
        feature = Feature(
            constraint=constraint,
            config=_merged(config, constraint.get("monitoringConfigOverrides") or {}),
            values=table.columns[name],
            statistics=now[name],
            baseline=before.get(name),
        )
        for check, holds in CHECKS.items():
            found += [_violation(name, check, said) for said in holds(feature)]
    return {"violations": found}


def _column_checks(table: Table, constraints: Json) -> Iterator[Json]:
    expected = [feature["name"] for feature in constraints["features"]]
    counts = (
        f"Number of columns in current dataset: {len(table.columns)}, "
        f"Number of columns in baseline constraints: {len(expected)}"
    )
    missing = [name for name in expected if name not in table.columns]
    extra = [name for name in table.columns if name not in expected]
    if missing:
        said = f"There are missing columns in current dataset: {', '.join(missing)}. {counts}"
        yield _violation("Missing columns", "missing_column_check", said)
    if extra:
        said = f"There are extra columns in current dataset: {', '.join(extra)}. {counts}"
        yield _violation("Extra columns", "extra_column_check", said)


def _data_type(feature: Feature) -> Iterator[str]:
    expected = feature.constraint.get("inferred_type", "Unknown")
    if expected == "Unknown" or not feature.present:
        return
    needed = feature.config.get("datatype_check_threshold", 1.0)
    share = share_of(expected, feature.present)
    if share < needed:
        yield (
            f"Data type match requirement is not met. Expected data type: {expected}, Expected "
            f"match: {100 * needed}%. Observed: Only {100 * share}% of data is {expected}."
        )


def _completeness(feature: Feature) -> Iterator[str]:
    needed = feature.constraint.get("completeness")
    if needed is None or not feature.values:
        return
    share = len(feature.present) / len(feature.values)
    if share < needed:
        yield f"Completeness {share} is below the required {needed}."


def _categories(feature: Feature) -> Iterator[str]:
    domains = (feature.constraint.get("string_constraints") or {}).get("domains")
    if domains is None or not feature.present:
        return
    needed = feature.config.get("domain_content_threshold", 1.0)
    known = set(domains)
    share = sum(value in known for value in feature.present) / len(feature.present)
    if share < needed:
        yield (
            f"Value: {share} does not meet the constraint requirement! "
            f"Required share of known values: {needed}."
        )


def _drift(feature: Feature) -> Iterator[str]:
    config = feature.config.get("distribution_constraints") or {}
    if feature.baseline is None or config.get("perform_comparison", "Enabled") != "Enabled":
        return
    for member, distance, key in DISTANCES:
        one, other = (each.get(member) for each in (feature.baseline, feature.statistics))
        if not (one and other and "distribution" in one and "distribution" in other):
            continue
        threshold = config.get(key, 0.1)
        found = distance(one, other, config)
        if found > threshold:
            yield f"Baseline drift distance: {found} exceeds threshold: {threshold}"


def _numerical_distance(one: Json, other: Json, config: Json) -> float:
    sketches = [weighted(each["distribution"]) for each in (one, other)]
    distance = apart(*sketches)
    return _corrected(distance, one, other, config)


def _categorical_distance(one: Json, other: Json, config: Json) -> float:
    method = config.get("categorical_drift_method", "LInfinity")
    if method != "LInfinity":
        raise ClientError(
            f"categorical_drift_method {method!r} is not there in the local AWS; it would be "
            "'LInfinity'"
        )
    shares = [_shares(each["distribution"]["categorical"]["buckets"]) for each in (one, other)]
    values = {*shares[0], *shares[1]}
    distance = max((abs(shares[0].get(v, 0.0) - shares[1].get(v, 0.0)) for v in values), default=0)
    return _corrected(distance, one, other, config)


def _corrected(distance: float, one: Json, other: Json, config: Json) -> float:
    if config.get("comparison_method", "Robust") == "Simple":
        return distance
    return robust(distance, one["common"]["num_present"], other["common"]["num_present"])


def _shares(buckets: Sequence[Json]) -> dict[str, float]:
    total = sum(bucket["count"] for bucket in buckets)
    return {bucket["value"]: bucket["count"] / total for bucket in buckets if total}


def _by_name(statistics: Json) -> dict[str, Json]:
    return {feature["name"]: feature for feature in statistics.get("features") or ()}


def _merged(config: Json, overrides: Json) -> Json:
    """The configuration with what a feature has of its own, one level down too."""
    nested = "distribution_constraints"
    both = {**(config.get(nested) or {}), **(overrides.get(nested) or {})}
    return {**config, **overrides, nested: both}


def _violation(feature: str, check: str, description: str) -> dict[str, str]:
    return {
        "feature_name": feature,
        "constraint_check_type": check,
        "description": description,
    }


DISTANCES: tuple[tuple[str, Callable[[Json, Json, Json], float], str], ...] = (
    ("numerical_statistics", _numerical_distance, "comparison_threshold"),
    ("string_statistics", _categorical_distance, "categorical_comparison_threshold"),
)

CHECKS: dict[str, Callable[[Feature], Iterator[str]]] = {
    "data_type_check": _data_type,
    "completeness_check": _completeness,
    "categorical_values_check": _categories,
    "baseline_drift_check": _drift,
}
