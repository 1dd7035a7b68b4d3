"""Layers in pixels: where each box of one group is drawn, and the lines between them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from airflow_sm_pipelines.diagrams.columns import columns
from airflow_sm_pipelines.diagrams.layers import Bend, Layers, Strand, Stretch, Vertex, Wire


class Point(NamedTuple):
    """A place in pixels, from the top left."""

    x: int
    y: int

    def moved(self, x: int, y: int) -> "Point":
        """The place further right and further down."""
        return Point(self.x + x, self.y + y)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A box without a place yet, and where lines are attached to it, from its left side."""

    width: int
    height: int
    tops: Mapping[Strand, int] = field(default_factory=dict)
    bottoms: Mapping[Strand, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Boxes and lines that have their places, in pixels from the top left of a group."""

    right: int = 0
    """Where the rightmost box or line ends."""
    bottom: int = 0
    corners: Mapping[str, Point] = field(default_factory=dict)
    """Box -> its top left."""
    lines: Mapping[Stretch, tuple[Point, ...]] = field(default_factory=dict)
    """Each line from its upper to its lower end."""

    def moved(self, x: int, y: int) -> "Sheet":
        """The same, further right and further down."""
        return Sheet(
            right=self.right + x,
            bottom=self.bottom + y,
            corners={key: at.moved(x, y) for key, at in self.corners.items()},
            lines={
                stretch: tuple(at.moved(x, y) for at in line)
                for stretch, line in self.lines.items()
            },
        )

    def beside(self, other: "Sheet") -> "Sheet":
        """This and another one, both where they are."""
        return Sheet(
            right=max(self.right, other.right),
            bottom=max(self.bottom, other.bottom),
            corners={**self.corners, **other.corners},
            lines={**self.lines, **other.lines},
        )


def sheet(
    layers: Layers,
    stretches: Iterable[Stretch],
    outlines: Mapping[str, Outline],
    *,
    words: Collection[tuple[Strand, Vertex]] = (),
    head: int = 0,
    foot: int = 0,
    least_height: int = 0,
) -> Sheet:
    """The boxes in their rows; what enters begins at the top, what leaves ends at the bottom.

    `words` are the ends of lines that need room for a word above them; `head` and `foot` are kept
    free above the first box and below the last one.
    """
    width = {
        vertex: 0 if isinstance(vertex, Bend) else outlines[vertex].width
        for row in layers.rows
        for vertex in row
    }
    middles = columns(layers, width, lambda wire: _attached(wire, outlines))
    # The first row has no boxes: lines pass the head straight down.
    heights = [head, *(_height(row, outlines) for row in layers.rows[1:])]
    tops = _tops(layers, middles, heights, words)
    tops[-1] = max(tops[-1] + foot, least_height)
    right = max((middles[each] + (width[each] + 1) // 2 for each in middles), default=0)
    ends = [top + height for top, height in zip(tops, heights, strict=True)]
    lines = _Lines(layers, outlines, middles, tops, ends, right)
    return Sheet(
        right=max([right, *lines.lanes.values()]),
        bottom=tops[-1],
        corners={
            vertex: Point(middles[vertex] - width[vertex] // 2, top)
            for row, top in zip(layers.rows, tops, strict=True)
            for vertex in row
            if not isinstance(vertex, Bend)
        },
        lines={stretch: lines.line(stretch) for stretch in stretches},
    )


def _attached(wire: Wire, outlines: Mapping[str, Outline]) -> tuple[int, int]:
    """How far right of the middle of its upper and lower vertex a wire is attached."""
    upper = lower = 0
    if not isinstance(wire.upper, Bend):
        outline = outlines[wire.upper]
        upper = outline.bottoms[wire.strand] - outline.width // 2
    if not isinstance(wire.lower, Bend):
        outline = outlines[wire.lower]
        lower = outline.tops[wire.strand] - outline.width // 2
    return upper, lower


def _height(row: Sequence[Vertex], outlines: Mapping[str, Outline]) -> int:
    return max((outlines[each].height for each in row if not isinstance(each, Bend)), default=0)


def _tops(
    layers: Layers,
    middles: Mapping[Vertex, int],
    heights: Sequence[int],
    words: Collection[tuple[Strand, Vertex]],
) -> list[int]:
    """The top of every row."""
    tops = [0]
    for height, following in zip(heights, layers.rows[1:], strict=False):
        wires = [wire for vertex in following for wire in layers.above.get(vertex, ())]
        gap = 0
        if wires:
            slant = max(abs(middles[wire.upper] - middles[wire.lower]) for wire in wires)
            word = any((wire.strand, wire.lower) in words for wire in wires)
            gap = GAP + min(slant // SLANT, MOST_SLANT) + (WORD_GAP if word else 0)
        tops.append(tops[-1] + height + gap)
    return tops


class _Lines:
    """What it takes to draw the lines of a sheet."""

    def __init__(
        self,
        layers: Layers,
        outlines: Mapping[str, Outline],
        middles: Mapping[Vertex, int],
        tops: Sequence[int],
        ends: Sequence[int],
        right: int,
    ) -> None:
        self.outlines = outlines
        self.middles = middles
        self.tops = tops
        self.ends = ends
        self.rows = {vertex: number for number, row in enumerate(layers.rows) for vertex in row}
        self.wires = {
            (wire.strand, wire.lower): wire for wires in layers.above.values() for wire in wires
        }
        self.lanes = self._lanes(right)

    def line(self, stretch: Stretch) -> tuple[Point, ...]:
        """The points of a stretch: straight down through rows, across between them."""
        last = len(self.tops) - 1
        vertex: Vertex = Bend(stretch.strand, last) if stretch.lower is None else stretch.lower
        points: list[Point] = []
        while (stretch.strand, vertex) in self.wires:
            wire = self.wires[stretch.strand, vertex]
            right_upper, right_lower = _attached(wire, self.outlines)
            upper = self.middles[wire.upper] + right_upper
            row, above = self.rows[vertex], self.rows[wire.upper]
            points.append(Point(self.middles[vertex] + right_lower, self.tops[row]))
            if row - above > 1:
                lane = self.lanes[wire.strand]
                points += (Point(lane, self.ends[row - 1]), Point(lane, self.tops[above + 1]))
            points.append(Point(upper, self.ends[above]))
            vertex = wire.upper
            if not isinstance(vertex, Bend):
                points.append(Point(upper, self.tops[above] + self.outlines[vertex].height))
                break
            points.append(Point(upper, self.tops[above]))
        return tuple(reversed(points))

    def _lanes(self, right: int) -> dict[Strand, int]:
        """Where the far wires of a strand pass all rows: right of them, none in another's way."""
        passed: dict[Strand, tuple[int, int]] = {}
        for strand, lower in self.wires:
            above, row = self.rows[self.wires[strand, lower].upper], self.rows[lower]
            if row - above > 1:
                first, last = passed.get(strand, (above, row))
                passed[strand] = (min(first, above), max(last, row))
        lanes: dict[Strand, int] = {}
        ends: list[int] = []
        for strand, (first, last) in sorted(passed.items(), key=lambda item: (item[1], item[0])):
            number = next((at for at, end in enumerate(ends) if end <= first), len(ends))
            ends[number : number + 1] = [last]
            lanes[strand] = right + LANE * (number + 1)
        return lanes


GAP, LANE = 40, 10
WORD_GAP = 18
SLANT, MOST_SLANT = 10, 110
