"""The steps of EMR's clusters: what is told of one, and what is kept."""

import random
import string
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.emr.commands import Command
from airflow_sm_pipelines.local.reasons import last_error, lines

Fields = Mapping[str, Any]


class Step:
    """One step of a cluster."""

    def __init__(
        self, config: Fields, *, role: str | None, folder: Path, identifier: str = ""
    ) -> None:
        self.id = identifier or f"s-{code(13)}"
        self.config = config
        self.role = role
        self.folder = folder / self.id
        self.state = "PENDING"
        self.cancelled = ""
        """Why it is to end before it is done."""
        self.command = Command()
        self.reason: dict[str, str] = {}
        self.failure: dict[str, str] = {}
        self.times: dict[str, datetime] = {"CreationDateTime": now()}

    @property
    def active(self) -> bool:
        """Whether it has not ended."""
        return self.state in ACTIVE

    @property
    def log(self) -> Path:
        """What its process has printed."""
        return self.folder / "stdout"

    @property
    def on_failure(self) -> str:
        """What becomes of the cluster if it fails; EMR's default for a step without it."""
        return str(self.config.get("ActionOnFailure") or "TERMINATE_CLUSTER")

    def described(self) -> dict[str, Any]:
        """What DescribeStep answers."""
        jar = self.config["HadoopJarStep"]
        config = {
            "Jar": jar["Jar"],
            "Properties": {each["Key"]: each["Value"] for each in jar.get("Properties", ())},
            "Args": list(jar.get("Args", ())),
            **({"MainClass": jar["MainClass"]} if jar.get("MainClass") else {}),
        }
        return {
            "Id": self.id,
            "Name": self.config["Name"],
            "Config": config,
            "ActionOnFailure": self.on_failure,
            "Status": {
                "State": self.state,
                "StateChangeReason": self.reason,
                **({"FailureDetails": self.failure} if self.failure else {}),
                "Timeline": {key: moment.timestamp() for key, moment in self.times.items()},
            },
            **({"ExecutionRoleArn": self.role} if self.role else {}),
            **(self.config.get("StepMonitoringConfiguration") or {}).get(
                "S3MonitoringConfiguration", {}
            ),
        }

    def told(self, code: int) -> str:
        """What a step that has failed says of it: its exit code and its last lines.

        Before them the error that they do not have, as after a long trace of Java's.
        """
        told = lines(self.log)[-TAIL_LINES:] if self.log.exists() else []
        error = last_error(self.log) if told else ""
        reason = [] if error in told else [error]
        return "\n".join([f"Command exited with ret '{code}'", *reason, *told])

    def end(self, state: str, *, reason: str = "", failure: Fields | None = None) -> None:
        """Make it final."""
        self.times["EndDateTime"] = now()
        self.reason = {"Message": reason} if reason else {}
        self.failure = dict(failure or {})
        self.state = state

    def kept(self) -> dict[str, Any]:
        """The step as it is written to a file."""
        return {
            "Id": self.id,
            "Config": self.config,
            "Role": self.role,
            "State": self.state,
            "Reason": self.reason,
            "Failure": self.failure,
            "Times": self.times,
        }

    @classmethod
    def read(cls, value: Fields, folder: Path) -> "Step":
        """The step of a file; raises LookupError where it has none."""
        step = cls(value["Config"], role=value["Role"], folder=folder, identifier=value["Id"])
        step.state, step.times = value["State"], value["Times"]
        step.reason, step.failure = value["Reason"], value["Failure"]
        return step


def code(length: int) -> str:
    """A part of an id that nothing else has."""
    return "".join(random.choices(string.ascii_uppercase + string.digits, k=length))


ACTIVE = frozenset({"PENDING", "CANCEL_PENDING", "RUNNING"})
TAIL_LINES = 20
