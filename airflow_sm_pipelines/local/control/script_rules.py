"""How a script is written, as JSON: every rule, and all that breaks one at once.

A script's statuses and fields are those that SageMaker's Describe operation answers with, so
nothing here lists them. A new key of a script is a row of `SCRIPT_KEYS` or `MOMENT_KEYS`; a new
kind of resource to script is a row of `OPERATIONS`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from airflow_sm_pipelines.errors import did_you_mean
from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.control.keys import (
    SECONDS,
    Key,
    checked,
    is_count,
    is_number,
    key_problems,
    listed,
)
from airflow_sm_pipelines.local.control.script import MOVING, SETTLE_SECONDS, Moment, Script
from airflow_sm_pipelines.local.errors import ScriptError

_REASON_LENGTH = 1024


def parsed(documents: Iterable[object]) -> tuple[Script, ...]:
    """The scripts that the documents write; raises `ScriptError` with all problems."""
    valid = checked(documents, _script_problems, key="Scripts", error=ScriptError)
    return tuple(_script(document) for document in valid)


def _script(document: dict[str, Any]) -> Script:
    return Script(
        noun=document["Kind"],
        moments=tuple(_moment(document["Kind"], each) for each in document["Moments"]),
        document=document,
        name=document.get("Name", "*"),
        on=document.get("On", "Create"),
        times=document.get("Times"),
        stop_seconds=document.get("StopSeconds", SETTLE_SECONDS),
    )


def _moment(noun: str, document: dict[str, Any]) -> Moment:
    return Moment(
        status=document["Status"],
        seconds=document.get("Seconds", 0),
        reason=document.get("FailureReason", ""),
        fields=shapes.timed(f"Describe{noun}", document.get("Fields", {})),
    )


def _script_problems(document: object, where: str) -> Iterator[str]:
    problems = list(key_problems(document, SCRIPT_KEYS, where))
    if problems or not isinstance(document, dict):
        yield from problems
        return
    noun, moments = document["Kind"], document["Moments"]
    on = document.get("On", "Create")
    if on not in OPERATIONS[noun]:
        started = listed(OPERATIONS[noun])
        yield f"{where}.On: {on}{noun} starts no script; it would be {started}"
    for number, moment in enumerate(moments):
        inside = f"{where}.Moments[{number}]"
        broken = list(key_problems(moment, MOMENT_KEYS, inside))
        yield from broken or _moment_problems(noun, moment, inside)
        if not broken:
            check = _last_problems if moment is moments[-1] else _passing_problems
            yield from check(moment, inside)


def _moment_problems(noun: str, moment: dict[str, Any], where: str) -> Iterator[str]:
    """What the service would never answer."""
    operation, status = f"Describe{noun}", moment["Status"]
    statuses = shapes.allowed(operation, f"{noun}Status")
    if status not in statuses:
        known = did_you_mean(status, statuses) or f"; it would be {listed(statuses)}"
        yield f"{where}.Status: {status!r} is no status of {noun}{known}"
    fields = moment.get("Fields", {})
    for name in sorted(_told_otherwise(noun) & set(fields)):
        yield f"{where}.Fields.{name}: not a script's to say; leave it out"
    answers = (operation, *FURTHER_ANSWERS.get(noun, ()))
    for problem in shapes.answer_problems(answers, fields):
        yield f"{where}.Fields: {problem}"


def _passing_problems(moment: dict[str, Any], where: str) -> Iterator[str]:
    if moment["Status"] not in MOVING:
        yield f"{where}.Status: {moment['Status']!r} is final; it would be the last moment"
    if "Seconds" not in moment:
        yield f"{where}.Seconds: missing; it would be how long this moment lasts, such as 2"
    if "FailureReason" in moment:
        yield f"{where}.FailureReason: too early; it would be in the last moment"


def _last_problems(moment: dict[str, Any], where: str) -> Iterator[str]:
    if moment["Status"] in MOVING:
        yield f"{where}.Status: {moment['Status']!r} is not final; another moment would follow"
    if "Seconds" in moment:
        yield f"{where}.Seconds: the last moment stays; leave it out"


def _told_otherwise(noun: str) -> set[str]:
    """Members of a description that the local AWS or another key of the moment gives."""
    own = {f"{noun}Name", f"{noun}Arn", f"{noun}Status"}
    return own | {"CreationTime", "LastModifiedTime", "FailureReason"}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _REASON_LENGTH


# The operations that start a script, by the noun of what they are about.
OPERATIONS: dict[str, tuple[str, ...]] = {
    "ProcessingJob": ("Create",),
    "TrainingJob": ("Create",),
    "TransformJob": ("Create",),
    "HyperParameterTuningJob": ("Create",),
    "AutoMLJob": ("Create",),
    "Job": ("Create",),
    "ModelPackage": ("Create",),
    "Endpoint": ("Create", "Update"),
    "InferenceComponent": ("Create", "Update"),
}

# Other operations that answer from a description.
FURTHER_ANSWERS: dict[str, tuple[str, ...]] = {
    "HyperParameterTuningJob": ("ListTrainingJobsForHyperParameterTuningJob",),
}

SCRIPT_KEYS = {
    "Kind": Key(
        holds=lambda value: isinstance(value, str) and value in OPERATIONS,
        right=f"one of {listed(OPERATIONS)}",
        required=True,
    ),
    "Name": Key(holds=_is_text, right="a pattern of names such as 'pipelines-*'"),
    "On": Key(holds=lambda value: value in ("Create", "Update"), right="'Create' or 'Update'"),
    "Times": Key(holds=is_count, right="how many resources play it, 1 or more"),
    "StopSeconds": Key(holds=is_number, right=SECONDS),
    "Moments": Key(
        holds=lambda value: isinstance(value, list) and bool(value),
        right='a list such as [{"Status": "Failed", "FailureReason": "..."}]',
        required=True,
    ),
}

MOMENT_KEYS = {
    "Status": Key(holds=_is_text, right="a status of the kind", required=True),
    "Seconds": Key(holds=is_number, right=SECONDS),
    "FailureReason": Key(holds=_is_text, right=f"a text of 1 to {_REASON_LENGTH} characters"),
    "Fields": Key(
        holds=lambda value: isinstance(value, dict),
        right="an object with members of the description",
    ),
}
