"""Which step waits for which; `unreported` against a simulation of Airflow's rules."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.definition.graph import (
    children,
    dependencies,
    downstream,
    find_cycle,
    unreported,
    upstream,
)
from airflow_sm_pipelines.definition.model import Branches, Dependency, Pipeline, Step
from tests.definition.cases import fixture


def test_step_waits_for_what_depends_on_names() -> None:
    assert upstream(fixture("skipped_leaf"))["Waits"] == {"Fails", "No"}


def test_step_waits_for_the_steps_that_its_expressions_read() -> None:
    assert upstream(fixture("model")) == {"Train": set(), "Pack-CreateModel": {"Train"}}


def test_condition_waits_for_what_its_operands_read_and_not_for_its_branches() -> None:
    pipeline = fixture("property_file")
    assert upstream(pipeline)["Good"] == {"Evaluate"}
    assert dependencies(pipeline.step("Good")) == {"Evaluate"}


def test_step_in_a_branch_waits_for_its_condition() -> None:
    assert upstream(fixture("nested_conditions")) == {
        "Outer": set(),
        "Inner": {"Outer"},
        "Both": {"Inner"},
        "OuterOnly": {"Inner"},
        "After": {"Both"},
    }


def test_children_are_the_steps_directly_inside_both_branches() -> None:
    pipeline = fixture("nested_conditions")
    assert [step.name for step in children(pipeline.step("Outer"))] == ["Inner"]
    assert [step.name for step in children(pipeline.step("Inner"))] == ["Both", "OuterOnly"]
    assert children(pipeline.step("Both")) == ()


def test_downstream_is_upstream_turned_round() -> None:
    assert downstream({"A": set(), "B": {"A"}, "C": {"A", "B"}}) == {
        "A": {"B", "C"},
        "B": {"C"},
        "C": set(),
    }


def test_cycle_is_told_in_the_order_of_waiting() -> None:
    assert find_cycle({"A": {"B"}, "B": {"C"}, "C": {"A"}, "D": set()}) in (
        ["A", "C", "B", "A"],
        ["C", "B", "A", "C"],
        ["B", "A", "C", "B"],
    )


def test_graph_without_a_cycle_has_none() -> None:
    assert find_cycle({"A": set(), "B": {"A"}, "C": {"A", "B"}}) == []


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("processing", set()),
        ("model", set()),
        ("condition", set()),
        ("nested_conditions", set()),
        ("skipped_leaf", {"Fails"}),
        ("untaken_branch", {"Reads"}),
        ("property_file", set()),
    ],
)
def test_failures_that_leaves_may_hide_are_found_in_drawn_pipelines(
    name: str, steps: set[str]
) -> None:
    assert unreported(fixture(name)) == steps


# The simulation


@dataclass(frozen=True, slots=True)
class Drawn:
    """A step of a drawn pipeline; it names earlier steps only, so there is no cycle."""

    condition: bool
    parent: tuple[int, bool] | None
    waits: frozenset[int]


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    drawn: list[Drawn] = []
    for index in range(draw(st.integers(2, 5))):
        conditions = [i for i in range(index) if drawn[i].condition]
        parents = [None, *((i, outcome) for i in conditions for outcome in (True, False))]
        drawn.append(
            Drawn(
                condition=draw(st.booleans()),
                parent=draw(st.sampled_from(parents)),
                waits=draw(st.frozensets(st.integers(0, index - 1), max_size=3))
                if index
                else frozenset(),
            )
        )
    return Pipeline(name="drawn", parameters=(), steps=built(drawn, None))


def built(drawn: list[Drawn], parent: tuple[int, bool] | None) -> tuple[Step, ...]:
    return tuple(
        Step(
            name=f"s{index}",
            type="Condition" if step.condition else "Training",
            where="$",
            depends_on=tuple(Dependency(step=f"s{i}", where="$") for i in sorted(step.waits)),
            branches=Branches(
                conditions=(),
                if_steps=built(drawn, (index, True)),
                else_steps=built(drawn, (index, False)),
            )
            if step.condition
            else None,
        )
        for index, step in enumerate(drawn)
        if step.parent == parent
    )


WAITING, SUCCESS, FAILED, UPSTREAM_FAILED, SKIPPED = [
    "waiting",
    "success",
    "failed",
    "upstream",
    "skipped",
]
BAD = {FAILED, UPSTREAM_FAILED}
States = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulation:
    """A run of a pipeline by Airflow's rules, every order of events at once.

    `all_success` for steps: a failure above makes upstream_failed, else a skip above makes
    skipped, as soon as the scheduler looks, which may be late. A Condition skips the steps of the
    branch not taken when it ends, those that are upstream_failed included (execution API,
    `ti_skip_downstream`). Any step may fail. The last state is that of a task with `none_failed`
    below `end_waits`.
    """

    names: tuple[str, ...]
    waits: tuple[frozenset[int], ...]
    branches: tuple[tuple[frozenset[int], frozenset[int]] | None, ...]
    end_waits: frozenset[int]

    def ends(self) -> Iterator[States]:
        """Every state that a run can end in."""
        seen = {(WAITING,) * (len(self.names) + 1)}
        todo = list(seen)
        while todo:
            states = todo.pop()
            after = set(self._after(states))
            if not after:
                yield states
            todo += after - seen
            seen |= after

    def _after(self, states: States) -> Iterator[States]:
        for index, above in enumerate((*self.waits, self.end_waits)):
            if states[index] != WAITING:
                continue
            found = {states[i] for i in above}
            is_end = index == len(self.names)
            if found & BAD:
                yield with_state(states, {index}, UPSTREAM_FAILED)
            elif SKIPPED in found and not is_end:
                yield with_state(states, {index}, SKIPPED)
            elif WAITING not in found and is_end:
                yield with_state(states, {index}, SUCCESS)
            elif WAITING not in found:
                yield with_state(states, {index}, FAILED)
                yield from self._succeeded(with_state(states, {index}, SUCCESS), index)

    def _succeeded(self, states: States, index: int) -> Iterator[States]:
        for untaken in self.branches[index] or (frozenset(),):
            skippable = {i for i in untaken if states[i] in {WAITING, UPSTREAM_FAILED}}
            yield with_state(states, skippable, SKIPPED)


def with_state(states: States, indexes: set[int], state: str) -> States:
    return tuple(state if i in indexes else old for i, old in enumerate(states))


def simulation(pipeline: Pipeline) -> Simulation:
    steps = {step.name: step for step in pipeline.walk()}
    names = tuple(steps)
    position = {name: index for index, name in enumerate(names)}
    waits = upstream(pipeline)
    leaves = {name for name, after in downstream(waits).items() if not after}

    def positions(these: set[str]) -> frozenset[int]:
        return frozenset(position[name] for name in these)

    return Simulation(
        names=names,
        waits=tuple(positions(waits[name]) for name in names),
        branches=tuple(
            (
                positions({child.name for child in step.branches.if_steps}),
                positions({child.name for child in step.branches.else_steps}),
            )
            if step.branches
            else None
            for step in steps.values()
        ),
        end_waits=positions(leaves | unreported(pipeline)),
    )


def leaves_of(run: Simulation) -> set[int]:
    return set(range(len(run.names))) - {i for above in run.waits for i in above}


def hidden(pipeline: Pipeline) -> set[str]:
    """The steps that can fail, alone, while every leaf ends as a success or skipped."""
    run = simulation(pipeline)
    leaves = leaves_of(run)
    return {
        run.names[states.index(FAILED)]
        for states in run.ends()
        if states[:-1].count(FAILED) == 1 and not {states[i] for i in leaves} & BAD
    }


def drawn(*steps: Drawn) -> Pipeline:
    return Pipeline(name="drawn", parameters=(), steps=built(list(steps), None))


def step(*waits: int, condition: bool = False, parent: tuple[int, bool] | None = None) -> Drawn:
    return Drawn(condition=condition, parent=parent, waits=frozenset(waits))


SKIPPED_LEAF = drawn(step(condition=True), step(parent=(0, True)), step(), step(1, 2))
DECIDED_BELOW = drawn(step(), step(0, condition=True), step(parent=(1, True)))
BOTH_BRANCHES = drawn(
    step(condition=True), step(), step(1, parent=(0, True)), step(1, parent=(0, False))
)


def test_simulation_finds_the_failure_behind_a_skipped_leaf() -> None:
    assert hidden(SKIPPED_LEAF) == {"s2"}


def test_simulation_finds_none_where_the_branch_is_decided_below_the_failure() -> None:
    assert hidden(DECIDED_BELOW) == set()


SIMULATED = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@SIMULATED
@example(SKIPPED_LEAF)
@example(DECIDED_BELOW)
@example(BOTH_BRANCHES)
@given(pipelines())
def test_every_failure_that_can_end_green_is_unreported(pipeline: Pipeline) -> None:
    assert hidden(pipeline) <= unreported(pipeline)


@SIMULATED
@example(SKIPPED_LEAF)
@example(DECIDED_BELOW)
@example(BOTH_BRANCHES)
@given(pipelines())
def test_run_with_the_end_task_is_green_exactly_where_nothing_failed(pipeline: Pipeline) -> None:
    for states in simulation(pipeline).ends():
        assert WAITING not in states
        assert (states[-1] == SUCCESS) is (FAILED not in states)


def test_end_task_below_the_leaves_alone_would_miss_failures() -> None:
    run = simulation(SKIPPED_LEAF)
    alone = replace(run, end_waits=frozenset(leaves_of(run)))
    assert any(states[-1] == SUCCESS and FAILED in states for states in alone.ends())
