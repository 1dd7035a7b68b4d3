"""The JSONPath expressions of a transform job's InputFilter and OutputFilter.

The operators are those of "Associate Prediction Results with Input Records" in AWS's developer
guide: `$`, `.name`, `*`, `['a','b']`, `[0,-1]` and `[start:end]`, in any order.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"\.([\w-]+)")
_EVERY = re.compile(r"\.\*|\[\s*\*\s*\]")
_QUOTED = r"""(?:'[^']*'|"[^"]*")"""
_NAMES = re.compile(rf"\[\s*({_QUOTED}(?:\s*,\s*{_QUOTED})*)\s*\]")
_INDEX = r"-?\d+|-?\d*\s*:\s*(?:-?\d+)?"
_INDEXES = re.compile(rf"\[\s*((?:{_INDEX})(?:\s*,\s*(?:{_INDEX}))*)\s*\]")


class FilterError(Exception):
    """An expression that cannot be read, or that does not fit a record."""


@dataclass(frozen=True, slots=True)
class Names:
    """Members of an object."""

    names: tuple[str, ...]

    def of(self, value: Any) -> list[Any]:
        """The members of `value`."""
        if not isinstance(value, Mapping):
            raise FilterError(f"no object to take {self.names[0]!r} of: {_shown(value)}")
        missing = [name for name in self.names if name not in value]
        if missing:
            raise FilterError(f"no member {missing[0]!r} in {_shown(value)}")
        return [value[name] for name in self.names]


@dataclass(frozen=True, slots=True)
class Indexes:
    """Elements of an array, some by ranges."""

    indexes: tuple[int | slice, ...]

    def of(self, value: Any) -> list[Any]:
        """The elements of `value`."""
        if not isinstance(value, list):
            raise FilterError(f"no array to take an element of: {_shown(value)}")
        taken: list[Any] = []
        for index in self.indexes:
            if isinstance(index, slice):
                taken += value[index]
            elif -len(value) <= index < len(value):
                taken.append(value[index])
            else:
                raise FilterError(f"no element {index} in an array of {len(value)}")
        return taken


@dataclass(frozen=True, slots=True)
class Every:
    """All members of an object or elements of an array."""

    def of(self, value: Any) -> list[Any]:
        """What `value` holds."""
        if isinstance(value, Mapping):
            return list(value.values())
        if isinstance(value, list):
            return list(value)
        raise FilterError(f"no object and no array: {_shown(value)}")


Step = Names | Indexes | Every


@dataclass(frozen=True, slots=True)
class Filter:
    """One expression; `$` alone keeps everything."""

    text: str
    steps: tuple[Step, ...]

    @property
    def keeps_all(self) -> bool:
        """Whether it is `$`."""
        return not self.steps

    def select(self, value: Any) -> Any:
        """The part of a record: a value, an array of several, or an object of several members."""
        values, one = [value], True
        for number, step in enumerate(self.steps, start=1):
            last = number == len(self.steps)
            if last and one and isinstance(step, Names) and len(step.names) > 1:
                return dict(zip(step.names, step.of(values[0]), strict=True))
            values = [each for held in values for each in step.of(held)]
            one = one and _is_one(step)
        return values[0] if one else values


def parse(text: str) -> Filter:
    """The filter of an expression; raises `FilterError`. An empty one is `$`."""
    return Filter(text, tuple(_steps(text)) if text else ())


def _steps(text: str) -> Iterator[Step]:
    if not text.startswith("$"):
        raise FilterError(f"{text!r} does not begin with $")
    at = 1
    while at < len(text):
        if found := _EVERY.match(text, at):
            yield Every()
        elif found := _NAME.match(text, at):
            yield Names((found[1],))
        elif found := _NAMES.match(text, at):
            yield Names(tuple(each[1:-1] for each in re.findall(_QUOTED, found[1])))
        elif found := _INDEXES.match(text, at):
            yield Indexes(tuple(_index(each) for each in found[1].split(",")))
        else:
            raise FilterError(
                f"{text!r}: {text[at:]!r} is none of .name, *, ['name'], [number], [start:end]"
            )
        at = found.end()


def _index(text: str) -> int | slice:
    first, colon, last = (part.strip() for part in text.partition(":"))
    if not colon:
        return int(first)
    return slice(int(first) if first else None, int(last) if last else None)


def _is_one(step: Step) -> bool:
    """Whether a step gives one value."""
    match step:
        case Names(names):
            return len(names) == 1
        case Indexes(indexes):
            return len(indexes) == 1 and isinstance(indexes[0], int)
        case _:
            return False


def _shown(value: Sequence[Any] | Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


_SHOWN = 60
