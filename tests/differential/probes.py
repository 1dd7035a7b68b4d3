"""Both sides of one operation on given operands: what a row of `differences` is held against."""

import json
from collections.abc import Callable
from typing import Any

from airflow_sm_pipelines.definition.node import Json
from tests.differential import ours, sdk
from tests.differential.differences import Operands
from tests.differential.ours import Run
from tests.differential.outcomes import Outcome, value

Sides = tuple[Outcome, Outcome]
"""What local mode makes of it, and what we make of it."""


def probe(operation: str, operands: Operands) -> Sides:
    """Both sides of an operation, see `PROBES`."""
    return PROBES[operation](*operands)


def _evaluated(tree: object, run: Run) -> Sides:
    return sdk.evaluate(tree, run), ours.evaluate(sdk.written(tree), run)


def _decided(conditions: list[Any], run: Run) -> Sides:
    return sdk.decide(conditions, run), ours.decide(sdk.requests(conditions), run)


def _run(**keywords: Any) -> Run:
    return Run(parameters=PARAMETERS, **keywords)


def _join(element: Json) -> Sides:
    (operand,), run = _operands(element)
    return _evaluated(sdk.Join(values=[operand]), run)


def _variable(name: str) -> Sides:
    return _evaluated(sdk.ExecutionVariable(name), _run())


def _property(document: Json, path: str | None) -> Sides:
    reference = sdk.Properties(sdk.PREPARE.name, path=path)
    return _evaluated(reference, _run(results={sdk.PREPARE.name: document}))


def _json_get(document: Json, path: str) -> Sides:
    uri = "s3://bucket/probe.json"
    get = sdk.JsonGet(s3_uri=sdk.Join(values=[uri]), json_path=path)
    return _evaluated(get, _run(objects={uri: json.dumps(document)}))


def _compare(type_: str, left: Json, right: Json) -> Sides:
    operands, run = _operands(left, right)
    return _decided([sdk.COMPARISONS[type_](*operands)], run)


def _in(query: Json, element: Json) -> Sides:
    (left, right), run = _operands(query, element)
    return _decided([sdk.ConditionIn(left, [right])], run)


def _decide(conditions: str) -> Sides:
    return _decided(CONDITIONS[conditions], _run())


def _parameter(type_: str, default: Json, enum: list[str] | None, given: Operands) -> Sides:
    declared = [sdk.parameter("P", type_, default, enum)]
    values = {"P": given[0]} if given else {}
    requests = [each.to_request() for each in declared]
    return _only(sdk.start(declared, values)), _only(ours.start(requests, values))


def _only(started: Outcome) -> Outcome:
    match started.text and started.value:
        case {"P": bound}:
            return value(bound)
    return started


def _operands(*values: Json) -> tuple[list[Any], Run]:
    """What stands for the values in an expression; objects and arrays come from a property."""
    names = ("ModelArtifacts", "HyperParameters")
    result = dict(zip(names, values, strict=False))
    operands = [
        sdk.Properties(sdk.TRAIN.name, path=name) if isinstance(each, dict | list) else each
        for name, each in zip(names, values, strict=False)
    ]
    return operands, _run(results={sdk.TRAIN.name: result})


PARAMETERS: dict[str, Json] = {"Text": "a", "Folder": "b", "Count": 1, "Rate": 0.5, "Flag": True}

CONDITIONS: dict[str, list[Any]] = {
    "null": [sdk.COMPARISONS["Equals"](None, None), sdk.ConditionIn(None, [None])],
}

PROBES: dict[str, Callable[..., Sides]] = {
    "join": _join,
    "variable": _variable,
    "property": _property,
    "json_get": _json_get,
    "compare": _compare,
    "in": _in,
    "decide": _decide,
    "parameter": _parameter,
}
