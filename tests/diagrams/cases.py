"""Pipelines to draw: the fixtures, the example, one with everything, and made up ones."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from airflow_sm_pipelines.definition import Pipeline, load
from airflow_sm_pipelines.diagrams import Chart, chart
from tests.definition.cases import PIPELINES

ROOT = Path(__file__).parents[2]
FILES = {
    **{path.stem: path for path in sorted(PIPELINES.glob("*.json"))},
    "abalone": ROOT / "dags/pipelines/abalone/definition.json",
    "everything": Path(__file__).with_name("everything.json"),
}


def pipeline(*steps: dict[str, Any], name: str = "p") -> Pipeline:
    return load(json.dumps({"Version": "2020-12-01", "Steps": steps}), name=name)


def step(name: str, *depends_on: Any, **keys: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {},
        "DependsOn": list(depends_on),
        **keys,
    }


def condition(
    name: str,
    *depends_on: Any,
    if_steps: list[dict[str, Any]] | None = None,
    else_steps: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    arguments = {
        "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
        "IfSteps": if_steps or [],
        "ElseSteps": else_steps or [],
    }
    return step(name, *depends_on, Type="Condition", Arguments=arguments)


def for_each(name: str, *depends_on: Any, body: list[dict[str, Any]]) -> dict[str, Any]:
    arguments = {"IterableItems": ["a", "b"], "MaxConcurrency": 2, "ForEachBody": body}
    return step(name, *depends_on, Type="ForEach", Arguments=arguments)


def fixture(name: str) -> Chart:
    return chart(load(FILES[name].read_bytes(), name=name))


@dataclass
class _Maker:
    """Makes up steps that may wait for one another, whatever box they stand in."""

    draw: st.DrawFn
    rank: dict[str, float] = field(default_factory=dict)
    """Step -> when it could run; a step waits for earlier ones alone, so there is no cycle."""
    readable: list[str] = field(default_factory=list)

    def steps(self, depth: int, after: float, most: int) -> list[dict[str, Any]]:
        return [self.step(depth, after) for _ in range(self.draw(st.integers(1, most)))]

    def step(self, depth: int, after: float) -> dict[str, Any]:
        name = f"S{len(self.rank)}"
        rank = self.rank[name] = self.draw(st.floats(after, 1, exclude_min=after < 1))
        kind = self.draw(st.sampled_from(["step", "step", "step", "condition", "loop"]))
        self.readable.append(name)
        if kind == "condition" and depth < 2:
            branches = [self.steps(depth + 1, rank, 3), []]
            if self.draw(st.booleans()):
                branches[1] = self.steps(depth + 1, rank, 3)
            return condition(name, if_steps=branches[0], else_steps=branches[1])
        if kind == "loop":
            return for_each(name, body=self.body(rank))
        return step(name)

    def body(self, rank: float) -> list[dict[str, Any]]:
        """Steps that wait for one another and for what comes before the ForEach step."""
        names = [f"S{len(self.rank) + at}" for at in range(self.draw(st.integers(1, 3)))]
        self.rank |= dict.fromkeys(names, rank)
        return [step(name, *self.some(names[:at])) for at, name in enumerate(names)]

    def some(self, names: list[str]) -> list[str]:
        return self.draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []

    def connect(self, made: list[dict[str, Any]]) -> None:
        for each in made:
            name, arguments = each["Name"], each["Arguments"]
            earlier = [other for other in self.readable if self.rank[other] < self.rank[name]]
            trigger = self.draw(st.sampled_from([None, None, None, "Failed", "Any"]))
            named = [other for other in self.some(earlier) if other not in each["DependsOn"]]
            each["DependsOn"] += [
                {"Step": other, "Trigger": trigger} if trigger else other for other in named
            ]
            for key in ("IfSteps", "ElseSteps", "ForEachBody"):
                self.connect(arguments.get(key, []))


@st.composite
def pipelines(draw: st.DrawFn) -> Pipeline:
    maker = _Maker(draw)
    made = maker.steps(0, 0, 7)
    maker.connect(made)
    return pipeline(*made)
