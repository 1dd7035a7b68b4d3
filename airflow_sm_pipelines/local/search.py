"""Search: resources by what is told of them.

A filter names a property, `Parents.TrialName` one of each row of a list, `Tags.team` and
`Parameters.depth` one by its key. To make another kind of resource searchable: a row of
`RESOURCES`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from airflow_sm_pipelines.local import page_tokens, shapes
from airflow_sm_pipelines.local.errors import invalid

Fields = Mapping[str, Any]
Rows = Callable[[], Iterable[Fields]]

_RESULTS = 10
_RECORD = "SearchRecord"


def search(request: Fields, rows: Mapping[str, Rows], tags: Callable[[str], Fields]) -> Fields:
    """The answer of Search; `rows` has the descriptions by noun, `tags` those of an ARN."""
    resource = request["Resource"]
    if resource not in RESOURCES:
        raise invalid(
            f"Search for {resource} is not there in the local AWS; it is for {', '.join(RESOURCES)}"
        )
    noun = RESOURCES[resource]
    found = [_told(noun, row, tags) for row in rows[noun]()]
    expression = request.get("SearchExpression")
    if expression:
        found = [row for row in found if _holds(expression, row)]
    by = request.get("SortBy", "LastModifiedTime")
    descending = request.get("SortOrder", "Descending") == "Descending"
    found.sort(key=lambda row: _rank(row, by), reverse=descending)
    start = page_tokens.end(request)[0] if "NextToken" in request else 0
    end = start + request.get("MaxResults", _RESULTS)
    more = {"NextToken": page_tokens.token(request, (end, ""))} if len(found) > end else {}
    return {"Results": [{noun: _cut(noun, row)} for row in found[start:end]], **more}


def _told(noun: str, row: Fields, tags: Callable[[str], Fields]) -> Fields:
    """A description with what Search tells besides."""
    parents = [
        {"TrialName": trial, "ExperimentName": experiment}
        for trial, experiment in zip(
            row.get("Trials") or (), row.get("Experiments") or (), strict=False
        )
    ]
    return {
        **EMPTY.get(noun, {}),
        **row,
        **tags(row[f"{noun}Arn"]),
        **({"Parents": parents} if parents else {}),
    }


def _cut(noun: str, row: Fields) -> Fields:
    """What a result of the kind has of a description; a model's is inside of another."""
    record: Any = shapes.service().shape_for(_RECORD)
    members = record.members[noun].members
    if noun in members:
        return {noun: _cut_to(members[noun], row)}
    return {key: row[key] for key in members if row.get(key) is not None}


def _cut_to(shape: Any, row: Fields) -> Fields:
    return {key: row[key] for key in shape.members if row.get(key) is not None}


def _holds(expression: Fields, row: Fields) -> bool:
    """Whether an expression is true of a row."""
    parts = [
        *(_passes(each, _values(row, each["Name"])) for each in expression.get("Filters") or ()),
        *(_nested(each, row) for each in expression.get("NestedFilters") or ()),
        *(_holds(each, row) for each in expression.get("SubExpressions") or ()),
    ]
    return any(parts) if expression.get("Operator") == "Or" else all(parts)


def _nested(nested: Fields, row: Fields) -> bool:
    """Whether one element of a list has all of the properties."""
    name = nested["NestedPropertyName"]
    inside = len(name) + 1
    return any(
        all(_passes(each, _values(element, each["Name"][inside:])) for each in nested["Filters"])
        for element in _elements(row, name)
    )


def _elements(row: Fields, path: str) -> Iterator[Fields]:
    for value in _walk(row, path):
        yield from (each for each in _list(value) if isinstance(each, Mapping))


def _values(row: Fields, path: str) -> list[Any]:
    """The values at a path; more than one where there are lists on the way, none where nothing is.

    `Tags.key` is the value of the tag `key`, `Parameters.x` that of the parameter.
    """
    return [_plain(value) for each in _walk(row, path) for value in _list(each)]


def _walk(value: Any, path: str) -> Iterator[Any]:
    if not path:
        yield value
        return
    name, _, rest = path.partition(".")
    for element in _list(value):
        if not isinstance(element, Mapping):
            continue
        if path in element:  # a key with a dot in it
            yield element[path]
        elif name in element:
            yield from _walk(element[name], rest)
        elif element.get("Key") == path and "Value" in element:
            yield element["Value"]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    """A value as it is compared: a parameter's is inside of its type."""
    if isinstance(value, Mapping):
        return next((value[key] for key in ("NumberValue", "StringValue") if key in value), value)
    return value


def _passes(condition: Fields, values: list[Any]) -> bool:
    return OPERATORS[condition.get("Operator", "Equals")](values, condition.get("Value", ""))


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[list[Any], str], bool]:
    """A comparison that holds of any of the values, as numbers and times where they are."""

    def holds(values: list[Any], given: str) -> bool:
        return any(compare(*_alike(value, given)) for value in values)

    return holds


def _alike(value: Any, given: str) -> tuple[Any, Any]:
    """Two values that can be compared."""
    try:
        if isinstance(value, datetime):
            moment = datetime.fromisoformat(given)
            return value, moment if moment.tzinfo else moment.replace(tzinfo=value.tzinfo)
        return float(value), float(given)
    except (TypeError, ValueError):
        return str(value), given


def _rank(row: Fields, by: str) -> tuple[int, float, str]:
    """What rows are sorted by: those without a value first, numbers and times by size."""
    match next(iter(_values(row, by)), None):
        case None:
            return 0, 0.0, ""
        case datetime() as moment:
            return 1, moment.timestamp(), ""
        case int() | float() as number:
            return 1, float(number), ""
        case other:
            return 2, 0.0, str(other)


OPERATORS: dict[str, Callable[[list[Any], str], bool]] = {
    "Equals": _compared(lambda value, given: bool(value == given)),
    "NotEquals": lambda values, given: all(
        value != other for value, other in (_alike(each, given) for each in values)
    ),
    "GreaterThan": _compared(lambda value, given: bool(value > given)),
    "GreaterThanOrEqualTo": _compared(lambda value, given: bool(value >= given)),
    "LessThan": _compared(lambda value, given: bool(value < given)),
    "LessThanOrEqualTo": _compared(lambda value, given: bool(value <= given)),
    "Contains": lambda values, given: any(given in str(value) for value in values),
    "Exists": lambda values, given: bool(values),
    "NotExists": lambda values, given: not values,
    "In": lambda values, given: any(str(value) in given.split(",") for value in values),
}

# What a request calls it -> what a result does, which is the noun of its operations.
RESOURCES = {
    "TrainingJob": "TrainingJob",
    "HyperParameterTuningJob": "HyperParameterTuningJob",
    "Experiment": "Experiment",
    "ExperimentTrial": "Trial",
    "ExperimentTrialComponent": "TrialComponent",
    "Endpoint": "Endpoint",
    "Model": "Model",
    "ModelPackage": "ModelPackage",
    "ModelPackageGroup": "ModelPackageGroup",
}

# What is told where there is nothing of it: ExperimentAnalytics takes it for granted.
EMPTY: dict[str, Fields] = {
    "TrialComponent": {
        "Parameters": {},
        "InputArtifacts": {},
        "OutputArtifacts": {},
        "Metrics": [],
    },
}
