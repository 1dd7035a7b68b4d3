"""Ctrl-C: the jobs are stopped, the main thread starts nothing more, the process ends."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, sys, time
from airflow_sm_pipelines.cli.interruption import Interruption

def stop():
    print("stopped", interruption.held, flush=True)

with Interruption(stop) as interruption:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as Airflow does when a task starts
    interruption.hold()
    try:
        os.kill(os.getpid(), {number})
        time.sleep({wait})
        print("went on", flush=True)
    except BaseException:
        print("raised", flush=True)
    interruption.hold()
    print("not held", flush=True)
"""


def run(number: signal.Signals, *, wait: float) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(number=int(number), wait=wait)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_stops_the_jobs_and_ends_the_process(number: signal.Signals, code: int) -> None:
    done = run(number, wait=30)
    assert (done.returncode, done.stdout, done.stderr) == (code, "stopped False\n", "")


def test_without_a_signal_the_process_goes_on() -> None:
    done = run(signal.SIGCHLD, wait=0)
    assert (done.returncode, done.stdout) == (0, "went on\nnot held\n")
