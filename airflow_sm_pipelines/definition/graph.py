"""Which step waits for which."""

from graphlib import CycleError, TopologicalSorter

from airflow_sm_pipelines.definition.expressions import PropertyFileReference, PropertyReference
from airflow_sm_pipelines.definition.model import Pipeline, Step

Branch = tuple[str, bool]
"""A Condition step's name and one of its outcomes."""


def upstream(pipeline: Pipeline) -> dict[str, set[str]]:
    """Step name -> the names it waits for.

    Three sources: `DependsOn`, expressions that read a step's output, and, for a step inside a
    branch, its Condition step.
    """
    waits = {step.name: dependencies(step) for step in pipeline.walk()}
    for step in pipeline.walk():
        for child in children(step):
            waits[child.name].add(step.name)
    return waits


def dependencies(step: Step) -> set[str]:
    """The names of steps that a step names itself, in DependsOn and in expressions."""
    return {dependency.step for dependency in step.depends_on} | {
        expression.step
        for expression in step.expressions
        if isinstance(expression, PropertyReference | PropertyFileReference)
    }


def children(step: Step) -> tuple[Step, ...]:
    """The steps directly inside the branches of a Condition step; none for other types."""
    return (*step.branches.if_steps, *step.branches.else_steps) if step.branches else ()


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
    conditions = {step.name for step in pipeline.walk() if step.branches}
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


def _needed_branches(
    pipeline: Pipeline, waits: dict[str, set[str]], order: tuple[str, ...]
) -> dict[str, frozenset[Branch]]:
    """Step name -> the branches that have to be taken for it to run."""
    own: dict[str, frozenset[Branch]] = {}
    for step in pipeline.walk():
        if step.branches:
            own |= {child.name: frozenset({(step.name, True)}) for child in step.branches.if_steps}
            own |= {
                child.name: frozenset({(step.name, False)}) for child in step.branches.else_steps
            }
    needed: dict[str, frozenset[Branch]] = {}
    for name in order:
        needed[name] = own.get(name, frozenset()).union(*(needed[other] for other in waits[name]))
    return needed
