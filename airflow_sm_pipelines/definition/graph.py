"""Which step waits for which."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from airflow_sm_pipelines.definition.model import Pipeline, Step
from airflow_sm_pipelines.definition.references import PropertyFileReference, PropertyReference

Branch = tuple[str, bool]
"""A Condition step's name and one of its outcomes."""


def upstream(pipeline: Pipeline) -> dict[str, set[str]]:
    """Step name -> the names it waits for.

    Four sources: `DependsOn`, expressions that read a step's output, what a Cleanup step cleans up
    and, for a step inside a branch, its Condition step. A ForEach step stands for its body: the
    steps inside have no entry of their own, see `within`.
    """
    holder = {inner.name: step.name for step in _outer(pipeline) for inner in _body(step)}
    waits = {
        step.name: {holder.get(name, name) for name in reads(step) | _read_by_body(step)}
        for step in _outer(pipeline)
    }
    for step in _outer(pipeline):
        for child in step.branches.steps if step.branches else ():
            waits[child.name].add(step.name)
    return waits


def within(step: Step) -> dict[str, set[str]]:
    """Step name -> the names it waits for among the steps of the same ForEach body."""
    names = {inner.name for inner in _body(step)}
    return {inner.name: reads(inner) & names for inner in _body(step)}


def reads(step: Step) -> set[str]:
    """The names of steps that a step names itself: DependsOn, expressions, what it cleans up."""
    return {dependency.step for dependency in (*step.depends_on, *step.cleans)} | {
        expression.step
        for expression in step.expressions
        if isinstance(expression, PropertyReference | PropertyFileReference)
    }


def _outer(pipeline: Pipeline) -> Iterator[Step]:
    """Every step but those inside a ForEach body."""
    todo = list(reversed(pipeline.steps))
    while todo:
        step = todo.pop()
        yield step
        if step.branches:
            todo += reversed(step.branches.steps)


def _read_by_body(step: Step) -> set[str]:
    """The names of steps outside that steps of a ForEach body name."""
    body = {inner.name for inner in _body(step)}
    return {name for inner in _body(step) for name in reads(inner)} - body


def _body(step: Step) -> tuple[Step, ...]:
    return step.iteration.body if step.iteration else ()


def downstream(waits: dict[str, set[str]]) -> dict[str, set[str]]:
    """`upstream`, turned round: step name -> the names of steps that wait for it."""
    followers: dict[str, set[str]] = {name: set() for name in waits}
    for name, before in waits.items():
        for other in before:
            followers[other].add(name)
    return followers


def find_cycle(waits: dict[str, set[str]]) -> list[str]:
    """The names along one cycle, each waited for by the next; empty where there is none."""
    try:
        TopologicalSorter(waits).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def unreported(pipeline: Pipeline) -> set[str]:
    """Steps whose failure no leaf is sure to show.

    A run is judged by its leaves, and a leaf that was skipped before a step above it failed stays
    skipped. It shows the failure all the same unless it needs a branch that the failing step does
    not need and that is not decided below that step.
    """
    waits = upstream(pipeline)
    followers = downstream(waits)
    order = tuple(TopologicalSorter(waits).static_order())
    needed = _needed_branches(pipeline, waits, order)
    conditions = {step.name for step in _outer(pipeline) if step.branches}
    decided: dict[str, set[str]] = {}
    leaves: dict[str, set[frozenset[Branch]]] = {}
    for name in reversed(order):
        after = followers[name]
        decided[name] = ({name} & conditions).union(*(decided[other] for other in after))
        leaves[name] = set().union(*(leaves[other] for other in after)) or {needed[name]}
    return {
        name
        for name in order
        if not any(
            all(condition in decided[name] for condition, _ in leaf - needed[name])
            for leaf in leaves[name]
        )
    }


def contradicting(pipeline: Pipeline) -> dict[str, str]:
    """Steps that need both branches of a Condition step, and so never run, with its name.

    Only the first of them are told, not what waits for them.
    """
    waits = upstream(pipeline)
    needed = _needed_branches(pipeline, waits, tuple(TopologicalSorter(waits).static_order()))
    return {
        name: both[0]
        for name, branches in needed.items()
        if (both := _both(branches)) and not any(_both(needed[other]) for other in waits[name])
    }


def _both(branches: frozenset[Branch]) -> list[str]:
    """The Condition steps of which both outcomes are needed."""
    return sorted(
        {
            condition
            for condition, _ in branches
            if {(condition, True), (condition, False)} <= branches
        }
    )


def _needed_branches(
    pipeline: Pipeline, waits: dict[str, set[str]], order: tuple[str, ...]
) -> dict[str, frozenset[Branch]]:
    """Step name -> the branches that have to be taken for it to run."""
    own: dict[str, frozenset[Branch]] = {}
    for step in _outer(pipeline):
        if step.branches:
            own |= {child.name: frozenset({(step.name, True)}) for child in step.branches.if_steps}
            own |= {
                child.name: frozenset({(step.name, False)}) for child in step.branches.else_steps
            }
    needed: dict[str, frozenset[Branch]] = {}
    for name in order:
        needed[name] = own.get(name, frozenset()).union(*(needed[other] for other in waits[name]))
    return needed
