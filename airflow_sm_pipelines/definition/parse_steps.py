"""Steps of every type into the model.

A type whose Arguments are more than the request of an operation has a row in `CONTENTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_sm_pipelines.definition.conditions import parse_condition
from airflow_sm_pipelines.definition.expressions import (
    parse_members,
    parse_text,
    parse_texts,
    parse_value,
)
from airflow_sm_pipelines.definition.model import (
    Branches,
    Dependency,
    Iteration,
    Output,
    PropertyFile,
    Selector,
    Step,
)
from airflow_sm_pipelines.definition.node import Node, Problems, kind
from airflow_sm_pipelines.definition.parameters import PARAMETER_TYPES
from airflow_sm_pipelines.definition.policies import parse_cache_policy, parse_retry_policy
from airflow_sm_pipelines.definition.references import IterationOutput
from airflow_sm_pipelines.definition.steps import API_ONLY, COMMON_KEYS, STEP_TYPES, Key, StepType
from airflow_sm_pipelines.definition.values import Value
from airflow_sm_pipelines.errors import did_you_mean, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contents:
    """What the Arguments of a step hold."""

    arguments: dict[str, Value] = field(default_factory=dict)
    cleans: tuple[Dependency, ...] = ()
    branches: Branches | None = None
    iteration: Iteration | None = None


def parse_step(node: Node) -> Step:
    """Read a step of any type, with the steps inside it."""
    node.object()  # what is no object has one problem, and not one for each key
    problems = Problems()
    with problems.caught():
        name = node["Name"].identifier(LONGEST_STEP_NAME)
    with problems.caught():
        type_ = _step_type(node)
        row = STEP_TYPES[type_]
        with problems.caught():
            node.only(KEYS[type_])
        with problems.caught():
            keys = _keys(node, row)
        contents = CONTENTS.get(type_, _request)(node["Arguments"])
    depends_on = problems.read_each(node, "DependsOn", _dependency)
    display_name = problems.read(node, "DisplayName", Node.text)
    description = problems.read(node, "Description", Node.text)
    cache = problems.read(node, "CacheConfig", parse_cache_policy)
    retries = problems.read_each(node, "RetryPolicies", parse_retry_policy)
    property_files = problems.read_each(node, "PropertyFiles", _property_file)
    outputs = problems.read_each(node, "OutputParameters", _output)
    problems.raise_any()
    return Step(
        name=name,
        type=type_,
        where=node.path,
        arguments=contents.arguments,
        keys=keys,
        depends_on=depends_on,
        cleans=contents.cleans,
        display_name=display_name,
        description=description,
        cache=cache,
        retries=retries,
        property_files=property_files,
        outputs=outputs if "OutputParameters" in row.lists else None,
        branches=contents.branches,
        iteration=contents.iteration,
    )


def _step_type(node: Node) -> str:
    type_ = node["Type"].text()
    if type_ in API_ONLY:
        raise node["Type"].error(
            f"step type {type_!r} is known to SageMaker's API alone: how a definition describes "
            "such a step is not published; use a step type that the SageMaker SDK writes"
        )
    if type_ not in STEP_TYPES:
        raise node["Type"].error(
            f"unknown step type {type_!r}{did_you_mean(type_, STEP_TYPES)}; "
            f"known are: {listed(STEP_TYPES)}"
        )
    return type_


def _keys(node: Node, row: StepType) -> dict[str, Value]:
    if not row.keys:
        return {}
    problems = Problems()
    values: dict[str, Value] = {}
    for name, key in row.keys.items():
        with problems.caught():
            member = node[name] if key.required else node.get(name)
            if member is not None:
                values[name] = _key_value(member, key)
    problems.raise_any()
    return values


def _key_value(node: Node, key: Key) -> Value:
    if key.expression and isinstance(node.value, dict):
        value = parse_value(node)
        if not isinstance(value, dict):  # a plain object is no expression
            return value
    if key.type == "Boolean":
        return node.boolean()
    if key.values and node.text() not in key.values:
        raise node.error(
            f"{kind(node.value)} is not among the values{did_you_mean(node.value, key.values)}; "
            f"use one of: {listed(key.values)}"
        )
    return node.text()


def _request(node: Node) -> _Contents:
    return _Contents(arguments=parse_members(node))


def _message(node: Node) -> _Contents:
    return _Contents(arguments=parse_texts(node, ("ErrorMessage",)))


def _branches(node: Node) -> _Contents:
    problems = Problems()
    with problems.caught():
        node.only(("Conditions", "IfSteps", "ElseSteps"))
    with problems.caught():
        conditions = problems.each(node["Conditions"].items(), parse_condition)
    with problems.caught():
        if_steps = problems.read_each(node, "IfSteps", parse_step)
    with problems.caught():
        else_steps = problems.read_each(node, "ElseSteps", parse_step)
    problems.raise_any()
    branches = Branches(conditions=conditions, if_steps=if_steps, else_steps=else_steps)
    return _Contents(branches=branches)


def _iteration(node: Node) -> _Contents:
    problems = Problems()
    with problems.caught():
        node.only(("IterableItems", "MaxConcurrency", "Selector", "ForEachBody"))
    with problems.caught():
        items = _items(node["IterableItems"])
    with problems.caught():
        concurrency = _concurrency(node["MaxConcurrency"])
    with problems.caught():
        selector = node.read("Selector", _selector)
    with problems.caught():
        body = problems.each(_not_empty(node["ForEachBody"], "a step"), _body_step)
    problems.raise_any()
    iteration = Iteration(items=items, max_concurrency=concurrency, selector=selector, body=body)
    return _Contents(iteration=iteration)


def _items(node: Node) -> Value:
    if isinstance(node.value, list):
        elements = _not_empty(node, "an item")
        if len(elements) > MOST_ITEMS:
            raise node.error(
                f"{len(elements)} items; a list has up to {MOST_ITEMS}, more come from an "
                "expression for the text of a JSON list"
            )
        problems = Problems()
        items = problems.each(elements, _item)
        problems.raise_any()
        return list(items)
    value = parse_value(node)
    if not isinstance(node.value, dict) or isinstance(value, dict):
        raise node.error(
            f"{kind(node.value)} where items are expected; give a list, or an expression for the "
            "text of a JSON list"
        )
    return value


def _item(node: Node) -> Value:
    value = parse_value(node)
    if value is None or isinstance(value, list | dict):
        raise node.error(
            f"{kind(node.value)} is no item; an item is a string, a number, a boolean or an "
            "expression"
        )
    return value


def _concurrency(node: Node) -> int:
    if not 1 <= node.integer() <= MOST_AT_ONCE:
        raise node.error(f"{node.value} is out of bounds; MaxConcurrency is 1 to {MOST_AT_ONCE}")
    return node.integer()


def _selector(node: Node) -> Selector:
    problems = Problems()
    with problems.caught():
        node.only(("Pick", "Field"))
    with problems.caught():
        pick = node["Pick"]
        if pick.text() not in PICKS:
            raise pick.error(
                f"unknown pick {pick.value!r}{did_you_mean(pick.value, PICKS)}; "
                f"known are: {listed(PICKS)}"
            )
    with problems.caught():
        compared = _selector_field(node["Field"])
    problems.raise_any()
    return Selector(pick=pick.text(), field=compared)


def _selector_field(node: Node) -> IterationOutput:
    match parse_value(node):
        case IterationOutput() as output:
            return output
    raise node.error(
        "only an output of the body differs between iterations; "
        'write {"Get": "IterationOutput.<step>.<property>"}'
    )


def _body_step(node: Node) -> Step:
    step = parse_step(node)
    if not STEP_TYPES[step.type].iterated:
        allowed = [name for name, row in STEP_TYPES.items() if row.iterated]
        raise node["Type"].error(
            f"a {step.type} step cannot stand in ForEachBody; what can is: {listed(allowed)}"
        )
    return step


def _cleaned(node: Node) -> _Contents:
    problems = Problems()
    with problems.caught():
        node.only(("Resources",))
    with problems.caught():
        resources = node["Resources"]
        resources.only(("S3",))
        sources = problems.each(_not_empty(resources["S3"], "a source"), _cleaned_step)
    problems.raise_any()
    return _Contents(arguments=parse_members(node), cleans=sources)


def _cleaned_step(node: Node) -> Dependency:
    problems = Problems()
    with problems.caught():
        node.only(("StepName", "S3Uris"))
    with problems.caught():
        step = node["StepName"].text()
    with problems.caught():
        uris = node.get("S3Uris")
        if uris:
            problems.each(_not_empty(uris, "a URI"), parse_text)
    problems.raise_any()
    return Dependency(step=step, where=node["StepName"].path)


def _not_empty(node: Node, what: str) -> tuple[Node, ...]:
    if not node.items():
        raise node.error(f"an empty array; give {what} at least")
    return node.items()


def _dependency(node: Node) -> Dependency:
    if not isinstance(node.value, dict):
        return Dependency(step=node.text(), where=node.path)
    problems = Problems()
    with problems.caught():
        node.only(("Step", "Trigger"))
    with problems.caught():
        step = node["Step"].text()
    with problems.caught():
        trigger = node.read("Trigger", _trigger) or TRIGGERS[0]
    problems.raise_any()
    return Dependency(step=step, trigger=trigger, where=node.path)


def _trigger(node: Node) -> str:
    if node.text() not in TRIGGERS:
        raise node.error(
            f"unknown trigger {node.value!r}{did_you_mean(node.value, TRIGGERS)}; "
            f"known are: {listed(TRIGGERS)}"
        )
    return node.text()


def _output(node: Node) -> Output:
    problems = Problems()
    with problems.caught():
        node.only(("OutputName", "OutputType"))
    with problems.caught():
        name = node["OutputName"].text()
    with problems.caught():
        type_ = node["OutputType"]
        if type_.text() not in PARAMETER_TYPES:
            raise type_.error(
                f"unknown output type {type_.value!r}"
                f"{did_you_mean(type_.value, PARAMETER_TYPES)}; "
                f"known are: {listed(PARAMETER_TYPES)}"
            )
    problems.raise_any()
    return Output(name=name, type=type_.text(), where=node.path)


def _property_file(node: Node) -> PropertyFile:
    problems = Problems()
    with problems.caught():
        node.only(("PropertyFileName", "OutputName", "FilePath"))
    with problems.caught():
        name = node["PropertyFileName"].text()
    with problems.caught():
        output_name = node["OutputName"].text()
    with problems.caught():
        file_path = node["FilePath"].text()
    problems.raise_any()
    return PropertyFile(name=name, output_name=output_name, file_path=file_path, where=node.path)


# API, StepName.
LONGEST_STEP_NAME = 64

# SDK v3, mlops/workflow/for_each_step.py.
MOST_ITEMS = 100
MOST_AT_ONCE = 50
PICKS = ("MaxBy", "MinBy")

# SDK v3, mlops/workflow/step_dependency.py; a plain name means the first.
TRIGGERS = ("Completed", "Failed", "Stopped", "Any")

KEYS = {name: (*COMMON_KEYS, *row.keys, *sorted(row.lists)) for name, row in STEP_TYPES.items()}

CONTENTS: dict[str, Callable[[Node], _Contents]] = {
    "Condition": _branches,
    "Fail": _message,
    "ForEach": _iteration,
    "Cleanup": _cleaned,
}
