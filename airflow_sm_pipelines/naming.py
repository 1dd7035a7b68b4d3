"""Every name that leaves the process: execution ids, job names, client tokens, task ids.

Names are computed, never drawn: whoever asks again for the same step of the same run gets the same
name, so that a job can be found again by it.
"""

import hashlib
import json
import re
from dataclasses import dataclass

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.members import member

END_TASK = "pipeline.end"
"""Task id of the last task; no step has it, since step names have no dot."""


def execution_id(*, deployment: str, dag_id: str, run_id: str) -> str:
    """12 characters `[a-z0-9]`, as SageMaker's own execution ids have."""
    return _digest([deployment, dag_id, run_id], EXECUTION_ID_LENGTH)


def cache_key(
    *, pipeline: str, step: str, arguments: dict[str, Json], attributes: tuple[str, ...]
) -> str:
    """10 characters that are the same for a step of a pipeline as long as `attributes` are.

    `attributes` are paths in `arguments`; none means that all of `arguments` counts.
    """
    chosen = {path: member(arguments, path) for path in attributes} if attributes else arguments
    return _digest([pipeline, step, chosen], KEY_LENGTH)


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which of the jobs of a step in a run is meant.

    `epoch` is the task instance's `max_tries`: every clear makes it another, a retry leaves it as
    it is. `number` counts within it from 1. So a clear never meets the name of a job from before,
    also where nothing remembers that there was one.
    """

    epoch: int
    number: int = 1

    def __str__(self) -> str:
        return f"{self.epoch}-{self.number}"


def job_name(
    job: Job,
    *,
    execution_id: str,
    step: str,
    key: str,
    attempt: Attempt,
    prefix: str | None = None,
) -> str:
    """The name of a step's job, as the service writes them.

    `pipelines-<execution id>-<step, 20>-<key>-<attempt>`; where Arguments carry a name, which is a
    prefix, `<prefix>-<execution id>-<key>-<attempt>`; `<execution id>-<step, 6>-<key>-<attempt>`
    where the service allows 32 characters only. Step and prefix give way where that is too long.
    """
    if job.longest_name < SHORT_NAMES:
        start, middle, ending = execution_id, step[:6], f"{key}-{attempt}"
    elif prefix := _clean(prefix or ""):
        start, middle, ending = "", prefix, f"{execution_id}-{key}-{attempt}"
    else:
        start, middle, ending = f"pipelines-{execution_id}", step[:20], f"{key}-{attempt}"
    room = job.longest_name - len(f"{start}--{ending}")
    return _clean("-".join(filter(None, (start, middle[: max(0, room)], ending))))


def execution_of(name: str) -> str:
    """The execution id in the name of a step's job, which is before its key; "" if there is none.

    `<...>-<execution id>-<step, or nothing>-<key>-<attempt>`; an attempt has a hyphen inside.
    """
    found = _EXECUTION.match(name)
    return found[1] or found[2] if found else ""


def client_token(*, execution_id: str, key: str, attempt: Attempt) -> str:
    """What makes a second create of the same attempt the same resource; at most 36 characters."""
    return f"{execution_id}-{key}-{attempt}"


def branch_group(condition: str, *, outcome: bool, taken: set[str]) -> str:
    """A task group's id for a branch, unlike the step names and group ids in `taken`."""
    name = f"{condition}-{'if' if outcome else 'else'}"
    while name in taken:
        name += "_"
    return name


def _clean(name: str) -> str:
    """`name` with what no AWS resource name may hold replaced by `-`."""
    return _ILLEGAL.sub("-", name).strip("-")


def _digest(value: Json, length: int) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest())
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(digits)


EXECUTION_ID_LENGTH = 12
KEY_LENGTH = 10
SHORT_NAMES = 63

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ILLEGAL = re.compile(r"[^A-Za-z0-9-]")
_EXECUTION = re.compile(
    rf"pipelines-([a-z0-9]{{{EXECUTION_ID_LENGTH}}})-"
    rf"|.*-([a-z0-9]{{{EXECUTION_ID_LENGTH}}})-[a-z0-9]{{{KEY_LENGTH}}}-\d+-\d+$"
)
