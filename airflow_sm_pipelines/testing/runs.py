"""What a test gets of a pipeline's run: how each step has ended, in SageMaker's words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.cli.background import tail


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a run.

    `status` is "Succeeded", "Failed", or "NotExecuted" where a branch was not taken or a step
    before it failed. `properties` are what other steps can refer to: of a job what Describe
    answers, of a condition its `Outcome`. `log` is the file with what its job has printed.
    """

    name: str
    type: str
    status: str
    failure_reason: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    job_name: str = ""
    log: Path | None = field(default=None, repr=False)

    @property
    def output_parameters(self) -> dict[str, Any]:
        """`OutputParameters` of a Lambda, Callback or the like, by name."""
        given = self.properties.get("OutputParameters") or {}
        if isinstance(given, Mapping):
            return dict(given)
        return {each["Name"]: each["Value"] for each in given}


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun:
    """A run that has ended: `status` is "Succeeded" or "Failed".

    `steps` has every step by its name, those inside conditions too. `requests` are the requests to
    SageMaker meanwhile, oldest first, as `GET /_local/requests` tells them.
    """

    name: str
    status: str
    steps: Mapping[str, StepRun] = field(repr=False)
    failures: tuple[str, ...]
    requests: tuple[Mapping[str, Any], ...] = field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether it went through; where not, `failures` says why, a line each."""
        return self.status == "Succeeded"

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each step, by its name."""
        return {name: step.status for name, step in self.steps.items()}

    @property
    def created(self) -> list[str]:
        """The Create requests that had an effect, in their order: `["CreateProcessingJob"]`."""
        return [
            request["Operation"]
            for request in self.requests
            if request["Effect"] and request["Operation"].startswith("Create")
        ]

    def report(self) -> str:
        """The run as text: each step, its status and job, and why it failed."""
        width = max(map(len, self.steps), default=0)
        lines = [f"{self.name}: {self.status}"]
        for step in self.steps.values():
            lines.append(f"  {step.name.ljust(width)}  {step.status:11}  {step.job_name}".rstrip())
            if step.failure_reason:
                lines.append(f"    {step.failure_reason}")
            if step.status == "Failed" and step.log:
                lines += [f"    {line}" for line in (f"{step.log}:", *tail(step.log))]
        return "\n".join(lines)


def told(
    answer: Mapping[str, Any],
    *,
    name: str,
    types: Mapping[str, str],
    jobs: Path,
    requests: tuple[Mapping[str, Any], ...],
) -> PipelineRun:
    """A run from what `runner.py` answers."""
    steps = {step: _step(step, types[step], each, jobs) for step, each in answer["Steps"].items()}
    return PipelineRun(
        name=name,
        status=STATUSES.get(answer["State"], "Failed"),
        steps=steps,
        failures=tuple(line for lines in answer["Failures"].values() for line in lines),
        requests=requests,
    )


def _step(name: str, type_: str, ended: Mapping[str, Any], jobs: Path) -> StepRun:
    log = jobs / ended["JobName"] / "log.txt" if ended["JobName"] else None
    return StepRun(
        name=name,
        type=type_,
        status=STATUSES.get(ended["State"], "NotExecuted"),
        failure_reason=ended["Reason"],
        properties=ended["Response"],
        job_name=ended["JobName"],
        log=log if log and log.exists() else None,
    )


# Airflow's states; any other one is that of a task that was not run.
STATUSES = {"success": "Succeeded", "failed": "Failed"}
