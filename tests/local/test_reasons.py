from pathlib import Path

import pytest

from airflow_sm_pipelines.local.reasons import algorithm_error, last_error, message, stated

CHAINED = """before
Traceback (most recent call last):
  File "a.py", line 1, in <module>
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "a.py", line 3, in <module>
    raise ValueError("bad")
ValueError: bad
cleaning up
"""


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (CHAINED, "ValueError: bad"),
        (
            '  File "a.py", line 1\n    x =\n      ^\nSyntaxError: invalid syntax\n',
            "SyntaxError: invalid syntax",
        ),
        ("one\n  two  \n\n", "two"),
        ("Traceback (most recent call last):\n  File x\n", "File x"),
        ("", "the command wrote no output"),
        ("no luck\n26/11/26 05:40:37 INFO SparkContext: Invoking stop()\n", "no luck"),
        ("26/11/26 05:40:37 ERROR Executor: lost\n", "26/11/26 05:40:37 ERROR Executor: lost"),
    ],
)
def test_the_last_error_of_a_log(tmp_path: Path, log: str, expected: str) -> None:
    (tmp_path / "log").write_text(log)
    assert last_error(tmp_path / "log") == expected


def test_of_a_large_log_the_end_is_read(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x" * 10_000_000 + "\nlast\n")
    assert last_error(tmp_path / "log") == "last"


def test_a_long_message_leaves_room_for_the_exit_code() -> None:
    reason = algorithm_error("x" * 5000, 137)
    assert len(reason) == 1024
    assert reason.endswith("x, exit code: 137")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("ClientError: no channel: train", "ClientError: no channel: train, exit code: 1"),
        ("InternalServerError: disk", "InternalServerError: disk, exit code: 1"),
        ("AlgorithmError: bad", "AlgorithmError: bad, exit code: 1"),
        ("ValueError: bad", "AlgorithmError: ValueError: bad, exit code: 1"),
    ],
)
def test_a_failure_file_may_name_the_kind_of_error(failure: str, expected: str) -> None:
    assert stated(failure, 1) == expected


def test_a_message_is_cut_between_characters(tmp_path: Path) -> None:
    (tmp_path / "message").write_text("aü" * 100)
    assert message(tmp_path / "message", 5) == "aüa"


def test_a_message_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert message(tmp_path / "message", 5) == ""
