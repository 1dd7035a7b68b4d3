"""Boxes in rows, so that lines lead downwards and cross each other little.

Three of the four usual steps of a layered drawing: rows by longest path, bends where a line passes
a row, the order within rows by barycenter. The fourth, positions, is in `columns.py`. All lines
from one box share their bends, so what many wait for is one line that forks.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

Strand: TypeAlias = "tuple[str, bool]"
"""What shares a line: the box at its upper end, and whether the line leads upwards."""


class Bend(NamedTuple):
    """Where a strand passes a row; in the first and last row it enters or leaves the whole."""

    strand: Strand
    row: int


Vertex: TypeAlias = "str | Bend"


class Stretch(NamedTuple):
    """A strand between two boxes; None stands for what is above, or below, the whole."""

    strand: Strand
    upper: str | None
    lower: str | None


class Wire(NamedTuple):
    """The part of a strand between two rows: neighbours, or else more than `FAR` apart.

    A far one has no bends in the rows between; it goes round them, see `sheet.py`.
    """

    strand: Strand
    upper: Vertex
    lower: Vertex


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """Vertices in rows from the top, each row from left to right.

    The first row has only the bends of what comes from above, the last row those of what leads
    below.
    """

    rows: tuple[tuple[Vertex, ...], ...]
    above: Mapping[Vertex, Sequence[Wire]]
    """Vertex -> the wires that end at it, from left to right."""
    below: Mapping[Vertex, Sequence[Wire]]
    """Vertex -> the wires that begin at it, from left to right."""


def layered(
    items: Sequence[str],
    stretches: Sequence[Stretch],
    *,
    entering: Sequence[Strand] = (),
    leaving: Sequence[Strand] = (),
) -> Layers:
    """The rows of `items`, which are given such that every stretch leads to a later one.

    `entering` and `leaving` are the strands from above and to below, from left to right.
    """
    rank = _ranks(items, stretches)
    last = max(rank.values(), default=0) + 1
    wires = _wires(stretches, rank, last)
    rows: list[list[Vertex]] = [[] for _ in range(last + 1)]
    rows[0] = [Bend(strand, 0) for strand in entering]
    rows[last] = [Bend(strand, last) for strand in leaving]
    for item in items:
        rows[rank[item]].append(item)
    for bend in dict.fromkeys(wire.lower for wire in wires if isinstance(wire.lower, Bend)):
        if bend.row < last:
            rows[bend.row].append(bend)
    row = {vertex: number for number, each in enumerate(rows) for vertex in each}
    near = [wire for wire in wires if row[wire.lower] - row[wire.upper] == 1]
    ordered = _ordered(rows, near)
    place = _positions(ordered)
    # What goes round the rows comes from the right.
    far = dict.fromkeys(set(wires) - set(near), len(place))
    return Layers(
        rows=tuple(map(tuple, ordered)),
        above=_by_end(wires, lambda wire: wire.lower, lambda w: far.get(w, 0) + place[w.upper]),
        below=_by_end(wires, lambda wire: wire.upper, lambda w: far.get(w, 0) + place[w.lower]),
    )


def sweeps(size: int) -> int:
    """How often to go over a drawing: less often over one so large that it would take long."""
    return max(min(SWEEPS, LARGE // max(size, 1)), 2)


def _ranks(items: Sequence[str], stretches: Sequence[Stretch]) -> dict[str, int]:
    """Item -> its row, 1 or more: below all above it, and no further from those below than that."""
    uppers: dict[str, list[str | None]] = {item: [] for item in items}
    lowers: dict[str, list[str]] = {item: [] for item in items}
    for _, upper, lower in stretches:
        if lower is not None:
            uppers[lower].append(upper)
            if upper is not None:
                lowers[upper].append(lower)
    rank: dict[str, int] = {}
    for item in items:
        rank[item] = 1 + max((rank[each] for each in uppers[item] if each is not None), default=0)
    for item in reversed(items):
        if len(lowers[item]) > len(uppers[item]):
            rank[item] = min(rank[each] for each in lowers[item]) - 1
    return rank


def _wires(stretches: Iterable[Stretch], rank: Mapping[str, int], last: int) -> list[Wire]:
    """The stretches, cut at every row between their ends if that is near; what two share is one."""
    found: dict[Wire, None] = {}
    for strand, upper, lower in stretches:
        first = 0 if upper is None else rank[upper]
        end = last if lower is None else rank[lower]
        before: Vertex = Bend(strand, 0) if upper is None else upper
        for row in range(first + 1, end) if end - first <= FAR else ():
            found[Wire(strand, before, Bend(strand, row))] = None
            before = Bend(strand, row)
        found[Wire(strand, before, Bend(strand, last) if lower is None else lower)] = None
    return list(found)


def _ordered(rows: list[list[Vertex]], wires: Sequence[Wire]) -> list[list[Vertex]]:
    """The rows with few crossings: the best of several sweeps down and up."""
    uppers, lowers = _neighbours(wires)
    best, fewest = rows, _crossings(rows, uppers)
    for sweep in range(sweeps(len(wires))):
        if not fewest:
            break
        neighbours = lowers if sweep % 2 else uppers
        rows = _swept(rows, neighbours, upwards=bool(sweep % 2))
        crossings = _crossings(rows, uppers)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _neighbours(
    wires: Iterable[Wire],
) -> tuple[dict[Vertex, list[Vertex]], dict[Vertex, list[Vertex]]]:
    uppers: dict[Vertex, list[Vertex]] = {}
    lowers: dict[Vertex, list[Vertex]] = {}
    for _, upper, lower in wires:
        uppers.setdefault(lower, []).append(upper)
        lowers.setdefault(upper, []).append(lower)
    return uppers, lowers


def _swept(
    rows: list[list[Vertex]], neighbours: Mapping[Vertex, list[Vertex]], *, upwards: bool
) -> list[list[Vertex]]:
    """The rows, each sorted by where its vertices' neighbours are; the first and last one stay."""
    swept = list(rows)
    inner = range(1, len(rows) - 1)
    for number in reversed(inner) if upwards else inner:
        place = _positions([swept[number + (1 if upwards else -1)]])
        row = swept[number]
        middle = {
            vertex: sum(place[each] for each in neighbours[vertex]) / len(neighbours[vertex])
            for vertex in row
            if vertex in neighbours
        }
        moved = iter(sorted(middle, key=middle.__getitem__))
        swept[number] = [next(moved) if vertex in middle else vertex for vertex in row]
    return swept


def _crossings(rows: Sequence[Sequence[Vertex]], uppers: Mapping[Vertex, Sequence[Vertex]]) -> int:
    """How often two wires cross."""
    place = _positions(rows)
    total = 0
    for row in rows:
        passed: list[int] = []
        for vertex in row:
            ends = [place[upper] for upper in uppers.get(vertex, ())]
            total += sum(len(passed) - bisect_right(passed, end) for end in ends)
            for end in ends:
                insort(passed, end)
    return total


def _positions(rows: Iterable[Sequence[Vertex]]) -> dict[Vertex, int]:
    return {vertex: index for row in rows for index, vertex in enumerate(row)}


def _by_end(
    wires: Iterable[Wire], end: Callable[[Wire], Vertex], other: Callable[[Wire], int]
) -> dict[Vertex, list[Wire]]:
    found: dict[Vertex, list[Wire]] = {}
    for wire in sorted(wires, key=other):
        found.setdefault(end(wire), []).append(wire)
    return found


SWEEPS, LARGE = 12, 120_000
FAR = 24
"""Rows that a line may pass between boxes. Nobody follows it further, and bends cost time."""
