"""The boxes of a chart, laid out from the innermost groups to the outermost one."""

from collections.abc import Iterable, Sequence
from math import isqrt

from airflow_sm_pipelines.diagrams.chart import Chart
from airflow_sm_pipelines.diagrams.layers import Strand, Stretch, Vertex, layered
from airflow_sm_pipelines.diagrams.sheet import Outline, Point, Sheet, sheet
from airflow_sm_pipelines.diagrams.trips import Trips
from airflow_sm_pipelines.diagrams.words import cells, wrapped

Part = tuple[list[str], list[Stretch]]
"""Boxes and the lines between them."""


class Groups:
    """The groups of a chart and what was found out about them so far.

    Rows and their order are decided from the outside to the inside, because they tell where lines
    cross a border; sizes come back from the inside.
    """

    def __init__(self, chart: Chart, ways: Trips) -> None:
        self.members = {box.key for box in chart.walk() if box.members}
        self.texts = {
            box.key: tuple(tuple(wrapped(line, MOST_CELLS)) for line in box.lines)
            for box in chart.walk()
        }
        self.ways = ways
        self.words: dict[tuple[Strand, Vertex], int] = {
            (trip.strand, trip.lower): cells(trip.edge.label) * WORD_CELL + WORD_PAD
            for trip in ways.trips
            if trip.edge.label
        }
        self.outlines: dict[str, Outline] = {}
        self.sheets: dict[str, Sheet] = {}

    def laid_out(
        self, holder: str, entering: Sequence[Strand], leaving: Sequence[Strand]
    ) -> Outline:
        """The size of a group, once all inside it has its place.

        `entering` and `leaving` are the lines across its upper and its lower border.
        """
        head = self._head(holder)
        bound, loose = _parts(self.ways.order[holder], self.ways.stretches[holder])
        packed = _packed([self._sheet(each, head=0) for each in loose])
        drawn = self._sheet(
            bound,
            entering=entering,
            leaving=leaving,
            head=head.height + (0 if entering else PAD),
            foot=0 if leaving else PAD,
            least_height=head.height + packed.bottom + 2 * PAD,
        )
        # What is written stands left of the first line across the upper border.
        first = min((line[0].x for each, line in drawn.lines.items() if not each.upper), default=0)
        drawn = drawn.moved(max(PAD, head.width - first) if entering else PAD, 0)
        beside = drawn.right + GAP if drawn.corners else PAD
        whole = drawn.beside(packed.moved(beside, head.height + PAD) if loose else packed)
        self.sheets[holder] = whole
        return Outline(
            width=max(whole.right + PAD, head.width),
            height=drawn.bottom,
            tops={each.strand: line[0].x for each, line in drawn.lines.items() if not each.upper},
            bottoms={
                each.strand: line[-1].x for each, line in drawn.lines.items() if not each.lower
            },
        )

    def _sheet(
        self,
        part: Part,
        *,
        head: int,
        entering: Sequence[Strand] = (),
        leaving: Sequence[Strand] = (),
        foot: int = 0,
        least_height: int = 0,
    ) -> Sheet:
        """Boxes in rows, each laid out."""
        items, stretches = part
        layers = layered(items, stretches, entering=entering, leaving=leaving)
        for item in items:
            outline = self._group if item in self.members else self._step
            self.outlines[item] = outline(
                item,
                list(dict.fromkeys(wire.strand for wire in layers.above.get(item, ()))),
                list(dict.fromkeys(wire.strand for wire in layers.below.get(item, ()))),
            )
        return sheet(
            layers,
            stretches,
            self.outlines,
            words=self.words,
            head=head,
            foot=foot,
            least_height=least_height,
        )

    def _step(self, key: str, tops: Sequence[Strand], bottoms: Sequence[Strand]) -> Outline:
        """The size of a step, wide enough for the lines above and below it."""
        head = self._head(key)
        above = [self._room(strand, key) for strand in tops]
        below = [HOOK_GAP] * len(bottoms)
        width = max(head.width, sum(above), sum(below))
        return Outline(
            width=width,
            height=head.height,
            tops=dict(zip(tops, _spread(above, width), strict=True)),
            bottoms=dict(zip(bottoms, _spread(below, width), strict=True)),
        )

    def _group(self, key: str, tops: Sequence[Strand], bottoms: Sequence[Strand]) -> Outline:
        """The size of a group, with places for the lines that end at its own border."""
        stretches = self.ways.stretches[key]
        entering = {each.strand for each in stretches if each.upper is None}
        leaving = {each.strand for each in stretches if each.lower is None}
        inside = self.laid_out(
            key,
            [strand for strand in tops if strand in entering],
            [strand for strand in bottoms if strand in leaving],
        )
        above, below = dict(inside.tops), dict(inside.bottoms)
        taken = [(0, self._head(key).width), *_around(above.values())]
        width = inside.width
        for strand in tops:
            if strand not in entering:
                room = self._room(strand, key)
                above[strand] = _vacant(taken, room, width)
                taken.append((above[strand] - room // 2, above[strand] + room // 2))
                width = max(width, taken[-1][1])
        taken = _around(below.values())
        for strand in bottoms:
            if strand not in leaving:
                below[strand] = _vacant(taken, HOOK_GAP, width)
                taken += _around([below[strand]])
                width = max(width, taken[-1][1])
        return Outline(width=width, height=inside.height, tops=above, bottoms=below)

    def _room(self, strand: Strand, key: str) -> int:
        """The width that a line takes where it ends at the top of a box."""
        return max(HOOK_GAP, self.words.get((strand, key), 0))

    def _head(self, key: str) -> Outline:
        """The size of what is written in a box."""
        lines = [line for text in self.texts.get(key, ()) for line in text]
        if not lines:
            return Outline(width=0, height=0)
        return Outline(
            width=max(map(cells, lines)) * CELL + 2 * TEXT_PAD,
            height=len(lines) * LINE + TEXT_PAD,
        )


def _parts(items: Sequence[str], stretches: Iterable[Stretch]) -> tuple[Part, list[Part]]:
    """What is connected with the outside, and all else in connected parts."""
    leader: dict[str | None, str | None] = {None: None, **{item: item for item in items}}

    def lead(item: str | None) -> str | None:
        while leader[item] != item:
            leader[item] = leader[leader[item]]
            item = leader[item]
        return item

    for _, upper, lower in stretches:
        one, other = lead(upper), lead(lower)
        if one is None:
            one, other = other, one
        if one is not None:
            leader[one] = other
    parts: dict[str | None, Part] = {None: ([], [])}
    for item in items:
        parts.setdefault(lead(item), ([], []))[0].append(item)
    for stretch in stretches:
        parts[lead(stretch.upper or stretch.lower)][1].append(stretch)
    return parts.pop(None), list(parts.values())


def _packed(sheets: Sequence[Sheet]) -> Sheet:
    """Sheets in rows, the whole somewhat wider than high."""
    area = sum((each.right + GAP) * (each.bottom + GAP) for each in sheets)
    widest = max([isqrt(area * 2), *(each.right for each in sheets)])
    corners: dict[str, Point] = {}
    lines: dict[Stretch, tuple[Point, ...]] = {}
    x = y = right = bottom = 0
    for each in sheets:
        if x and x + each.right > widest:
            x, y = 0, bottom + GAP
        placed = each.moved(x, y)
        corners |= placed.corners
        lines |= placed.lines
        right, bottom = max(right, placed.right), max(bottom, placed.bottom)
        x = placed.right + GAP
    return Sheet(right=right, bottom=bottom, corners=corners, lines=lines)


def _spread(rooms: Sequence[int], width: int) -> list[int]:
    """The middles of rooms that stand side by side in the middle of a width."""
    start = (width - sum(rooms)) // 2
    middles = []
    for room in rooms:
        middles.append(start + room // 2)
        start += room
    return middles


def _around(places: Iterable[int]) -> list[tuple[int, int]]:
    return [(place - HOOK_GAP // 2, place + HOOK_GAP // 2) for place in places]


def _vacant(taken: Sequence[tuple[int, int]], room: int, width: int) -> int:
    """The place nearest to the middle of a width around which nothing is taken."""
    half = room // 2
    sides = [side for start, end in taken for side in (start - half, end + half)]
    free = [
        place
        for place in (width // 2, *sides)
        if place >= half
        and all(place + half <= start or place - half >= end for start, end in taken)
    ]
    return min(free, key=lambda place: abs(place - width // 2))


# Pixels, and cells of a line. A cell is a little wider than a character of any font that
# `FONT` in svg.py may stand for.
MOST_CELLS = 30
CELL, LINE, TEXT_PAD = 8, 18, 12
WORD_CELL, WORD_PAD = 7, 10
PAD, GAP, HOOK_GAP = 18, 28, 18
