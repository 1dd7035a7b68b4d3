"""How long a cached result is good: the durations of `CacheConfig.ExpireAfter`.

    duration = ["P"] [n "Y"] [n "M"] [n "W"] [n "D"] ["T" [n "H"] [n "M"] [n "S"]]

It is ISO 8601 as the service takes it: in either case, the P may be missing, and what follows the T
is time, so that `30m` is thirty months and `T30m` thirty minutes.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A time span in the calendar's units; months and years are as long as the calendar says."""

    text: str
    """As the definition writes it."""
    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    parsed: bool = True
    """False for a text that is no duration, which is kept where it has no effect."""


def parse_duration(text: str) -> Duration:
    """The duration in `text`; a ValueError says what is wrong with it."""
    found = _DURATION.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is no duration; {_cure(text)}")
    numbers = [int(number or 0) for number in found.groups()]
    years, months, weeks, days, hours, minutes, seconds = numbers
    return Duration(
        text=text,
        years=years,
        months=months,
        weeks=weeks,
        days=days,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
    )


def _cure(text: str) -> str:
    if _TIME_WITHOUT_T.search(text):
        return f"hours, minutes and seconds follow a T: T{text.lstrip('Pp')}"
    return "write for example P30D, PT12H (hours) or P1Y6M; M is months, after a T minutes"


_DURATION = re.compile(
    r"P?(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?"
    r"(?:([0-9]{1,9})W)?(?:([0-9]{1,9})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?"
    r"(?:([0-9]{1,9})S)?)?",
    re.IGNORECASE | re.ASCII,
)
_TIME_WITHOUT_T = re.compile(r"^P?[0-9]+[HS]$", re.IGNORECASE)
