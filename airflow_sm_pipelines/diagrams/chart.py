"""What every drawing of a pipeline shows: boxes, boxes in boxes, and edges between them.

A step is a box. Each branch of a Condition step is a box around its steps, with an edge from the
Condition step; a ForEach step is itself the box around its body.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_sm_pipelines.definition import Pipeline, Step
from airflow_sm_pipelines.definition.graph import reads
from airflow_sm_pipelines.definition.model import Iteration
from airflow_sm_pipelines.diagrams.words import clean

WHOLE = ""
"""The key of what holds the outermost boxes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step, or one branch of a Condition step.

    `key` is the step's name, for a branch the Condition step's with `/if` or `/else`, which no
    step's name can have.
    """

    key: str
    owner: str
    """The step that the box is or, for a branch, that decides on it."""
    step: Step | None = None
    """None for a branch."""
    members: "tuple[Box, ...]" = ()

    @property
    def type(self) -> str:
        """The step's type; "" for a branch."""
        return self.step.type if self.step else ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is written in the box, the most important first."""
        if self.step is None:
            return (self.key.removeprefix(f"{self.owner}/"),)
        loop = self.step.iteration
        facts = [*([repeated(loop)] if loop else []), *marks(self.step)]
        return (self.step.name, *shown_as(self.step), " · ".join((self.step.type, *facts)))

    def walk(self) -> "Iterator[Box]":
        """This box and all inside it."""
        yield self
        for member in self.members:
            yield from member.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A box that waits for another one; both are keys."""

    source: str
    target: str
    label: str = ""
    """`true` or `false` to a branch; how the source has to end where it is not Completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The boxes and edges of one pipeline."""

    name: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    max_parallel: int | None = None

    def walk(self) -> Iterator[Box]:
        """Every box, outer ones before those inside them."""
        for box in self.boxes:
            yield from box.walk()

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return sum(box.step is not None for box in self.walk())

    @property
    def summary(self) -> str:
        """The pipeline's name and size in a line."""
        count = f"{self.steps} step{'' if self.steps == 1 else 's'}"
        limit = f", at most {self.max_parallel} at once" if self.max_parallel else ""
        return f"{self.name}: {count}{limit}"


def chart(pipeline: Pipeline) -> Chart:
    """What is drawn of a pipeline: every step once, every wait once.

    That a step waits for the Condition or ForEach step around it is shown by where it stands.
    """
    boxes = tuple(box for step in pipeline.steps for box in _boxes(step))
    return Chart(
        name=clean(pipeline.name),
        boxes=boxes,
        edges=tuple(_edges(pipeline, boxes)),
        max_parallel=pipeline.max_parallel_steps,
    )


def shown_as(step: Step) -> tuple[str, ...]:
    """The name that a step is shown under, where it has another one."""
    shown = clean(step.display_name or "")
    return (shown,) if shown not in {"", step.name} else ()


def marks(step: Step) -> tuple[str, ...]:
    """What is worth knowing of a step beside its type."""
    return (
        *(["cached"] if step.cache and step.cache.enabled else []),
        *(["retried"] if step.retries else []),
    )


def repeated(iteration: Iteration) -> str:
    """How often the body of a ForEach step runs."""
    items = iteration.items
    each = f"each of {len(items)} items" if isinstance(items, list) else "each item"
    return f"{each}, at most {iteration.max_concurrency} at once"


def paths(boxes: tuple[Box, ...]) -> dict[str, tuple[str, ...]]:
    """Key -> the keys of the boxes around a box, the outermost first, and its own."""
    found: dict[str, tuple[str, ...]] = {box.key: (box.key,) for box in boxes}
    for outermost in boxes:
        for box in outermost.walk():
            found |= {member.key: (*found[box.key], member.key) for member in box.members}
    return found


def _boxes(step: Step) -> Iterator[Box]:
    if step.iteration:
        body = tuple(box for inner in step.iteration.body for box in _boxes(inner))
        yield Box(key=step.name, owner=step.name, step=step, members=body)
        return
    yield Box(key=step.name, owner=step.name, step=step)
    for name, steps in _branches(step):
        members = tuple(box for inner in steps for box in _boxes(inner))
        yield Box(key=f"{step.name}/{name}", owner=step.name, members=members)


def _branches(step: Step) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The branches that have steps."""
    if step.branches and step.branches.if_steps:
        yield "if", step.branches.if_steps
    if step.branches and step.branches.else_steps:
        yield "else", step.branches.else_steps


def _edges(pipeline: Pipeline, boxes: tuple[Box, ...]) -> Iterator[Edge]:
    around = paths(boxes)
    bodies = {step.name for step in pipeline.walk() if step.iteration}
    position = {step.name: index for index, step in enumerate(pipeline.walk())}
    for step in pipeline.walk():
        ends: dict[str, set[str]] = {}
        for name in reads(step):
            source = _outermost(name, around, step.name, bodies)
            ends.setdefault(source, set()).update(_triggers(step, name))
        implied = _implied(around[step.name])
        for source in sorted(ends, key=position.__getitem__):
            label = ", ".join(sorted(ends[source]))
            if label or source not in implied:
                yield Edge(source=source, target=step.name, label=label)
        for branch, _ in _branches(step):
            yield Edge(source=step.name, target=f"{step.name}/{branch}", label=OUTCOMES[branch])


def _triggers(step: Step, name: str) -> set[str]:
    """How another step has to end for this one, where it is not the usual way."""
    ends = {each.trigger for each in (*step.depends_on, *step.cleans) if each.step == name}
    return ends - {"Completed"}


def _implied(around: tuple[str, ...]) -> set[str]:
    """The steps that a step waits for because it stands inside their box."""
    return {key.partition("/")[0] for key in around[:-1]}


def _outermost(name: str, around: dict[str, tuple[str, ...]], reader: str, bodies: set[str]) -> str:
    """The box that `reader` waits for where it names a step: the ForEach box that it is outside."""
    return next((key for key in around[name] if key in bodies and key not in around[reader]), name)


OUTCOMES = {"if": "true", "else": "false"}
