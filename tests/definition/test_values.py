import json

import pytest

from airflow_sm_pipelines.definition.expressions import Join, JsonGet, parse_value
from airflow_sm_pipelines.definition.node import Json, Node
from airflow_sm_pipelines.definition.references import (
    CurrentItem,
    ExecutionVariable,
    ExperimentReference,
    IterationOutput,
    ParameterReference,
    PropertyFileReference,
    PropertyReference,
)
from airflow_sm_pipelines.definition.values import expressions, resolve, to_json
from tests.definition.cases import DictScope, get

ALL: dict[str, Json] = {
    "a": [get("Parameters.A"), 1, None, "x"],
    "b": {
        "Std:Join": {"On": "", "Values": [get("Execution.PipelineName"), get("Steps.S.x[0]['k']")]}
    },
    "c": {"Std:JsonGet": {"PropertyFile": get("Steps.S.PropertyFiles.F"), "Path": "p"}},
    "d": [[get("PipelineExperimentConfig.TrialName")], {"e": get("ForEach.CurrentItem['k'].l")}],
    "f": get("IterationOutput.S.x"),
}
"""A value with an expression of every class."""


@pytest.mark.parametrize(
    "value", [None, True, 3, 0.5, "x", [], {}, {"a": [1, {"b": None}]}, {"Get": 1, "Other": 2}]
)
def test_plain_json_is_its_own_value_and_holds_no_expression(value: Json) -> None:
    parsed = parse_value(Node(value))
    assert json.dumps(resolve(parsed, DictScope())) == json.dumps(value)
    assert json.dumps(to_json(parsed)) == json.dumps(value)
    assert expressions(parsed) == []


def test_expressions_are_resolved_wherever_they_stand() -> None:
    value = parse_value(Node({"in": [{"deep": get("Parameters.X")}], "beside": 1}))
    assert resolve(value, DictScope(parameters={"X": 3})) == {"in": [{"deep": 3}], "beside": 1}


def test_expressions_are_found_outer_ones_before_those_inside() -> None:
    assert [type(expression) for expression in expressions(parse_value(Node(ALL)))] == [
        ParameterReference,
        Join,
        ExecutionVariable,
        PropertyReference,
        JsonGet,
        PropertyFileReference,
        ExperimentReference,
        CurrentItem,
        IterationOutput,
    ]


def test_value_is_written_as_it_was_read() -> None:
    assert to_json(parse_value(Node(ALL))) == ALL
