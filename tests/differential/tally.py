"""How many cases each property has evaluated, and how many met which documented difference."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tests.differential.outcomes import FAILURE, Outcome


@dataclass(slots=True)
class Tally:
    """The figures of one property."""

    cases: int = 0
    values: int = 0
    """Cases that have a value for us; the others are failures."""
    different: int = 0
    """Cases that met a documented difference."""
    met: Counter[str] = field(default_factory=Counter)
    """The name of a difference -> the cases that met it."""


def count(name: str, expected: Outcome, met: Collection[str] = ()) -> None:
    """Keep that a property has evaluated a case, and the names of the differences it met."""
    tally = _tallies.setdefault(name, Tally())
    tally.cases += 1
    tally.values += expected != FAILURE
    tally.different += bool(met)
    tally.met.update(met)


def lines() -> Iterator[str]:
    """The figures, as a reader wants them."""
    for name, tally in _tallies.items():
        yield (
            f"{name}: {tally.cases:,} cases, {tally.values:,} with a value; "
            f"{tally.different:,} met a documented difference"
        )
        for difference, times in tally.met.most_common():
            yield f"{times:>9,}  {difference}"


_tallies: dict[str, Tally] = {}
