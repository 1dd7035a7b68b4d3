"""The values that Lambda and Callback steps answer with, in the types that the steps declare.

A function may return a number where a String is declared, and a callback's answer is text always:
values are converted (developer guide, "Lambda step"; how exactly is inferred). What is nested is
one string of JSON, and cannot be referred into.
"""

import json
import logging
import math
from collections.abc import Callable, Mapping

from airflow_sm_pipelines.definition import Step
from airflow_sm_pipelines.definition.node import Json, kind
from airflow_sm_pipelines.errors import ExpressionError

log = logging.getLogger(__name__)

OUTPUT_PARAMETERS = "OutputParameters"
"""The member of a step's properties that holds them: `Steps.<step>.OutputParameters['<name>']`."""


def typed(step: Step, answered: Mapping[str, Json]) -> dict[str, Json]:
    """Name -> value of each declared output; what was answered besides is left out.

    An output that is missing or null is left out with a warning: only a reference to it fails.
    An ExpressionError where a value is not of its type.
    """
    declared = {output.name: output.type for output in step.outputs or ()}
    missing = [name for name in declared if answered.get(name) is None]
    if missing:
        log.warning("step %s has not answered: %s", step.name, ", ".join(missing))
    return {
        name: _converted(answered[name], output_type, f"step {step.name!r}: output {name!r}")
        for name, output_type in declared.items()
        if name not in missing
    }


def _converted(value: Json, output_type: str, what: str) -> Json:
    try:
        return CONVERSIONS[output_type](value)
    except (TypeError, ValueError) as error:
        raise ExpressionError(
            f"{what} is declared as {output_type}, and the answer is {kind(value)}; "
            "answer with one, or declare it as String"
        ) from error


def _string(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _integer(value: Json) -> int:
    number = _float(value)
    if not number.is_integer():
        raise ValueError(value)
    try:
        return int(str(value))  # through a float, one beyond 2**53 would be another
    except ValueError:
        return int(number)  # such as 5.0


def _float(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(value)
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in BOOLEANS:
        return BOOLEANS[value.strip().lower()]
    raise ValueError(value)


BOOLEANS = {"true": True, "false": False}

CONVERSIONS: dict[str, Callable[[Json], Json]] = {
    "String": _string,
    "Integer": _integer,
    "Float": _float,
    "Boolean": _boolean,
}
