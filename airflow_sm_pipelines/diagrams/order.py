"""What comes before what among the boxes that stand directly inside the same box."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from airflow_sm_pipelines.diagrams.chart import WHOLE, Chart, Edge, paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An edge, seen from the innermost box that holds both of its ends."""

    edge: Edge
    holder: str
    source: str
    """What stands directly inside the holder and is, or holds, the edge's source."""
    target: str
    own: bool
    """Whether the edge ends at `target` itself, not at something inside it."""


def links(chart: Chart, item: Callable[[str], str]) -> list[Link]:
    """Every edge that joins two different items of a box.

    `item` names what a box counts for among its neighbours: its own key, or for a branch the
    Condition step that it is shown with.
    """
    around = paths(chart.boxes)
    found = []
    for edge in chart.edges:
        sources, targets = around[edge.source], around[edge.target]
        depth = _parting(sources, targets)
        source, target = item(sources[depth]), item(targets[depth])
        if source != target:
            found.append(
                Link(
                    edge=edge,
                    holder=sources[depth - 1] if depth else WHOLE,
                    source=source,
                    target=target,
                    own=targets[depth] == edge.target,
                )
            )
    return found


def sequence(items: Iterable[str], found: Iterable[Link]) -> list[str]:
    """The items of a box such that each follows all that it waits for, else in their order.

    What is inside a box may wait for an item that itself waits for something in the same box. Such
    a wait cannot be drawn forwards, and it is those waits, never an item's own, that are left
    behind.
    """
    queue = _Queue({item: index for index, item in enumerate(items)})
    for link in found:
        queue.add(link)
    return queue.emptied()


def _parting(one: Sequence[str], other: Sequence[str]) -> int:
    """Where two ways into the boxes part; an edge never joins a box with one around it."""
    pairs = zip(one, other, strict=False)
    return next(depth for depth, (here, there) in enumerate(pairs) if here != there)


class _Queue:
    """Items that wait for others; those that are free first, in their own order."""

    def __init__(self, position: Mapping[str, int]) -> None:
        self.position = position
        self.followers: dict[str, list[Link]] = {item: [] for item in position}
        self.own = dict.fromkeys(position, 0)
        self.all = dict.fromkeys(position, 0)
        self.free: list[tuple[int, str]] = []
        self.held_up: list[tuple[int, str]] = []

    def add(self, link: Link) -> None:
        self.followers[link.source].append(link)
        self.own[link.target] += link.own
        self.all[link.target] += 1

    def emptied(self) -> list[str]:
        """Every item; the queue is used up."""
        done: dict[str, None] = {}
        for item in self.position:
            self._release(item)
        while self.free or self.held_up:
            _, item = heappop(self.free or self.held_up)
            if item in done:
                continue
            done[item] = None
            for link in self.followers[item]:
                self.own[link.target] -= link.own
                self.all[link.target] -= 1
                if link.target not in done:
                    self._release(link.target)
        return list(done)

    def _release(self, item: str) -> None:
        if not self.all[item]:
            heappush(self.free, (self.position[item], item))
        elif not self.own[item]:
            heappush(self.held_up, (self.position[item], item))
