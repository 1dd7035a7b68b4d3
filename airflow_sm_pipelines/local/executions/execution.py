"""One execution of a pipeline: what it was asked for, what Describe says, and its steps."""

import json
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.definition import Pipeline, load
from airflow_sm_pipelines.local import kept
from airflow_sm_pipelines.local.account import now
from airflow_sm_pipelines.local.executions.metadata import metadata
from airflow_sm_pipelines.local.executions.process import Event, Program
from airflow_sm_pipelines.local.executions.runner import ORDER, PIPELINE, WORK

Fields = Mapping[str, Any]
Find = Callable[["Execution", Fields], Fields]
"""What is known of a step beside what the program has told: its job, an answer to its callback."""

RECORD = "execution.json"
OUTPUTS = "outputs"
FINAL = frozenset({"Stopped", "Failed", "Succeeded"})
STATUS = "PipelineExecutionStatus"

# https://github.com/aws/sagemaker-python-sdk, tests/integ/sagemaker/workflow/test_workflow.py
STEP_FAILURE = "Step failure: One or multiple steps failed."

_EXPERIMENT = ("ExperimentName", "TrialName")
_LONGEST_REASON = 1024
_LONGEST_EXECUTION_REASON = 1300


class Execution:
    """An execution, written to its folder with each change.

    `request` is that of StartPipelineExecution, `parameters` are all values as text. `find` is
    asked what a step has made, when that is listed and when the step ends. `retries` are the tokens
    of RetryPipelineExecution.
    """

    def __init__(
        self,
        folder: Path,
        *,
        request: Fields,
        parameters: Mapping[str, str],
        fields: Fields,
        find: Find,
        steps: Mapping[str, Fields] | None = None,
        retries: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.retries = tuple(retries)
        self.request = request
        self.parameters = parameters
        self._find = find
        self._lock = threading.RLock()
        self._fields = fields
        self._steps: dict[str, Fields] = dict(steps or {})
        self._pipeline: Pipeline | None = None
        self._program: Program | None = None

    @property
    def arn(self) -> str:
        """Its ARN."""
        arn: str = self._fields["PipelineExecutionArn"]
        return arn

    @property
    def id(self) -> str:
        """The last part of its ARN, which its jobs have in their names."""
        return self.arn.rpartition("/")[2]

    @property
    def final(self) -> bool:
        """Whether it has ended."""
        return self._fields[STATUS] in FINAL

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop, and has not ended."""
        return bool(self._fields[STATUS] == "Stopping")

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline as it was at the start."""
        if self._pipeline is None:
            self._pipeline = load((self.folder / PIPELINE).read_bytes())
        return self._pipeline

    def describe(self) -> Fields:
        """What DescribePipelineExecution answers at this moment."""
        return self._fields

    def steps(self) -> list[Fields]:
        """The steps that have started, in the order in which they did."""
        with self._lock:
            return [self._found(step) for step in self._steps.values()]

    def update(self, **changes: Any) -> None:
        """Change its description."""
        with self._lock:
            self._fields = {**self._fields, **changes, "LastModifiedTime": now()}
            self.write()

    def tell(self, event: Event) -> None:
        """Note what the program says of a step."""
        with self._lock:
            name = str(event["Step"])
            before = self._steps.get(name) or self._begun(name, event)
            if before.get("StepStatus") == "Succeeded":  # it has, before a retry
                return
            step = {**before, "StepStatus": event["Status"], "AttemptCount": event["Attempt"]}
            if event["Status"] in FINAL:
                step |= self._ended(name, step, event)
                self._note(name, event)
            self._steps[name] = step
            self.write()

    def finish(self, status: str, reason: str = "") -> None:
        """Make it final; steps that have not ended share its end."""
        shutil.rmtree(self.folder / WORK, ignore_errors=True)
        with self._lock:
            for name, step in self._steps.items():
                if step["StepStatus"] not in FINAL:
                    ended = {"StepStatus": status, "EndTime": now()}
                    told = {"FailureReason": reason} if reason else {}
                    self._steps[name] = {**self._found(step), **ended, **told}
            failure = {"FailureReason": reason[:_LONGEST_EXECUTION_REASON]} if reason else {}
            self.update(**{STATUS: status}, **failure)
            self._pipeline = None  # it is not asked for any more

    def kept(self) -> dict[str, Fields]:
        """Step -> what it has handed on, of those that have succeeded but Condition steps."""
        with self._lock:
            succeeded = [
                name
                for name, step in self._steps.items()
                if step["StepStatus"] == "Succeeded" and "Condition" not in step["Metadata"]
            ]
        return {name: kept.read(self._output(name))["Response"] for name in succeeded}

    def begin_again(self, reuse: Fields, *, token: str, changes: Fields) -> None:
        """Be in progress again, with what is to be reused; steps that succeeded stay listed.

        `changes` are those of the pipeline, which Describe shows.
        """
        with self._lock:
            self.retries = (*self.retries, token)
            _change(self.folder / ORDER, reuse)
            _change(self.folder / PIPELINE, changes)
            steps = self._steps.items()
            self._steps = {name: each for name, each in steps if each["StepStatus"] == "Succeeded"}
            self.update(**{**changes, STATUS: "Executing", "FailureReason": None})

    def stop(self, *, grace_seconds: float) -> None:
        """Stop its jobs and then itself; without a program it has ended at once."""
        with self._lock:
            if not self.stopping:
                self.update(**{STATUS: "Stopping"})
            if self._program is not None:
                self._program.terminate(grace_seconds=grace_seconds)

    def run_by(self, program: Program | None, *, grace_seconds: float = 0) -> None:
        """Let `stop` and `kill` reach a program, also what was asked before."""
        with self._lock:
            self._program = program
            if self.stopping:
                self.stop(grace_seconds=grace_seconds)

    def kill(self) -> None:
        """End the program at once, which leaves the jobs."""
        with self._lock:
            if self._program is not None:
                self._program.kill()

    def forget(self) -> None:
        """Let the next server not know it; its folder stays."""
        (self.folder / RECORD).replace(self.folder / "deleted.json")

    def write(self) -> None:
        """Keep execution.json, for people to look at and for the next server."""
        record = {
            "Request": self.request,
            "Parameters": self.parameters,
            "Description": self._fields,
            "Retries": self.retries,
            "Steps": list(self._steps.values()),
        }
        kept.write(self.folder / RECORD, record)

    def _note(self, name: str, event: Event) -> None:
        """Keep what a step hands on, and the experiment that its job is in."""
        response = event.get("Response") or {}
        if event["Status"] == "Succeeded":
            self._output(name).parent.mkdir(exist_ok=True)
            kept.write(self._output(name), {"Response": response})
        if config := response.get("ExperimentConfig"):
            names = {key: config[key] for key in _EXPERIMENT if key in config}
            self._fields = {**self._fields, "PipelineExperimentConfig": names}

    def _output(self, name: str) -> Path:
        return self.folder / OUTPUTS / f"{name}.json"

    def _reused(self, name: str) -> dict[str, Any]:
        """Which execution a step was reused from, where only others were selected."""
        config = self._fields.get("SelectiveExecutionConfig") or {}
        selected = [each["StepName"] for each in config.get("SelectedSteps", ())]
        source = config.get("SourcePipelineExecutionArn")
        if not source or name in selected:
            return {}
        return {"SelectiveExecutionResult": {"SourcePipelineExecutionArn": source}}

    def _begun(self, name: str, event: Event) -> Fields:
        step = self.pipeline.step(name)
        shown = {"StepDisplayName": step.display_name, "StepDescription": step.description}
        return {
            "StepName": name,
            **{key: value for key, value in shown.items() if value},
            "StartTime": _time(event),
            "Metadata": {},
            **self._reused(name),
        }

    def _ended(self, name: str, step: Fields, event: Event) -> dict[str, Any]:
        """What a step gains at its end."""
        reason = str(event.get("Reason") or "")[:_LONGEST_REASON]
        told = metadata(self.pipeline.step(name), event.get("Response") or {}, reason=reason)
        made = told or self._found(step)["Metadata"]
        ended: dict[str, Any] = {"EndTime": _time(event), "Metadata": made}
        if reason:
            ended["FailureReason"] = reason
        if source := event.get("Source"):
            arn = f"{self.arn.rpartition('/')[0]}/{source}"
            ended["CacheHitResult"] = {"SourcePipelineExecutionArn": arn}
        return ended

    def _found(self, step: Fields) -> Fields:
        """A step with what is known of it beside what was told."""
        return step if "EndTime" in step else {**step, **self._find(self, step)}


def _change(file: Path, changes: Fields) -> None:
    """Replace members of a JSON file."""
    before = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**before, **changes}, indent=2), encoding="utf-8")


def _time(event: Event) -> datetime:
    """When an event happened, in the unit of SageMaker's answers."""
    moment = datetime.fromisoformat(event["Time"])
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def read(folder: Path, find: Find) -> Execution:
    """The execution of a folder, of an earlier server; raises KeptError, LookupError, TypeError."""
    record = kept.read(folder / RECORD)
    execution = Execution(
        folder,
        request=record["Request"],
        parameters=record["Parameters"],
        fields=record["Description"],
        find=find,
        retries=record["Retries"],
        steps={step["StepName"]: step for step in record["Steps"]},
    )
    created = execution.describe()["CreationTime"]
    if not isinstance(created, datetime):
        raise TypeError("CreationTime is no time")
    _ = execution.arn, execution.final
    return execution
