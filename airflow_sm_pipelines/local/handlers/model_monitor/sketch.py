"""The distribution of numbers: 10 buckets and a quantile sketch, as Model Monitor writes them.

A sketch has levels; an item of level `n` stands for 2 ** n numbers. Up to `K` numbers it is exact.
"""

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

K = 2048
_BUCKETS = 10


def distribution(values: Sequence[float]) -> dict[str, Any]:
    """The `distribution` of numerical statistics."""
    return {
        "kll": {
            "buckets": _buckets(values),
            "sketch": {"parameters": {"c": 0.64, "k": float(K)}, "data": _sketch(values)},
        }
    }


def weighted(given: Mapping[str, Any]) -> list[tuple[float, int]]:
    """The items of a sketch, each with how many numbers it stands for."""
    levels = given["kll"]["sketch"]["data"]
    return [(float(item), 2**level) for level, items in enumerate(levels) for item in items]


def apart(one: Iterable[tuple[float, int]], other: Iterable[tuple[float, int]]) -> float:
    """The largest difference between the cumulative shares of two distributions."""
    first, second = _Cumulated(one), _Cumulated(other)
    places = {*first.items, *second.items}
    return max((abs(first.share(each) - second.share(each)) for each in places), default=0.0)


def robust(distance: float, first: float, second: float) -> float:
    """A distance less what samples of these sizes may differ by chance.

    Model Monitor is built on Deequ, which has this formula, by the two-sample
    Kolmogorov-Smirnov test.
    """
    if not first or not second:
        return 0.0
    return max(0.0, distance - 1.8 * math.sqrt((first + second) / (first * second)))


class _Cumulated:
    """How large a share of a distribution is not above a number."""

    def __init__(self, weighted_items: Iterable[tuple[float, int]]) -> None:
        self.items: list[float] = []
        self._sums: list[int] = [0]
        for item, weight in sorted(weighted_items):
            self.items.append(item)
            self._sums.append(self._sums[-1] + weight)

    def share(self, value: float) -> float:
        """The share of what is not above `value`."""
        total = self._sums[-1]
        return self._sums[bisect.bisect_right(self.items, value)] / total if total else 0.0


def _buckets(values: Sequence[float]) -> list[dict[str, float]]:
    if not values:
        return []
    least, most = min(values), max(values)
    width = (most - least) / _BUCKETS
    counts = [0] * _BUCKETS
    for value in values:
        place = int((value - least) / width) if width else 0
        counts[min(place, _BUCKETS - 1)] += 1
    return [
        {
            "lower_bound": least + width * number,
            "upper_bound": most if number == _BUCKETS - 1 else least + width * (number + 1),
            "count": float(count),
        }
        for number, count in enumerate(counts)
    ]


def _sketch(values: Sequence[float]) -> list[list[float]]:
    """Levels: of more than `K` items of a level, every other one goes to the next."""
    levels: list[list[float]] = []
    items = list(values)
    while len(items) > K:
        items.sort()
        odd = [items.pop()] if len(items) % 2 else []
        # Now the larger, now the smaller one of a pair, so that the errors cancel out.
        items = items[len(levels) % 2 :: 2]
        levels.append(odd)
    return [*levels, items]
