"""Which steps of an execution hand on what they have handed on in an execution before.

A Condition step is always evaluated: it costs nothing, and its branches hang on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.definition.graph import downstream, upstream
from airflow_sm_pipelines.local.errors import AwsError, invalid
from airflow_sm_pipelines.local.executions.execution import FINAL, STATUS, Execution

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reuse:
    """Step -> what it has handed on; the steps that are not to run; the how manieth try it is."""

    kept: Mapping[str, Fields] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()
    times: int = 0

    def order(self) -> dict[str, Any]:
        """As a program gets it."""
        return {"Kept": self.kept, "Skipped": self.skipped, "Times": self.times}


def of_retry(execution: Execution, *, times: int) -> Reuse:
    """What is reused when an execution is tried again: all that has succeeded."""
    if execution.describe()[STATUS] not in ("Failed", "Stopped"):
        # The code is one of the operation's; the wording is inferred.
        raise AwsError(
            "ConflictException",
            f"{execution.arn} is {execution.describe()[STATUS]}; only one that is Failed or "
            "Stopped can be retried.",
        )
    pipeline, steps = execution.pipeline, execution.steps()
    # The developer guide excludes what a Fail step has ended.
    if any(pipeline.step(step["StepName"]).type == "Fail" for step in steps):
        raise invalid(f"{execution.arn} has ended by a Fail step; it cannot be retried.")
    return Reuse(kept=execution.kept(), times=times)


def of_selection(pipeline: Pipeline, config: Fields, source: Execution | None) -> Reuse:
    """What is reused where only some steps are selected; raises where they are not to be had."""
    selected = {each["StepName"] for each in config["SelectedSteps"]}
    waits = upstream(pipeline)
    if unknown := sorted(selected - waits.keys()):
        raise invalid(f"SelectedSteps: the pipeline has no step {', '.join(unknown)}.")
    before = _reached(selected, waits) - selected
    if between := sorted(before & _reached(selected, downstream(waits))):
        raise invalid(
            f"SelectedSteps: {', '.join(between)} lies between selected steps; select it, too."
        )
    needed = {name for name in before if pipeline.step(name).branches is None}
    if needed and source is None:
        # https://github.com/aws/sagemaker-python-sdk/issues/4444
        raise invalid(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps {sorted(selected)} have "
            f"dependencies on {sorted(needed)}"
        )
    kept = _kept(source, needed) if source else {}
    return Reuse(kept=kept, skipped=tuple(sorted(waits.keys() - selected - before)))


def _kept(source: Execution, needed: Iterable[str]) -> Mapping[str, Fields]:
    if source.describe()[STATUS] not in FINAL:
        raise invalid(f"Invalid SourcePipelineExecutionArn: {source.arn} is in progress.")
    kept = source.kept()
    if missing := sorted(set(needed) - kept.keys()):
        raise invalid(
            f"Invalid SourcePipelineExecutionArn: {source.arn} has no outputs of "
            f"{', '.join(missing)}."
        )
    return {name: kept[name] for name in needed}


def _reached(names: Iterable[str], edges: Mapping[str, set[str]]) -> set[str]:
    """All names that edges lead to from some."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        fresh = edges[todo.pop()] - found
        found |= fresh
        todo += fresh
    return found
