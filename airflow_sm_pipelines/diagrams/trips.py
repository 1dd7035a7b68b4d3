"""The way of every edge through the groups of a chart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from airflow_sm_pipelines.diagrams.chart import WHOLE, Chart, Edge, paths
from airflow_sm_pipelines.diagrams.layers import Strand, Stretch
from airflow_sm_pipelines.diagrams.order import Link, links, sequence


class Trip(NamedTuple):
    """An edge as a line from its upper end to its lower end."""

    edge: Edge
    upwards: bool
    """Whether the edge itself leads from the lower end to the upper one."""
    parts: tuple[tuple[str, Stretch], ...]
    """The parts of the line, each with the group that it is drawn in."""

    @property
    def strand(self) -> Strand:
        """What the line shares with others."""
        return self.parts[0][1].strand

    @property
    def lower(self) -> str:
        """The box at the lower end."""
        return self.edge.source if self.upwards else self.edge.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Trips:
    """All edges of a chart."""

    order: Mapping[str, list[str]]
    """Group -> what is directly inside, such that no line of `stretches` leads upwards."""
    stretches: Mapping[str, tuple[Stretch, ...]]
    """Group -> the parts of lines inside it, each once."""
    trips: tuple[Trip, ...]


def trips(chart: Chart) -> Trips:
    """The way of every edge, and with it the order of what is inside each group."""
    around = paths(chart.boxes)
    held: dict[str, list[Link]] = {}
    for link in links(chart, str):
        held.setdefault(link.holder, []).append(link)
    groups = {WHOLE: chart.boxes, **{box.key: box.members for box in chart.walk() if box.members}}
    order: dict[str, list[str]] = {}
    stretches: dict[str, dict[Stretch, None]] = {holder: {} for holder in groups}
    found: list[Trip] = []
    for holder, members in groups.items():
        own = held.get(holder, [])
        order[holder] = sequence((box.key for box in members), own)
        place = {item: at for at, item in enumerate(order[holder])}
        for link in own:
            upwards = place[link.source] > place[link.target]
            found.append(_trip(link, around, upwards=upwards))
            for group, stretch in found[-1].parts:
                stretches[group][stretch] = None
    return Trips(
        order=order,
        stretches={holder: tuple(each) for holder, each in stretches.items()},
        trips=tuple(found),
    )


def _trip(link: Link, around: Mapping[str, tuple[str, ...]], *, upwards: bool) -> Trip:
    upper, lower = link.edge.source, link.edge.target
    if upwards:
        upper, lower = lower, upper
    strand = (upper, upwards)
    above, below = around[upper], around[lower]
    depth = 0 if link.holder == WHOLE else above.index(link.holder) + 1
    out = (
        (above[at - 1], Stretch(strand, above[at], None)) for at in range(len(above) - 1, depth, -1)
    )
    into = (
        (below[at - 1], Stretch(strand, None, below[at])) for at in range(depth + 1, len(below))
    )
    across = (link.holder, Stretch(strand, above[depth], below[depth]))
    return Trip(link.edge, upwards, (*out, across, *into))
