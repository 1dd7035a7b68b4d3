"""A fault: what goes wrong with requests that fit, instead of, before or after their answer.

`fault_rules.py` says how one is written, `faults.py` keeps those that are set, `disruption.py` lets
them happen. To add a kind: a row of `FAULTS`, and of `refusals.py` where it is an error of AWS.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from airflow_sm_pipelines.local.calls import SAGEMAKER, Call

Fields = Mapping[str, Any]


class Stage(Enum):
    """When in the life of a request a fault happens."""

    INSTEAD = "instead of the operation"
    CREATED = "when something has been created"
    LATE = "while the caller waits for the answer"
    AFTER = "instead of the answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to requests whose operation fits a pattern.

    `times` is how often it still happens, `probability` how likely it is each time; `seconds` is
    how long, for what takes time. `document` is the fault as it was written.
    """

    kind: str
    service: str
    operation: str
    document: Fields
    times: int | None = None
    probability: float = 1.0
    seconds: float = 0.0

    @property
    def stage(self) -> Stage:
        """When it happens."""
        return FAULTS[self.kind]

    def concerns(self, call: Call) -> bool:
        """Whether it is for such a request."""
        limited = self.kind != "ResourceLimit" or call.operation in LIMITED
        return (
            limited
            and fnmatchcase(call.service, self.service)
            and fnmatchcase(call.operation, self.operation)
        )


def split_operations(operations: str) -> tuple[str, str]:
    """The patterns of service and operation in `s3:Put*` or `Create*`."""
    service, colon, operation = operations.rpartition(":")
    return (service if colon else SAGEMAKER), operation


FAULTS: dict[str, Stage] = {
    "Throttling": Stage.INSTEAD,
    "TooManyRequests": Stage.INSTEAD,
    "InternalFailure": Stage.INSTEAD,
    "ServiceUnavailable": Stage.INSTEAD,
    "ExpiredToken": Stage.INSTEAD,
    "AccessDenied": Stage.INSTEAD,
    "ResourceLimit": Stage.INSTEAD,
    "ResetBefore": Stage.INSTEAD,
    "Unseen": Stage.CREATED,
    "Latency": Stage.LATE,
    "ResetAfter": Stage.AFTER,
}

# Kinds of fault that last, so that their documents have Seconds.
LASTING = frozenset({"Latency", "Unseen"})

# What is counted against an account's limit, by the operation that asks for instances; the name of
# the limit has the type of the instances, where the request has it.
LIMITED = {
    "CreateTrainingJob": "{type} for training job usage",
    "CreateProcessingJob": "{type} for processing job usage",
    "CreateTransformJob": "{type} for transform job usage",
    "CreateHyperParameterTuningJob": "{type} for training job usage",
    "CreateEndpoint": "Number of instances across active endpoints",
}
