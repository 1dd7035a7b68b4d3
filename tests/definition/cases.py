"""What several tests of the language need: the fixtures, a definition in few words, a scope."""

import json
import os
from collections.abc import Mapping
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
    results: Mapping[str, Json] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)

    def parameter(self, name: str) -> Json:
        return self.parameters[name]

    def execution(self, variable: str) -> str:
        return f"<{variable}>"

    def properties(self, step: str) -> Json:
        return self.results[step]

    def property_file(self, step: str, name: str) -> str:
        return f"s3://bucket/{step}/{name}"

    def json_get(self, uri: str, path: str) -> Json:
        if uri not in self.documents:
            raise ExpressionError(f"no object {uri}")
        return self.documents[uri][path]
