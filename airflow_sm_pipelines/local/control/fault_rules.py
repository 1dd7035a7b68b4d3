"""How a fault is written, as JSON: every rule, and all that breaks one at once.

A new key of a fault is a row of `FAULT_KEYS`.
"""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from airflow_sm_pipelines.errors import did_you_mean
from airflow_sm_pipelines.local.calls import operations
from airflow_sm_pipelines.local.control.fault import (
    FAULTS,
    LASTING,
    LIMITED,
    Fault,
    split_operations,
)
from airflow_sm_pipelines.local.control.keys import (
    SECONDS,
    Key,
    checked,
    is_count,
    is_number,
    key_problems,
    listed,
)
from airflow_sm_pipelines.local.errors import FaultError


def parsed(documents: Iterable[object]) -> tuple[Fault, ...]:
    """The faults that the documents write; raises `FaultError` with all problems."""
    valid = checked(documents, _problems, key="Faults", error=FaultError)
    return tuple(_fault(document) for document in valid)


def _fault(document: dict[str, Any]) -> Fault:
    service, operation = split_operations(document.get("Operations", "*"))
    return Fault(
        kind=document["Kind"],
        service=service,
        operation=operation,
        document=document,
        times=document.get("Times"),
        probability=document.get("Probability", 1.0),
        seconds=document.get("Seconds", 0.0),
    )


def _problems(document: object, where: str) -> Iterator[str]:
    problems = list(key_problems(document, FAULT_KEYS, where))
    if problems or not isinstance(document, dict):
        yield from problems
        return
    kind = document["Kind"]
    if kind in LASTING and "Seconds" not in document:
        yield f"{where}.Seconds: missing; it would be how long {kind} lasts, such as 2"
    if kind not in LASTING and "Seconds" in document:
        yield f"{where}.Seconds: {kind} takes no time; leave it out"
    yield from _pattern_problems(kind, document.get("Operations", "*"), f"{where}.Operations")


def _pattern_problems(kind: str, pattern: str, where: str) -> Iterator[str]:
    """What no request would ever fit."""
    service, operation = split_operations(pattern)
    if re.search(r"[*?[]", service):
        return
    known = operations(service)
    if known is None:
        yield f"{where}: {service!r} is no service of AWS; it would be as in IAM, such as 's3:*'"
        return
    fitting = [name for name in known if fnmatchcase(name, operation)]
    if not fitting:
        near = did_you_mean(operation, known) or "; it would be such as 'Create*'"
        yield f"{where}: {service} has no operation {operation!r}{near}"
    elif kind in ONLY and not set(fitting) & set(ONLY[kind]):
        yield f"{where}: {kind} never happens to {operation!r}; it would be {listed(ONLY[kind])}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


# Operations that a kind of fault happens to, where these are not all.
ONLY = {"ResourceLimit": tuple(LIMITED)}

FAULT_KEYS = {
    "Kind": Key(
        holds=lambda value: isinstance(value, str) and value in FAULTS,
        right=f"one of {listed(FAULTS)}",
        required=True,
        known=FAULTS,
    ),
    "Operations": Key(
        holds=_is_text, right="an operation or a pattern such as 'Create*' or 's3:Put*'"
    ),
    "Times": Key(holds=is_count, right="how often it happens, 1 or more"),
    "Probability": Key(
        holds=lambda value: is_number(value, most=1), right="how likely it is, a number from 0 to 1"
    ),
    "Seconds": Key(holds=is_number, right=SECONDS),
}
