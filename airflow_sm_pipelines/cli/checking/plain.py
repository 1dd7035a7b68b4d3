"""Findings as text: one line each, so that editors can jump to them."""

import re
from collections.abc import Iterable, Iterator

from rich.text import Text

from airflow_sm_pipelines.cli.checking.inspection import Inspection
from airflow_sm_pipelines.fidelity import LEVELS, Entry, Level


def lines(inspection: Inspection, *, report: bool | None) -> Iterator[Text]:
    """What was found in one definition: problems, warnings, then the fidelity report.

    The report is whole, or left out, or, for None, a count and what is different or unsupported.
    """
    for line in inspection.unreadable:
        yield Text(_one_line(line), "red")
    for problem in inspection.problems:
        yield _finding(inspection.where, problem.where, problem.message, "red")
    for warning in inspection.warnings:
        yield _finding(inspection.where, warning.where, f"{warning.message} [warning]", "yellow")
    if inspection.entries is not None and report is not False:
        yield _counts(inspection.where, inspection.entries)
        shown = LEVELS if report else NOTEWORTHY
        yield from _table([each for each in inspection.entries if each.row.level in shown])


def total(inspections: Iterable[Inspection]) -> str:
    """What was found in all, in one line."""
    each = tuple(inspections)
    problems = sum(len(one.problems) for one in each)
    warnings = sum(len(one.warnings) for one in each)
    unreadable = sum(bool(one.unreadable) for one in each)
    parts = [f"{len(each)} checked", _count(problems, "problem") if problems else "no problems"]
    parts += [_count(warnings, "warning")] if warnings else []
    parts += [f"{unreadable} not readable"] if unreadable else []
    return ", ".join(parts)


def _finding(file: str, where: str, message: str, style: str) -> Text:
    return Text.assemble((f"{_one_line(file)}: {_one_line(where)}: ", style), _one_line(message))


def _counts(file: str, entries: tuple[Entry, ...]) -> Text:
    counted = ((level, sum(each.row.level == level for each in entries)) for level in LEVELS)
    told = ", ".join(f"{count} {level}" for level, count in counted if count)
    return Text(f"{_one_line(file)}: {_count(len(entries), 'feature')}: {told}")


def _table(entries: list[Entry]) -> Iterator[Text]:
    longest = max((len(each.feature) for each in entries), default=0)
    for level in LEVELS:
        for each in entries:
            if each.row.level == level:
                yield Text.assemble(
                    "  ",
                    (level.ljust(LONGEST_LEVEL), STYLES[level]),
                    f"  {each.feature.ljust(longest)}  {each.row.reason}",
                    (f"  {_places(each.places)}  {each.row.link}", "dim"),
                )


def _places(places: tuple[str, ...]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return f"{_one_line(places[0])}{more}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _one_line(text: str) -> str:
    """The text with what would end a line, or move a terminal's cursor, as an escape."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NOTEWORTHY: tuple[Level, ...] = ("different", "unsupported")
LONGEST_LEVEL = max(map(len, LEVELS))
STYLES: dict[Level, str] = {
    "same": "green",
    "equivalent": "cyan",
    "different": "yellow",
    "unsupported": "red",
}
