"""Where everything of a chart is drawn, in whole pixels from the top left.

A group is laid out as a drawing of its own and is then one box in the drawing around it, so it
holds its members, and nothing else, by construction. A line across a group's border is drawn in
parts that meet there. What nothing connects with the rest is packed beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from airflow_sm_pipelines.diagrams.chart import WHOLE, Chart, Edge, paths
from airflow_sm_pipelines.diagrams.groups import Groups
from airflow_sm_pipelines.diagrams.sheet import Point
from airflow_sm_pipelines.diagrams.trips import Trip, trips


class Rectangle(NamedTuple):
    """Where a box is drawn."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The line of an edge, from its source to its target."""

    edge: Edge
    points: tuple[Point, ...]
    upwards: bool
    """Whether it leads upwards: around it, something waits the other way round as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A chart in pixels."""

    width: int
    height: int
    boxes: Mapping[str, Rectangle]
    texts: Mapping[str, tuple[tuple[str, ...], ...]]
    """Key -> the lines of the box, each broken into lines that fit it."""
    routes: tuple[Route, ...]


def layout(chart: Chart) -> Layout:
    """Place every box and edge of a chart."""
    ways = trips(chart)
    groups = Groups(chart, ways)
    whole = groups.laid_out(WHOLE, (), ())
    origins = {WHOLE: Point(0, 0)}
    boxes: dict[str, Rectangle] = {}
    for key, around in paths(chart.boxes).items():
        holder = around[-2] if len(around) > 1 else WHOLE
        corner, outline = groups.sheets[holder].corners[key], groups.outlines[key]
        origins[key] = corner.moved(*origins[holder])
        boxes[key] = Rectangle(*origins[key], outline.width, outline.height)
    return Layout(
        width=whole.width,
        height=whole.height,
        boxes=boxes,
        texts=groups.texts,
        routes=tuple(_route(trip, groups, origins) for trip in ways.trips),
    )


def _route(trip: Trip, groups: Groups, origins: Mapping[str, Point]) -> Route:
    """The line of an edge, its parts put together."""
    points: list[Point] = []
    for holder, stretch in trip.parts:
        line = groups.sheets[holder].lines[stretch]
        points += (at.moved(*origins[holder]) for at in line)
    points = _straightened(points)
    if trip.upwards:
        points.reverse()
    return Route(edge=trip.edge, points=tuple(points), upwards=trip.upwards)


def _straightened(points: Sequence[Point]) -> list[Point]:
    """The points without those between two that are straight above each other."""
    kept: list[Point] = []
    for point in points:
        while kept and (kept[-1] == point or [each.x for each in kept[-2:]] == [point.x] * 2):
            kept.pop()
        kept.append(point)
    return kept
