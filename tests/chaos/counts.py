"""What has happened at the endpoint: the resources of each step of each run, counted there.

Jobs are read from what the local AWS keeps on disk; models and package versions are listed.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .pipelines import RUN
from .world import Ended

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

TAG = "sm-pipelines:"
END_TIMES = frozenset({"ProcessingEndTime", "TrainingEndTime"})
IN_PROGRESS = frozenset({"InProgress", "Stopping", "Pending"})


@dataclass(frozen=True, slots=True, order=True)
class StepRun:
    """A step of a run."""

    dag: str
    run: str
    step: str

    def __str__(self) -> str:
        return f"{self.dag} {self.run} {self.step}"


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that a step run has made, its status, and for jobs when they were in progress."""

    step_run: StepRun
    name: str
    status: str
    began: datetime | None = None
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What is counted of the runs of one pipeline."""

    pipeline: str
    runs: int
    step_runs: int
    made: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    unfinished: tuple[str, ...]
    stopped: tuple[str, ...]
    crowded: tuple[str, ...]

    @property
    def broken(self) -> tuple[str, ...]:
        """What is not as it is required to be."""
        return (
            *self.doubled,
            *self.lost,
            *self.wrong,
            *self.unfinished,
            *self.stopped,
            *self.crowded,
        )


def count(
    rehearsed: Ended,
    *,
    ended: Iterable[Ended],
    made: Iterable[Made],
    at_once: int | None = None,
) -> Row:
    """The row of the pipeline whose run `rehearsed` was disturbed by nobody.

    `at_once` is how many of its jobs may be in progress at once; None for any number.
    """
    runs = list(ended)
    found: dict[StepRun, list[Made]] = defaultdict(list)
    for each in made:
        found[each.step_run].append(each)
    wanted = {where.step: len(some) for where, some in found.items() if where.run == rehearsed.run}
    mine = {where: some for where, some in found.items() if where.run != rehearsed.run}
    return Row(
        pipeline=rehearsed.dag,
        runs=len(runs),
        step_runs=len(runs) * len(wanted),
        made=sum(map(len, mine.values())),
        doubled=tuple(_doubled(mine, wanted)),
        lost=tuple(line for run in runs for line in _lost(run, mine, wanted)),
        wrong=tuple(line for run in runs for line in _wrong(run, rehearsed)),
        unfinished=tuple(_with_status(mine, IN_PROGRESS)),
        stopped=tuple(_with_status(mine, frozenset({"Stopped"}))),
        crowded=tuple(_crowded(mine, at_once)) if at_once else (),
    )


def table(rows: Iterable[Row]) -> str:
    """The rows as a table for people, with their sum."""
    rows = list(rows)
    columns: dict[str, Callable[[Row], int]] = {
        "runs": lambda row: row.runs,
        "step runs": lambda row: row.step_runs,
        "made": lambda row: row.made,
        "doubled": lambda row: len(row.doubled),
        "lost": lambda row: len(row.lost),
        "wrong state": lambda row: len(row.wrong),
        "in progress": lambda row: len(row.unfinished),
        "stopped": lambda row: len(row.stopped),
        "too many": lambda row: len(row.crowded),
    }
    lines = [["pipeline", *columns]]
    lines += [[row.pipeline, *(str(of(row)) for of in columns.values())] for row in rows]
    lines.append(["all", *(str(sum(map(of, rows))) for of in columns.values())])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def made(root: Path, client: "SageMakerClient") -> list[Made]:
    """Every resource that carries a step run's mark."""
    return [*jobs(root), *_models(client), *_packages(client)]


def jobs(root: Path) -> Iterator[Made]:
    """Every job that carries a step run's mark."""
    for path in sorted(root.glob("jobs/*/job.json")):
        record = json.loads(path.read_text())
        request, described = record["Request"], record["Description"]
        if where := _step_run(request.get("Tags") or ()):
            kind = record["Kind"]
            yield Made(
                where,
                request[f"{kind}Name"],
                described[f"{kind}Status"],
                began=datetime.fromisoformat(described["CreationTime"]),
                ended=_ended(described),
            )


def _doubled(made: Mapping[StepRun, list[Made]], wanted: Mapping[str, int]) -> Iterator[str]:
    for where, found in sorted(made.items()):
        if len(found) > wanted.get(where.step, 0):
            names = ", ".join(f"{each.name} ({each.status})" for each in found)
            yield f"{where}: {len(found)} for {wanted.get(where.step, 0)}: {names}"


def _lost(
    run: Ended, made: Mapping[StepRun, list[Made]], wanted: Mapping[str, int]
) -> Iterator[str]:
    """Steps that have succeeded without what they should have made."""
    for step in wanted:
        where = StepRun(run.dag, run.run, step)
        good = [each for each in made.get(where, ()) if each.status in {"Completed", ""}]
        if run.tasks.get(step) == "success" and not good:
            yield f"{where}: success without a resource"


def _wrong(run: Ended, rehearsed: Ended) -> Iterator[str]:
    if run.state != rehearsed.state:
        yield f"{run.dag} {run.run}: {run.state} and not {rehearsed.state}"
    for task, state in rehearsed.tasks.items():
        if run.tasks.get(task) != state:
            yield f"{run.dag} {run.run} {task}: {run.tasks.get(task)} and not {state}"


def _with_status(made: Mapping[StepRun, list[Made]], statuses: frozenset[str]) -> Iterator[str]:
    for where, found in sorted(made.items()):
        yield from (f"{where}: {one.name} {one.status}" for one in found if one.status in statuses)


def _crowded(made: Mapping[StepRun, list[Made]], at_once: int) -> Iterator[str]:
    """Runs that had more than `at_once` jobs in progress at some moment."""
    runs: dict[tuple[str, str], list[Made]] = defaultdict(list)
    for where, found in made.items():
        runs[where.dag, where.run] += found
    for (dag, run), found in sorted(runs.items()):
        for one in found:
            beside = [other.name for other in found if _overlap(one, other)]
            if len(beside) > at_once:
                yield f"{dag} {run}: {len(beside)} jobs at once: {', '.join(beside)}"


def _overlap(one: Made, other: Made) -> bool:
    """Whether `other` was in progress at the moment when `one` began."""
    if one.began is None or other.began is None:
        return False
    return other.began <= one.began and (other.ended is None or one.began < other.ended)


def _ended(described: Mapping[str, str]) -> datetime | None:
    """When a job ended: `ProcessingEndTime`, `TrainingEndTime`; None while it has not."""
    times = [value for key, value in described.items() if key in END_TIMES]
    return datetime.fromisoformat(times[0]) if times else None


def _models(client: "SageMakerClient") -> Iterator[Made]:
    for page in client.get_paginator("list_models").paginate():
        for model in page["Models"]:
            tags = client.list_tags(ResourceArn=model["ModelArn"])["Tags"]
            if where := _step_run(tags):
                yield Made(where, model["ModelName"], "")


def _packages(client: "SageMakerClient") -> Iterator[Made]:
    for page in client.get_paginator("list_model_packages").paginate(ModelPackageType="Versioned"):
        for package in page["ModelPackageSummaryList"]:
            arn = package["ModelPackageArn"]
            described = client.describe_model_package(ModelPackageName=arn)
            run = described["CustomerMetadataProperties"][RUN]
            where = StepRun(described["ModelPackageGroupName"], run, "ChainRegister")
            yield Made(where, arn.rpartition(":")[2], described["ModelPackageStatus"])


def _step_run(tags: Iterable[Any]) -> StepRun | None:
    values = {tag["Key"]: tag["Value"] for tag in tags}
    if f"{TAG}step" not in values:
        return None
    return StepRun(*(values[f"{TAG}{key}"] for key in ("dag", "run", "step")))
