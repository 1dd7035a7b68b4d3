"""What type a column has, and its statistics, as in statistics.json."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..container import Table
from .sketch import distribution

# How many different values a column may have that are still counted one by one.
MOST_CATEGORIES = 120

_INTEGRAL = re.compile(r"[+-]?\d+")
_FRACTIONAL = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(\.\d*)?[eE][+-]?\d+)")


def statistics(table: Table) -> dict[str, Any]:
    """The content of statistics.json."""
    return {
        "version": 0.0,
        "dataset": {"item_count": table.length},
        "features": [_feature(name, values) for name, values in table.columns.items()],
    }


def present(values: Iterable[str | None]) -> list[str]:
    """The values that are not missing."""
    return [value for value in values if value is not None]


def kind(value: str) -> str:
    """The type of one value."""
    if _INTEGRAL.fullmatch(value):
        return "Integral"
    return "Fractional" if _FRACTIONAL.fullmatch(value) else "String"


def inferred_type(values: Iterable[str]) -> str:
    """The type of a column: the narrowest that all of its values have."""
    kinds = {kind(value) for value in values}
    return next((each for each in ("String", "Fractional", "Integral") if each in kinds), "Unknown")


def share_of(expected: str, values: Sequence[str]) -> float:
    """How large a share of the values is of a type; a whole number is a fractional one too."""
    kinds = Counter(map(kind, values))
    fitting = kinds[expected] + (kinds["Integral"] if expected == "Fractional" else 0)
    return fitting / len(values)


def _feature(name: str, values: Sequence[str | None]) -> dict[str, Any]:
    given = present(values)
    inferred = inferred_type(given)
    common = {"num_present": len(given), "num_missing": len(values) - len(given)}
    member, described = (
        ("numerical_statistics", _numerical([float(value) for value in given]))
        if inferred in ("Integral", "Fractional")
        else ("string_statistics", _textual(given))
    )
    return {"name": name, "inferred_type": inferred, member: {"common": common, **described}}


def _numerical(values: Sequence[float]) -> dict[str, Any]:
    total = math.fsum(values)
    mean = total / len(values)
    return {
        "mean": mean,
        "sum": total,
        "std_dev": math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)),
        "min": min(values),
        "max": max(values),
        "distribution": distribution(values),
    }


def _textual(values: Sequence[str]) -> dict[str, Any]:
    counted = Counter(values)
    described: dict[str, Any] = {"distinct_count": float(len(counted))}
    if len(counted) <= MOST_CATEGORIES:
        buckets = [{"value": value, "count": float(count)} for value, count in counted.items()]
        described["distribution"] = {"categorical": {"buckets": buckets}}
    return described
