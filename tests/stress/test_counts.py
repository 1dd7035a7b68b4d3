"""What is counted of a process is what it really holds."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .counts import marked, resident_kib

MARK = "http://127.0.0.1:9/of-this-test"
ORPHAN = """
import subprocess
subprocess.Popen(["sleep", "60"])
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


# In a process of its own: that of the tests has a server, whose jobs come and go.
HOLDS = """
import os, sys, threading
from dataclasses import fields
from pathlib import Path
from tests.stress.counts import Counts, counted

folder = Path(sys.argv[1])
before = counted(os.getpid(), sys.argv[2], folder)
over = threading.Event()
thread = threading.Thread(target=over.wait)
thread.start()
with (folder / "left").open("w"):
    during = counted(os.getpid(), sys.argv[2], folder)
over.set()
thread.join()
names = [field.name for field in fields(Counts)]
print(*(name for name in names if getattr(before, name) != getattr(during, name)))
print(*during.left)
"""


def test_a_descriptor_a_thread_and_a_file_are_seen(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", HOLDS, str(tmp_path), MARK],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert told == ["descriptors threads files", str(tmp_path / "left")]


def test_a_process_is_seen_by_its_variables_when_its_parent_has_ended() -> None:
    environment = {**os.environ, "AWS_ENDPOINT_URL": MARK}
    subprocess.run([sys.executable, "-c", ORPHAN], env=environment, check=True)
    nobody = 2**22 + 1  # no process has such a number, so none is its child
    [orphan] = marked(nobody, MARK)
    number, _, command = orphan.partition(" ")
    os.kill(int(number), 9)
    assert command == "sleep 60 "


def test_memory_is_told_in_kib() -> None:
    assert 1 << 10 < resident_kib(os.getpid()) < 1 << 25
