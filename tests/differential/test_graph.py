"""Random pipelines of the SDK's steps: which step waits for which, and whether there is a cycle."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.differential import ours, sdk
from tests.differential.tally import count


@dataclass(frozen=True, slots=True)
class Plan:
    """A step that is to be made."""

    name: str
    kind: str
    parent: str | None
    """The Condition step around it."""
    in_else: bool
    waits_for: list[str]
    """The names in DependsOn."""
    reads: list[str]
    """The names of steps that it has a property of."""


@st.composite
def plans(draw: st.DrawFn) -> list[Plan]:
    kinds = draw(st.lists(st.sampled_from(sorted(MAKERS)), min_size=1, max_size=7))
    names = [f"{kind}{number}" for number, kind in enumerate(kinds)]
    # A Fail step has no properties, and nothing may depend on it.
    targets = [name for name, kind in zip(names, kinds, strict=True) if kind != "Fail"]
    forward = draw(st.sampled_from([True, True, False]))  # only to earlier steps: no cycle
    planned: list[Plan] = []
    for name, kind in zip(names, kinds, strict=True):
        before = [each.name for each in planned if each.kind != "Fail"]
        known = before if forward else targets
        others = st.lists(st.sampled_from(known), max_size=2) if known else st.just([])
        around = [each.name for each in planned if each.kind == "Condition"]
        parent = draw(st.sampled_from([None, *around]))
        plan = Plan(name, kind, parent, draw(st.booleans()), draw(others), draw(others))
        planned.append(plan)
    return planned


def made(planned: list[Plan]) -> list[Any]:
    """The outermost steps. A reference is to the step where it is made already, or by its name."""
    steps: dict[str, Any] = {}
    for plan in reversed(planned):  # those inside a branch are made before their Condition
        keywords: dict[str, Any] = {}
        if plan.kind == "Condition":
            inner = [each for each in planned if each.parent == plan.name]
            keywords["if_steps"] = [steps[each.name] for each in inner if not each.in_else]
            keywords["else_steps"] = [steps[each.name] for each in inner if each.in_else]
        values = [reference(name, steps) for name in plan.reads]
        depends_on = [steps.get(name, name) for name in plan.waits_for]
        maker = MAKERS[plan.kind]
        steps[plan.name] = maker(plan.name, values, depends_on=depends_on, **keywords)
    return [steps[plan.name] for plan in planned if plan.parent is None]


def reference(name: str, steps: dict[str, Any]) -> Any:
    """A property of a step, or what is in its property file."""
    if name.startswith("Processing") and name in steps:
        return sdk.JsonGet(step_name=name, property_file="Report", json_path="a")
    path = PROPERTIES[name.rstrip("0123456789")]
    return sdk.Properties(name, path=path, step=steps.get(name))


@given(plans(), st.randoms(use_true_random=False))
def test_steps_wait_for_the_steps_that_the_sdk_has_them_wait_for(
    planned: list[Plan], random: Any
) -> None:
    steps = made(planned)
    random.shuffle(steps)
    text = sdk.definition(steps)
    count("graph", sdk.waits(steps))
    assert ours.waits(text) == sdk.waits(steps)
    assert ours.has_cycle(text) is sdk.has_cycle(steps)
    assert ours.is_accepted(text) is not sdk.has_cycle(steps)


MAKERS: dict[str, Callable[..., Any]] = {
    "Processing": sdk.processing_step,
    "Training": sdk.training_step,
    "Lambda": sdk.lambda_step,
    "Condition": sdk.branching_step,
    "Fail": sdk.fail_step,
}
PROPERTIES = {
    "Processing": "ProcessingJobName",
    "Training": "TrainingJobName",
    "Lambda": "OutputParameters['answer']",
    "Condition": "Outcome",
}
