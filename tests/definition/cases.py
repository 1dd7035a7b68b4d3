"""What several tests of the language need: the fixtures, a definition in few words, a scope."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.definition.model import Pipeline
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.errors import DefinitionError, ExpressionError

PIPELINES = Path(__file__).parents[1] / "pipelines"

# Real definitions are too many to ship: a folder beside the checkout, or wherever it is said to be.
DEFINITIONS = Path(
    os.environ.get("SM_PIPELINES_DEFINITIONS", Path(__file__).parents[3] / "shared" / "definitions")
)


def fixture(name: str) -> Pipeline:
    return load((PIPELINES / f"{name}.json").read_bytes())


def definition(*steps: Json, **keys: Json) -> dict[str, Json]:
    return {"Version": "2020-12-01", "Steps": list(steps), **keys}


def training(name: str = "Train", arguments: Json = None, **keys: Json) -> dict[str, Json]:
    return {"Name": name, "Type": "Training", "Arguments": arguments or {}, **keys}


def step(type_: str, name: str, arguments: Json = None, **keys: Json) -> dict[str, Json]:
    return {"Name": name, "Type": type_, "Arguments": arguments or {}, **keys}


def lambda_(name: str, arguments: Json = None, **keys: Json) -> dict[str, Json]:
    return step("Lambda", name, arguments, **{"FunctionArn": "arn:aws:lambda:::f", **keys})


def processing(name: str, *outputs: Json, **keys: Json) -> dict[str, Json]:
    arguments: Json = {"ProcessingOutputConfig": {"Outputs": list(outputs)}}
    return step("Processing", name, arguments, **keys)


def condition(
    name: str, *if_steps: Json, else_steps: Sequence[Json] = (), operand: Json = 1, **keys: Json
) -> dict[str, Json]:
    comparison: Json = {"Type": "Equals", "LeftValue": operand, "RightValue": 1}
    arguments: Json = {
        "Conditions": [comparison],
        "IfSteps": list(if_steps),
        "ElseSteps": list(else_steps),
    }
    return step("Condition", name, arguments, **keys)


def for_each(name: str, *body: Json, items: Json = None, **arguments: Json) -> dict[str, Json]:
    each: dict[str, Json] = {
        "IterableItems": items or ["a"],
        "MaxConcurrency": 2,
        "ForEachBody": list(body),
        **arguments,
    }
    return step("ForEach", name, each)


def cleanup(name: str, *sources: Json, **keys: Json) -> dict[str, Json]:
    return step("Cleanup", name, {"Resources": {"S3": list(sources)}}, **keys)


def get(path: str) -> dict[str, Json]:
    return {"Get": path}


def loaded(value: Json) -> Pipeline:
    return load(json.dumps(value))


def problems_of(value: Json) -> list[str]:
    """Every problem of a definition, as a user reads it; empty where it is loaded."""
    try:
        loaded(value)
    except DefinitionError as error:
        return str(error).splitlines()
    return []


@dataclass
class DictScope:
    """A Scope over dictionaries."""

    parameters: Mapping[str, Json] = field(default_factory=dict)
    experiments: Mapping[str, Json] = field(default_factory=dict)
    results: Mapping[str, Json] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    item: Json = None
    iterations: Mapping[str, Json] = field(default_factory=dict)

    def parameter(self, name: str) -> Json:
        return self.parameters[name]

    def execution(self, variable: str) -> str:
        return f"<{variable}>"

    def experiment(self, name: str) -> Json:
        if name not in self.experiments:
            raise ExpressionError(f"no {name}")
        return self.experiments[name]

    def properties(self, step: str) -> Json:
        return _handed_on(step, self.results)

    def property_file(self, step: str, name: str) -> str:
        return f"s3://bucket/{step}/{name}"

    def json_get(self, uri: str, path: str) -> Json:
        if uri not in self.documents:
            raise ExpressionError(f"no object {uri}")
        return self.documents[uri][path]

    def current_item(self) -> Json:
        if self.item is None:
            raise ExpressionError("no iteration")
        return self.item

    def iteration(self, step: str) -> Json:
        return _handed_on(step, self.iterations)


def _handed_on(step: str, results: Mapping[str, Json]) -> Json:
    if step not in results:
        raise ExpressionError(f"step {step!r} has handed on nothing")
    return results[step]
