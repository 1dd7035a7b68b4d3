"""The objective metric of a job while it runs, and the rule by which SageMaker stops it early.

Source of the rule: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, median

from airflow_sm_pipelines.local.tuning.definition import Objective


class Epochs:
    """The values of a metric that a log has so far; one is the end of an epoch."""

    def __init__(self, log: Path, pattern: re.Pattern[str]) -> None:
        self._log = log
        self._pattern = pattern
        self._place = 0
        self.values: list[float] = []

    def read(self) -> Sequence[float]:
        """Read on to the end of the log; all values, the oldest first."""
        with self._log.open("rb") as log:
            log.seek(self._place)
            # The last line may not be complete yet.
            whole, newline, _ = log.read().rpartition(b"\n")
        self._place += len(whole + newline)
        for line in whole.decode(errors="replace").splitlines():
            self.values += self._found(line)
        return self.values

    def _found(self, line: str) -> Iterable[float]:
        for match in self._pattern.finditer(line):
            try:
                yield float(match[1] if self._pattern.groups else match[0])
            except (TypeError, ValueError):
                continue


def falls_behind(
    values: Sequence[float], others: Sequence[Sequence[float]], objective: Objective
) -> bool:
    """Whether a job has, after any epoch, done worse than the median of those before it.

    What is compared is its value with the median of their running averages up to that epoch.
    """
    return any(
        objective.score(value) < objective.score(middle)
        for epoch, value in enumerate(values, 1)
        if (middle := _middle(others, epoch)) is not None
    )


def _middle(others: Iterable[Sequence[float]], epoch: int) -> float | None:
    averages = [fmean(each[:epoch]) for each in others if len(each) >= epoch]
    return median(averages) if averages else None
