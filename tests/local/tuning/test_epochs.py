"""The objective after each epoch, and the rule of the median."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.tuning.definition import Objective
from airflow_sm_pipelines.local.tuning.epochs import Epochs, falls_behind

BEFORE = ([1.0, 3.0], [2.0, 4.0], [9.0, 11.0])  # running averages at the second epoch: 2, 3, 10


@pytest.mark.parametrize(
    ("values", "kind", "behind"),
    [
        ([1.0, 3.5], "Minimize", True),
        ([1.0, 3.0], "Minimize", False),
        ([2.0, 2.5], "Minimize", False),
        ([9.0, 2.5], "Maximize", True),
        ([9.0, 3.0], "Maximize", False),
        ([2.5], "Minimize", True),  # averages of the first epoch: 1, 2, 9
        ([2.5, 1.0], "Minimize", True),  # behind after the first epoch
        ([], "Minimize", False),
        ([1.0, 1.0, 99.0], "Minimize", False),  # none before it came so far
    ],
)
def test_a_job_falls_behind_that_does_worse_than_the_median_of_those_before(
    values: Sequence[float], kind: str, behind: bool
) -> None:
    assert falls_behind(values, BEFORE, Objective(metric="loss", kind=kind)) is behind


def test_the_first_job_never_falls_behind() -> None:
    assert not falls_behind([5.0], [], Objective(metric="loss", kind="Minimize"))


def test_values_are_read_as_the_log_grows_and_a_line_is_read_when_it_is_whole(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.txt"
    log.write_text("begin\nloss=3;\nloss=")
    epochs = Epochs(log, re.compile("loss=(.*?);"))
    assert epochs.read() == [3.0]
    with log.open("a") as more:
        more.write("2; loss=1.5;\nloss=nothing;\n")
    assert epochs.read() == [3.0, 2.0, 1.5]
    assert epochs.read() == [3.0, 2.0, 1.5]
