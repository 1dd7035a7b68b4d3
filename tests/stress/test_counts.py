"""What is counted of a process is what it really holds."""

import os
import subprocess
import sys
import threading
from dataclasses import fields
from pathlib import Path

import pytest

from .counts import Counts, counted, resident_kib

MARK = "http://127.0.0.1:9/of-this-test"
ORPHAN = """
import subprocess
subprocess.Popen(["sleep", "60"])
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def differences(one: Counts, other: Counts) -> set[str]:
    """The names of the counts that differ."""
    names = [field.name for field in fields(Counts)]
    return {name for name in names if getattr(one, name) != getattr(other, name)}


def test_a_descriptor_a_thread_and_a_file_are_seen(tmp_path: Path) -> None:
    before = counted(os.getpid(), MARK, tmp_path)
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    with (tmp_path / "left").open("w"):
        during = counted(os.getpid(), MARK, tmp_path)
    over.set()
    thread.join()
    assert differences(before, during) == {"descriptors", "threads", "files"}
    assert during.left == (str(tmp_path / "left"),)


def test_a_process_is_seen_by_its_variables_when_its_parent_has_ended() -> None:
    environment = {**os.environ, "AWS_ENDPOINT_URL": MARK}
    subprocess.run([sys.executable, "-c", ORPHAN], env=environment, check=True)
    [orphan] = counted(os.getpid(), MARK).processes
    number, _, command = orphan.partition(" ")
    os.kill(int(number), 9)
    assert command == "sleep 60 "


def test_memory_is_told_in_kib() -> None:
    assert 1 << 10 < resident_kib(os.getpid()) < 1 << 25
