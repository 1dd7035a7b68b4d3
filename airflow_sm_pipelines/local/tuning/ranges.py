"""Ranges of hyperparameters: which values one has, and how they are spread over its scale.

A scale is a function and its inverse between the values and the line on which they are drawn evenly
(`SCALES`). Which one Auto takes is SageMaker's secret; here it is the logarithmic one where the
largest value is `_WIDE` times the smallest, or more.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_WIDE = 100


class Range(Protocol):
    """The values that one hyperparameter may have, as SageMaker passes them on: as text."""

    @property
    def name(self) -> str:
        """The hyperparameter."""

    @property
    def count(self) -> float:
        """How many values there are; infinity where they are continuous."""

    def draw(self, chance: random.Random) -> str:
        """One of the values, by its scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical:
    """Values that have no order."""

    name: str
    values: tuple[str, ...]

    @property
    def count(self) -> float:
        return len(set(self.values))

    def draw(self, chance: random.Random) -> str:
        return chance.choice(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """Whole numbers between two, which are among them."""

    name: str
    least: int
    most: int
    scale: str

    @property
    def count(self) -> float:
        return self.most - self.least + 1

    def draw(self, chance: random.Random) -> str:
        # Half a step more on both sides, so that the ends are as likely as their neighbours.
        there, back = SCALES[self.scale]
        position = chance.uniform(there(self.least - 0.5), there(self.most + 0.5))
        return str(min(self.most, max(self.least, round(back(position)))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """Numbers between two."""

    name: str
    least: float
    most: float
    scale: str

    @property
    def count(self) -> float:
        return math.inf

    def draw(self, chance: random.Random) -> str:
        there, back = SCALES[self.scale]
        value = back(chance.uniform(there(self.least), there(self.most)))
        return repr(min(self.most, max(self.least, value)))


def parsed(ranges: Mapping[str, Any]) -> tuple[Range, ...]:
    """The ranges of a `ParameterRanges` that `problems` finds nothing in."""
    numeric = (
        numbers(name=each["Name"], least=least, most=most, scale=_scale(each))
        for kind, (number, numbers) in _NUMBERS.items()
        for each in ranges.get(kind) or ()
        for least, most in [(number(each["MinValue"]), number(each["MaxValue"]))]
    )
    categorical = (
        Categorical(name=each["Name"], values=tuple(each["Values"]))
        for each in ranges.get("CategoricalParameterRanges") or ()
    )
    return (*numeric, *categorical)


def problems(ranges: Mapping[str, Any], where: str) -> Iterator[str]:
    """What is wrong with a `ParameterRanges`; the wording is ours."""
    for kind, (number, _) in _NUMBERS.items():
        for index, each in enumerate(ranges.get(kind) or ()):
            yield from _range_problems(each, number, f"{where}.{kind}[{index}]")


def _range_problems(
    each: Mapping[str, Any], number: Callable[[str], Any], where: str
) -> Iterator[str]:
    name = each["Name"]
    try:
        least, most = number(each["MinValue"]), number(each["MaxValue"])
    except ValueError:
        kind = "an integer" if number is int else "a number"
        given = f"{each['MinValue']!r} and {each['MaxValue']!r}"
        yield f"{where}: MinValue and MaxValue of {name} are {given}; each would be {kind}"
        return
    if not (math.isfinite(least) and math.isfinite(most) and least < most):
        yield f"{where}: MinValue of {name} is {least}, it must be less than MaxValue, {most}"
        return
    scale = each.get("ScalingType") or "Auto"
    if scale == "Logarithmic" and least <= 0:
        yield f"{where}: Logarithmic scaling of {name} needs values greater than 0, not {least}"
    # Whole numbers are none between 0 and 1: the scale is for continuous ranges alone.
    if scale == "ReverseLogarithmic" and not 0 <= least < most < 1:
        yield f"{where}: ReverseLogarithmic scaling of {name} needs values of 0 <= x < 1"


def _scale(each: Mapping[str, Any]) -> str:
    scale: str = each.get("ScalingType") or "Auto"
    if scale != "Auto":
        return scale
    least, most = float(each["MinValue"]), float(each["MaxValue"])
    if least > 0 and most >= _WIDE * least:
        return "Logarithmic"
    return "Linear"


def _same(value: float) -> float:
    return value


def _from_one(value: float) -> float:
    return -math.log(1 - value)


def _back_from_one(position: float) -> float:
    return 1 - math.exp(-position)


# Scale -> from a value to its place on an even line, and back.
SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "Linear": (_same, _same),
    "Logarithmic": (math.log, math.exp),
    "ReverseLogarithmic": (_from_one, _back_from_one),
}

# Member of ParameterRanges -> what reads its numbers, and what it is a list of.
_NUMBERS: dict[str, tuple[Callable[[str], Any], Callable[..., Range]]] = {
    "IntegerParameterRanges": (int, Integer),
    "ContinuousParameterRanges": (float, Continuous),
}
