"""Which step waits for which; `unreported` against a simulation of Airflow's rules."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from airflow_sm_pipelines.definition.graph import (
    contradicting,
    downstream,
    find_cycle,
    reads,
    unreported,
    upstream,
    within,
)
from airflow_sm_pipelines.definition.model import Branches, Dependency, Pipeline, Step
from airflow_sm_pipelines.definition.node import Json
from tests.definition.cases import (
    cleanup,
    condition,
    definition,
    fixture,
    for_each,
    get,
    loaded,
    processing,
    training,
)


def test_step_waits_for_what_depends_on_names() -> None:
    assert upstream(fixture("skipped_leaf"))["Waits"] == {"Fails", "No"}


def test_step_waits_for_the_steps_that_its_expressions_read() -> None:
    assert upstream(fixture("model")) == {"Train": set(), "Pack-CreateModel": {"Train"}}


def test_condition_waits_for_what_its_operands_read_and_not_for_its_branches() -> None:
    pipeline = fixture("property_file")
    assert upstream(pipeline)["Good"] == {"Evaluate"}
    assert reads(pipeline.step("Good")) == {"Evaluate"}


def test_step_in_a_branch_waits_for_its_condition() -> None:
    assert upstream(fixture("nested_conditions")) == {
        "Outer": set(),
        "Inner": {"Outer"},
        "Both": {"Inner"},
        "OuterOnly": {"Inner"},
        "After": {"Both"},
    }


@pytest.mark.parametrize("trigger", ["Completed", "Failed", "Stopped", "Any"])
def test_step_waits_for_its_dependencies_whatever_their_trigger(trigger: str) -> None:
    after = training("After", DependsOn=[{"Step": "A", "Trigger": trigger}])
    assert upstream(loaded(definition(training("A"), after)))["After"] == {"A"}


def test_cleanup_waits_for_what_it_cleans_up_and_for_what_its_addresses_read() -> None:
    sweep = cleanup(
        "Sweep", {"StepName": "A"}, {"StepName": "B", "S3Uris": [get("Steps.C.x")]}, DependsOn=["D"]
    )
    pipeline = loaded(definition(*map(training, "ABCD"), sweep))
    assert upstream(pipeline)["Sweep"] == {"A", "B", "C", "D"}
    assert reads(pipeline.step("Sweep")) == {"A", "B", "C", "D"}


def test_reading_a_property_file_is_waiting_for_its_step() -> None:
    file: Json = {"PropertyFileName": "R", "OutputName": "o", "FilePath": "r.json"}
    evaluate = processing("E", {"OutputName": "o"}, PropertyFiles=[file])
    path: Json = {"Std:JsonGet": {"PropertyFile": get("Steps.E.PropertyFiles.R"), "Path": "a"}}
    assert upstream(loaded(definition(evaluate, training("T", {"x": path}))))["T"] == {"E"}


def test_expressions_in_keys_of_a_step_are_waited_for() -> None:
    check: Json = {
        **training("Check"),
        "Type": "QualityCheck",
        "CheckType": "DATA_QUALITY",
        "SuppliedBaselineConstraints": get("Steps.Baseline.x"),
    }
    assert upstream(loaded(definition(training("Baseline"), check)))["Check"] == {"Baseline"}


LOOP = loaded(
    definition(
        training("Items"),
        training("Model"),
        for_each(
            "Loop",
            training("First", {"x": get("ForEach.CurrentItem"), "y": get("Steps.Model.x")}),
            training("Second", {"x": get("Steps.First.x")}),
            training("Third", DependsOn=["First", "Second", "Model"]),
            items=get("Steps.Items.x"),
            Selector={"Pick": "MaxBy", "Field": get("IterationOutput.Second.x")},
        ),
        training("After", {"x": get("Steps.Loop.IterationOutputs[0].Second.x")}),
        training("Inside", DependsOn=["Third"]),
    )
)


def test_loop_stands_for_its_body() -> None:
    assert upstream(LOOP) == {
        "Items": set(),
        "Model": set(),
        "Loop": {"Items", "Model"},
        "After": {"Loop"},
        "Inside": {"Loop"},
    }


def test_loop_in_a_branch_waits_for_the_condition_and_its_body_has_no_entry() -> None:
    pipeline = loaded(definition(condition("C", for_each("Loop", training("Each")))))
    assert upstream(pipeline) == {"C": set(), "Loop": {"C"}}
    assert unreported(pipeline) == set()


def test_loop_that_reads_another_loops_body_waits_for_that_loop() -> None:
    other = for_each("Other", training("Reads", {"x": get("Steps.Third.x")}))
    pipeline = loaded(definition(for_each("Loop", training("Third")), other))
    assert upstream(pipeline) == {"Loop": set(), "Other": {"Loop"}}


def test_steps_of_a_body_wait_for_each_other() -> None:
    assert within(LOOP.step("Loop")) == {
        "First": set(),
        "Second": {"First"},
        "Third": {"First", "Second"},
    }


def test_step_without_a_body_has_no_waiting_within() -> None:
    assert within(LOOP.step("After")) == {}


def branches(name: str, *after: Json, **keys: Json) -> dict[str, Json]:
    """A decision with a step in either branch, `<name>-yes` and `<name>-no`."""
    no = training(f"{name}-no")
    return condition(name, training(f"{name}-yes"), *after, else_steps=[no], **keys)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        pytest.param([branches("C")], {}, id="none"),
        pytest.param([branches("C"), training("S", DependsOn=["C-yes", "C"])], {}, id="one branch"),
        pytest.param(
            [branches("C"), training("S", DependsOn=["C-yes", "C-no"])], {"S": "C"}, id="both"
        ),
        pytest.param(
            [
                branches("C"),
                training("A", {"x": get("Steps.C-yes.x")}),
                training("B", DependsOn=["C-no"]),
                training("S", DependsOn=["A", "B"]),
            ],
            {"S": "C"},
            id="deep",
        ),
        pytest.param(
            [branches("C", training("S", DependsOn=["C-no"]))], {"S": "C"}, id="from inside"
        ),
        pytest.param(
            [
                branches("C"),
                training("S", DependsOn=["C-yes", "C-no"]),
                training("Below", DependsOn=["S"]),
                training("BelowToo", DependsOn=["Below", "C-no"]),
            ],
            {"S": "C"},
            id="what waits for it is not told again",
        ),
        pytest.param(
            [
                branches("C"),
                training("S", DependsOn=["C-yes", "C-no"]),
                training("T", DependsOn=["C-yes", "C-no"]),
            ],
            {"S": "C", "T": "C"},
            id="two beside each other",
        ),
        pytest.param(
            [
                branches("C"),
                branches("D"),
                training("S", DependsOn=["D-yes", "D-no", "C-yes", "C-no"]),
            ],
            {"S": "C"},
            id="two conditions, the first by name is told",
        ),
        pytest.param(
            [branches("C"), branches("D"), training("S", DependsOn=["C-yes", "D-no"])],
            {},
            id="one branch of each",
        ),
        pytest.param(
            [
                condition("Outer", branches("Inner"), else_steps=[training("Other")]),
                training("S", DependsOn=["Inner-yes", "Other"]),
            ],
            {"S": "Outer"},
            id="nested",
        ),
        pytest.param(
            [
                branches("C"),
                for_each("Loop", training("Each", DependsOn=["C-yes"]), items=get("Steps.C-no.x")),
            ],
            {"Loop": "C"},
            id="a loop and its body",
        ),
    ],
)
def test_step_that_needs_both_branches_is_found(steps: list[Json], found: dict[str, str]) -> None:
    assert contradicting(loaded(definition(*steps))) == found


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


def test_steps_that_many_paths_lead_to_are_looked_at_once() -> None:
    """Each step waits for both of the layer before: 2**60 paths, which nobody could walk."""
    steps: list[Json] = [condition("C", training("L0"), training("R0"))]
    for layer in range(1, 60):
        before: Json = [f"L{layer - 1}", f"R{layer - 1}"]
        steps += [training(f"{side}{layer}", DependsOn=before) for side in "LR"]
    pipeline = loaded(definition(*steps))
    assert contradicting(pipeline) == {}
    assert unreported(pipeline) == set()


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
