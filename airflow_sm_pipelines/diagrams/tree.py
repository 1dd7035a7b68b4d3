"""A pipeline as lines of text that fit a terminal.

A step stands under the step that everything before it comes through, in the same column where one
can, so that a chain is a straight column and not a staircase. It waits for that step alone, unless
`also after` names more, or `after` names others instead.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airflow_sm_pipelines.diagrams.chart import Chart, Edge, marks, shown_as
from airflow_sm_pipelines.diagrams.kinds import kind
from airflow_sm_pipelines.diagrams.shape import FORK, LAST, NEXT, START, Place, places
from airflow_sm_pipelines.diagrams.words import cells, sentence

NARROWEST_NOTE = 24
"""Cells that notes need to stand beside a step; else they stand below it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line; `style` is a kind of step or one of `rail`, `note`, `title`."""

    text: str
    style: str


Line = tuple[Span, ...]


def tree(chart: Chart, width: int) -> list[Line]:
    """The pipeline in lines of at most `width` cells.

    A line is longer only where a name and the rails before it leave no choice.
    """
    waits: dict[str, list[Edge]] = {}
    for edge in chart.edges:
        waits.setdefault(edge.target, []).append(edge)
    rows = [_row(place, waits.get(place.box.key, ())) for place in places(chart)]
    frame = _frame(rows, width)
    lines: list[Line] = [(Span(line, "title"),) for line in sentence(chart.summary, width)]
    lines.append(())
    for row in rows:
        lines += row.lines(frame)
    return lines + _legend(rows, width)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One step or branch, not yet laid out."""

    rail: str
    """What is drawn before the name."""
    below: str
    """What is drawn before further lines of the same step."""
    name: str
    style: str
    type: str = ""
    notes: str = ""
    waits: str = ""
    """`after`, `also after` or nothing: what the notes say of waiting."""

    @property
    def head(self) -> int:
        """The cells of the rail and the name."""
        return cells(self.rail + self.name)

    def lines(self, frame: "_Frame") -> Iterator[Line]:
        """The row on as many lines as it needs."""
        rail, name = Span(self.rail, "rail"), Span(self.name, self.style)
        if not self.type:
            yield from self._title(frame.width)
            return
        notes = sentence(self.notes, frame.width - frame.notes(self.below))
        first = notes.pop(0) if notes and frame.beside else ""
        type_ = f"{self.type:<{frame.type_cells}}{first}" if first else self.type
        if self.head < frame.type_at:
            yield (rail, name, Span(" " * (frame.type_at - self.head) + type_, "note"))
        else:
            yield (rail, name)
            yield (*_indented(self.below, frame.type_at), Span(type_, "note"))
        for note in notes:
            yield (*_indented(self.below, frame.notes(self.below)), Span(note, "note"))

    def _title(self, width: int) -> Iterator[Line]:
        """The words above a branch or a body."""
        rail = self.rail
        for text in sentence(self.name, width - cells(self.rail)):
            yield Span(rail, "rail"), Span(text, self.style)
            rail = self.below


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """The columns of all rows."""

    width: int
    type_at: int
    type_cells: int

    @property
    def beside(self) -> bool:
        """Whether notes have room beside the types; they stand below the names if not."""
        return self.width - self.type_at - self.type_cells >= NARROWEST_NOTE

    def notes(self, below: str) -> int:
        """Where the notes of a row begin."""
        return self.type_at + self.type_cells if self.beside else cells(below) + 4


def _indented(rail: str, column: int) -> tuple[Span, Span]:
    """A rail, and blanks up to a column if it lies behind the rail."""
    return Span(rail, "rail"), Span(" " * (column - cells(rail)), "note")


def _frame(rows: list[_Row], width: int) -> _Frame:
    """Types begin behind all names, if that leaves room for the rest."""
    longest = max((row.head for row in rows if row.type), default=0) + 2
    type_cells = max((len(row.type) for row in rows), default=0) + 2
    most = min(max(width - type_cells - NARROWEST_NOTE, width // 3), width // 2)
    return _Frame(width=width, type_at=min(longest, most), type_cells=type_cells)


def _legend(rows: list[_Row], width: int) -> list[Line]:
    """What the signs mean, where they say more than that one step follows another."""
    signs = {sign for row in rows for sign in LEGEND if row.rail.endswith(sign)}
    signs |= {row.waits for row in rows}
    if not signs & {FORK, LAST, ALSO, AFTER}:
        return []
    text = "; ".join(dict.fromkeys(text for sign, text in LEGEND.items() if sign in signs))
    return [(), *((Span(line, "note"),) for line in sentence(text, width))]


def _row(place: Place, waits: Sequence[Edge]) -> _Row:
    step = place.box.step
    if place.title or step is None:
        return _Row(rail=place.rail, below=place.below, name=place.title, style="group")
    waiting, names = _after(place, waits)
    notes = [*shown_as(step), *marks(step), *([waiting + ", ".join(names)] if names else [])]
    return _Row(
        rail=place.rail,
        below=place.below,
        name=step.name,
        style=kind(step.type),
        type=step.type,
        notes=" · ".join(notes),
        waits=waiting,
    )


def _after(place: Place, waits: Sequence[Edge]) -> tuple[str, list[str]]:
    """What a step waits for beside, or instead of, the step that it hangs from."""
    others = [edge for edge in waits if edge.label or edge.source != place.parent]
    names = [f"{edge.source} ({edge.label})" if edge.label else edge.source for edge in others]
    if not names:
        return "", []
    return (AFTER if len(others) == len(waits) else ALSO), names


ALSO, AFTER = "also after ", "after "
FORKED = "→ waits for the step that its line comes from"

# What is drawn -> what it means.
LEGEND = {
    START: "● starts first, or with its group",
    NEXT: "↓ waits for the step above it in its column",
    FORK: FORKED,
    LAST: FORKED,
    ALSO: "also after A: for A as well",
    AFTER: "after A: for A instead",
}
