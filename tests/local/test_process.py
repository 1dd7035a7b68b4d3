import signal
import sys
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.process import Process

from .calls import until


def start(folder: Path, *argv: str) -> Process:
    return Process(argv, environment={"A": "b"}, folder=folder, log=folder / "log")


@pytest.mark.parametrize("code", [0, 3])
def test_wait_returns_the_exit_code(tmp_path: Path, code: int) -> None:
    assert start(tmp_path, "/bin/sh", "-c", f"exit {code}").wait() == code


def test_a_signal_counts_as_128_more(tmp_path: Path) -> None:
    assert start(tmp_path, "/bin/sh", "-c", "kill -9 $$").wait() == 128 + signal.SIGKILL


def test_the_environment_is_the_given_one_alone(tmp_path: Path) -> None:
    start(tmp_path, "/usr/bin/env").wait()
    assert (tmp_path / "log").read_text() == "A=b\n"


def test_output_and_errors_are_added_to_the_log_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    start(tmp_path, "/bin/sh", "-c", "echo one; echo two >&2; echo three").wait()
    assert (tmp_path / "log").read_text() == "before\none\ntwo\nthree\n"


def test_what_the_command_leaves_running_is_killed_when_it_ends(tmp_path: Path) -> None:
    start(tmp_path, "/bin/sh", "-c", "sleep 600 & echo $!").wait()
    child = int((tmp_path / "log").read_text())
    until(lambda: alive(child), lambda running: not running)


def test_terminate_lets_the_command_end_by_itself(tmp_path: Path) -> None:
    process = start(tmp_path, sys.executable, "-c", POLITE)
    until((tmp_path / "log").read_text, lambda log: "ready" in log)
    process.terminate(grace_seconds=60)
    assert process.wait() == 7


def test_terminate_kills_what_ignores_it(tmp_path: Path) -> None:
    process = start(
        tmp_path, "/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"
    )
    until((tmp_path / "log").read_text, lambda log: "ready" in log)
    process.terminate(grace_seconds=0.05)
    assert process.wait() == 128 + signal.SIGKILL


def test_of_two_graces_the_shorter_holds(tmp_path: Path) -> None:
    process = start(
        tmp_path, "/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"
    )
    until((tmp_path / "log").read_text, lambda log: "ready" in log)
    for grace_seconds in (600, 0.05, 600):
        process.terminate(grace_seconds=grace_seconds)
    assert process.wait() == 128 + signal.SIGKILL


def test_terminate_after_the_end_signals_nobody(tmp_path: Path) -> None:
    process = start(tmp_path, "/bin/true")
    process.wait()
    process.terminate(grace_seconds=0)


def alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and not yet reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(600)
"""
