"""A script: what becomes of a job or another resource, told moment by moment.

`script_rules.py` says how one is written, `scripts.py` keeps those that are set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Fields = Mapping[str, Any]

# How long what has no script is Creating or Pending: long enough to be seen.
SETTLE_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One status of a script: how long it lasts, why, and what the description gains with it."""

    status: str
    seconds: float = 0.0
    reason: str = ""
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The moments of every resource of a kind whose name fits a pattern; the last one stays.

    `on` is the operation that starts it, `times` for how many resources it still is, `stop_seconds`
    how long a job that is asked to stop is Stopping. `document` is the script as it was written.
    """

    noun: str
    moments: tuple[Moment, ...]
    document: Fields
    name: str = "*"
    on: str = "Create"
    times: int | None = None
    stop_seconds: float = SETTLE_SECONDS

    def concerns(self, noun: str, name: str, *, on: str) -> bool:
        """Whether it is for a resource of that kind and name, and for that operation."""
        return (self.noun, self.on) == (noun, on) and fnmatchcase(name, self.name)


def succeeds(moments: Sequence[Moment]) -> bool:
    """Whether what was asked for has taken effect in the end.

    An endpoint whose update fails is InService too, with its old configuration: such a script
    passes RollingBack or ends with a FailureReason.
    """
    last = moments[-1]
    rolled_back = any(moment.status == "RollingBack" for moment in moments)
    return last.status in EFFECTIVE and not last.reason and not rolled_back


EFFECTIVE = frozenset({"Completed", "InService"})

MOVING = frozenset(
    {
        "Pending",
        "InProgress",
        "Stopping",
        "Creating",
        "Updating",
        "SystemUpdating",
        "RollingBack",
        "Deleting",
    }
)
"""Statuses that another one follows."""
