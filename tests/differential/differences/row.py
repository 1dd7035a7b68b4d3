"""One documented difference between local mode and ours."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.differential.outcomes import FAILURE, Outcome

Operands = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What both sides make of one operation where they are meant to differ.

    All functions take the operands of the operation, see `tests.differential.probes`.
    """

    name: str
    reason: str
    """Why ours is meant to be as it is."""
    source: str
    """Where that, or what local mode does, is written."""
    applies: Callable[..., bool]
    local: Callable[..., Outcome]
    ours: Callable[..., Outcome]
    examples: tuple[Operands, ...]


def fails(*operands: object) -> Outcome:
    """A failure, whatever the operands."""
    return FAILURE


def is_number(value: object) -> bool:
    """Whether it is a number for JSON, in which booleans are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_nan(value: object) -> bool:
    """Whether it is a float that is not a number."""
    return isinstance(value, float) and value != value
