"""The rows of a dataset as a facet, a label and a prediction divide them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..container import ClientError


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one facet: which are positive, and which are predicted to be."""

    positive: Sequence[bool]
    predicted: Sequence[bool]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.positive)

    def confusion(self, *, positive: bool, predicted: bool) -> int:
        """How many rows have that label and that prediction."""
        pairs = zip(self.positive, self.predicted, strict=True)
        return sum(pair == (positive, predicted) for pair in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The facet that may be at a disadvantage, the rest, and the groups of a third column."""

    disadvantaged: Rows
    rest: Rows
    facet: Sequence[bool]
    everyone: Rows
    strata: Sequence[str | None] | None


def groups(
    facet: Sequence[bool],
    positive: Sequence[bool],
    predicted: Sequence[bool] | None,
    strata: Sequence[str | None] | None,
) -> Groups:
    """The rows of a dataset, divided; `facet` says which are in the facet."""
    guessed = predicted if predicted is not None else [False] * len(positive)

    def rows(holds: bool) -> Rows:
        chosen = [n for n, inside in enumerate(facet) if inside is holds]
        return Rows([positive[n] for n in chosen], [guessed[n] for n in chosen])

    return Groups(
        disadvantaged=rows(True),
        rest=rows(False),
        facet=facet,
        everyone=Rows(positive, guessed),
        strata=strata,
    )


def selected(values: Sequence[str | None], wanted: Sequence[object]) -> tuple[Sequence[bool], str]:
    """Which values are among the wanted ones, or above the only one; and how a report has that."""
    limit = threshold(values, wanted)
    if limit is not None:
        highest = max(float(value) for value in values if value is not None)
        return above(values, limit), f"({limit:g}, {highest:g}]"
    texts = {_plain(each) for each in wanted}
    inside = [value is not None and _plain(value) in texts for value in values]
    return inside, ",".join(map(str, wanted))


def threshold(values: Sequence[str | None], wanted: Sequence[object]) -> float | None:
    """What divides a column of numbers that are no categories: the only wanted value, a number."""
    limit = number(wanted[0]) if len(wanted) == 1 else None
    given = [value for value in values if value is not None]
    return limit if limit is not None and _is_continuous(given, limit) else None


def above(values: Sequence[str | None], limit: float) -> Sequence[bool]:
    """Which values are above a threshold; a ValueError where one is no number."""
    return [value is not None and float(value) > limit for value in values]


def _is_continuous(given: Sequence[str], limit: float) -> bool:
    """Clarify's rule: fractions, or whole numbers of which one in twenty or more is another one.

    A number is a fraction as it is written: `1.0` is one. Two different numbers are categories if
    one of them is wanted; in little data Clarify's rule takes them for more.
    """
    different = {number(value) for value in given}
    if None in different:
        return False
    if len(different) <= 2:
        return limit not in different
    fractions = not all(_WHOLE.fullmatch(value) for value in given)
    return fractions or len(different) >= _UNIQUE_SHARE * len(given)


def checked(name: str, inside: Sequence[bool], shown: str) -> Sequence[bool]:
    """A choice that divides the rows; one that does not has no bias to measure."""
    if all(inside) or not any(inside):
        which = "all" if inside and all(inside) else "none"
        raise ClientError(f"{which} of the rows have {name} {shown}; some would, and some not")
    return inside


def _plain(value: object) -> object:
    """A value as it is compared: a number by its worth, everything else as text."""
    worth = number(value)
    return worth if worth is not None else str(value)


def number(value: object) -> float | None:
    """What a value is worth; None where it is no number."""
    if isinstance(value, bool):
        return None
    try:
        return float(str(value))
    except ValueError:
        return None


_WHOLE = re.compile(r"[+-]?\d+")
_UNIQUE_SHARE = 0.05
