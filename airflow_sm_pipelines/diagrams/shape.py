"""Where each step stands in the tree of a pipeline.

A graph is no tree: a step can wait for several. It hangs from the last step that all ways to it
come through (its immediate dominator), so what forks and joins again is a fork with the join
below it, and depth counts forks inside forks, not steps. See docs/decisions/show-tree.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from airflow_sm_pipelines.diagrams.chart import WHOLE, Box, Chart, repeated
from airflow_sm_pipelines.diagrams.order import Link, links, sequence

START, NEXT, FORK, LAST = "● ", "↓ ", "├→ ", "└→ "
GROUP, LAST_GROUP = "├─ ", "└─ "
PASSING, BLANK = "│  ", "   "


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of the tree: a step, or the head of a group of steps."""

    box: Box
    rail: str
    """What is drawn before the text."""
    below: str
    """What is drawn before what belongs to it, in the lines that follow."""
    parent: str | None = None
    """The step that it hangs from; None where there is none."""
    title: str = ""
    """The text of a group's head; "" for a step."""


def places(chart: Chart) -> Iterator[Place]:
    """Every step and group in the order in which they stand, each after what it waits for."""
    forest = _forest(chart)
    todo = list(reversed(forest.group(WHOLE, "")))
    while todo:
        place = todo.pop()
        yield place
        todo += reversed(forest.below(place))


@dataclass(slots=True, kw_only=True)
class _Forest:
    """Which steps hang from which, for every group of a chart."""

    boxes: Mapping[str, Box]
    waiting: frozenset[str]
    """The steps that wait for something beside the box around them."""
    branches: Mapping[str, list[Box]]
    roots: dict[str, list[str]] = field(default_factory=dict)
    """Key of a group -> the steps in it that hang from none."""
    children: dict[str, list[str]] = field(default_factory=dict)
    joins: set[str] = field(default_factory=set)
    """Steps that wait for another step than the one that they hang from."""

    def group(self, key: str, rail: str) -> list[Place]:
        """The steps of a group that hang from none, in the same column."""
        return [
            self.step(name, rail + (NEXT if name in self.waiting else START), rail)
            for name in self.roots[key]
        ]

    def below(self, place: Place) -> list[Place]:
        """What hangs from a step, or stands in a group."""
        name, rail = place.box.key, place.below
        if place.title:
            return self.group(name, rail)
        children = self.children[name]
        stays = children[-1:] if children and self._stays(children) else []
        sides = children[: len(children) - len(stays)]
        groups = [place.box] if place.box.members else self.branches.get(name, [])
        found = []
        for box in groups:
            ends = not stays and not sides and box is groups[-1]
            found.append(
                Place(
                    box=box,
                    rail=rail + (LAST_GROUP if ends else GROUP),
                    below=rail + (BLANK if ends else PASSING),
                    title=_title(box),
                )
            )
        for each in sides:
            ends = not stays and each == sides[-1]
            sign, beneath = (LAST, BLANK) if ends else (FORK, PASSING)
            found.append(self.step(each, rail + sign, rail + beneath, name))
        return [*found, *(self.step(each, rail + NEXT, rail, name) for each in stays)]

    def step(self, name: str, rail: str, below: str, parent: str | None = None) -> Place:
        return Place(box=self.boxes[name], rail=rail, below=below, parent=parent)

    def _stays(self, children: Sequence[str]) -> bool:
        """Whether the last child stays in its parent's column: not if all end alike."""
        last = children[-1]
        ends = not (self.children[last] or last in self.branches or self.boxes[last].members)
        return len(children) == 1 or last in self.joins or not ends


def _title(box: Box) -> str:
    return repeated(box.step.iteration) if box.step and box.step.iteration else box.lines[0]


def _forest(chart: Chart) -> _Forest:
    boxes = {box.key: box for box in chart.walk()}
    branches: dict[str, list[Box]] = {}
    for box in boxes.values():
        if box.step is None:
            branches.setdefault(box.owner, []).append(box)
    inside: dict[str, list[Link]] = {}
    for link in links(chart, lambda key: boxes[key].owner):
        inside.setdefault(link.holder, []).append(link)
    forest = _Forest(
        boxes=boxes, waiting=frozenset(edge.target for edge in chart.edges), branches=branches
    )
    members = {key: box.members for key, box in boxes.items() if box.members}
    for holder, held in {WHOLE: chart.boxes, **members}.items():
        items = [box.key for box in held if box.step]
        _grow(forest, holder, items, inside.get(holder, []))
    return forest


def _grow(forest: _Forest, holder: str, items: Sequence[str], found: Sequence[Link]) -> None:
    """Hang the items of one group."""
    order = sequence(items, found)
    before = _nearest(order, found)
    parents = _dominators(before)
    forest.children |= {item: [] for item in order}
    forest.roots[holder] = []
    for item, parent in parents.items():
        (forest.roots[holder] if parent is None else forest.children[parent]).append(item)
    forest.joins |= {item for item in order if len(before[item]) > 1}
    size = dict.fromkeys(order, 1)
    for item in reversed(order):
        size[item] += sum(size[each] for each in forest.children[item])
    siblings = _between_siblings(parents, found)
    forest.roots[holder] = sequence(forest.roots[holder], siblings.get(None, []))
    for item in order:
        waits = siblings.get(item, [])
        children = sequence(forest.children[item], waits)
        # The largest that no other waits for comes last: it stays in the column, so that what is
        # indented is small.
        awaited = {link.source for link in waits}
        free = [each for each in reversed(children) if each not in awaited]
        largest = max(free, key=size.__getitem__, default=None)
        forest.children[item] = sorted(children, key=lambda each: each == largest)


def _nearest(order: Sequence[str], found: Sequence[Link]) -> dict[str, list[str]]:
    """Item -> what it waits for itself, without what comes before another of them anyway."""
    position = {item: index for index, item in enumerate(order)}
    before: dict[str, set[int]] = {item: set() for item in order}
    for link in found:
        if link.own:
            before[link.target].add(position[link.source])
    # Bit n: the n-th item comes before, directly or not.
    earlier: list[int] = []
    nearest: dict[str, list[str]] = {}
    for item in order:
        passed = 0
        nearest[item] = []
        for index in sorted(before[item], reverse=True):
            if not passed >> index & 1:
                nearest[item].append(order[index])
            passed |= earlier[index] | 1 << index
        earlier.append(passed)
    return nearest


def _dominators(before: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Item -> the last item that all ways to it come through; in the order of `before`."""
    parents: dict[str, str | None] = {}
    position = {item: index for index, item in enumerate(before)}
    for item, sources in before.items():
        meeting: str | None = sources[0] if sources else None
        for source in sources[1:]:
            _, _, meeting = _meeting(source, meeting, parents, position)
        parents[item] = meeting
    return parents


def _between_siblings(
    parents: Mapping[str, str | None], found: Sequence[Link]
) -> dict[str | None, list[Link]]:
    """Item -> which of those that hang from it wait for which, themselves or what hangs below."""
    position = {item: index for index, item in enumerate(parents)}
    siblings: dict[str | None, list[Link]] = {}
    for link in found:
        source, target, meeting = _meeting(link.source, link.target, parents, position)
        if source is not None and target is not None:
            between = replace(link, source=source, target=target)
            siblings.setdefault(meeting, []).append(between)
    return siblings


def _meeting(
    one: str | None,
    other: str | None,
    parents: Mapping[str, str | None],
    position: Mapping[str, int],
) -> tuple[str | None, str | None, str | None]:
    """Where the ways up from two items meet, after the last item of either way before that."""
    last_one = last_other = None
    while one != other:
        # None is above all: where one way has come to it, the other one goes on.
        if other is None or (one is not None and position[one] > position[other]):
            assert one is not None
            last_one, one = one, parents[one]
        else:
            last_other, other = other, parents[other]
    return last_one, last_other, one
