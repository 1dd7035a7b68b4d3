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
    values: Sequence[float], others: Iterable[Sequence[float]], objective: Objective
) -> bool:
    """Whether a job does worse than the median of those before it, after as many epochs.

    What is compared is its last value with the median of their running averages.
    """
    epochs = len(values)
    averages = [fmean(each[:epochs]) for each in others if len(each) >= epochs]
    if not values or not averages:
        return False
    return objective.score(values[-1]) < objective.score(median(averages))
