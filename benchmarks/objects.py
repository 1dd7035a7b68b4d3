"""Large objects in the local AWS against a plain copy of the file, and the server's start.

    python benchmarks/objects.py

The server is a process of its own. Up and down are boto3's `upload_file` and `download_file`, in
turn with a copy of the same file by `shutil.copyfile`, so that a change of the machine's speed
meets all. How much memory the server takes more than before the first byte is set against the
size of the file: a server that keeps objects in memory has 1 or more, this one has next to
nothing. A start is timed from the command to the first answer.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3

SIZE_MIB = 200
ROUNDS = 5
STARTS = 5
LIMIT_SECONDS = 1.5  # of a start
LIMIT_MEMORY = 0.25  # of the size of the file
BUCKET = "sagemaker-us-east-1-123456789012"


@contextmanager
def serving(root: Path, **variables: str) -> Iterator[tuple[Callable[..., Any], int, float]]:
    """What makes clients, the server's process id, and the seconds of its start."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "airflow_sm_pipelines.local", "--root", str(root)]
    command += ["--until-stdin-closes"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    ) as server:
        assert server.stdin
        assert server.stdout
        url = json.loads(server.stdout.readline())["endpoint_url"]
        seconds = time.perf_counter() - start
        made: Any = boto3.Session("local", "local", region_name="us-east-1").client
        yield partial(made, endpoint_url=url), server.pid, seconds
        server.stdin.close()


def starts(root: Path, **variables: str) -> list[float]:
    """Seconds of several starts."""
    found = []
    for _ in range(STARTS):
        with serving(root, **variables) as (_, _, start):
            found.append(start)
    return found


def report_starts(found: list[float]) -> None:
    """Print the median."""
    first = statistics.median(found)
    print(f"start {first:.2f} s (of {STARTS}): {first / LIMIT_SECONDS:.2f} of the limit")


def large_file(folder: Path) -> Path:
    """A file that nothing can make smaller."""
    file = folder / "file"
    with file.open("wb") as target:
        for _ in range(SIZE_MIB):
            target.write(os.urandom(1 << 20))
    return file


def memory_mib(pid: int, what: str) -> int:
    """The memory of a process now (VmRSS) or at its highest (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) // 1024


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(s3: Any, file: Path) -> list[tuple[float, float, float]]:
    """Seconds of a copy, an upload and a download, in rounds."""
    copy, back = file.with_name("copy"), file.with_name("back")
    return [
        (
            seconds(lambda: shutil.copyfile(file, copy)),
            seconds(lambda: s3.upload_file(str(file), BUCKET, "bench/file")),
            seconds(lambda: s3.download_file(BUCKET, "bench/file", str(back))),
        )
        for _ in range(ROUNDS)
    ]


def main() -> None:
    """Print the medians as multiples of a copy, and what is measured against a limit."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        file = large_file(folder)
        started = starts(folder / "aws")
        with serving(folder / "aws") as (client, pid, _):
            s3 = client("s3")
            s3.put_object(Bucket=BUCKET, Key="bench/small", Body=b"")
            before = memory_mib(pid, "VmRSS")
            rounds = measure(s3, file)
            highest, after = memory_mib(pid, "VmHWM"), memory_mib(pid, "VmRSS")
    copy, up, down = (statistics.median(times) for times in zip(*rounds, strict=True))
    more = (highest - before) / SIZE_MIB
    print(f"{SIZE_MIB} MiB, medians of {ROUNDS}: a copy takes {copy:.2f} s,")
    print(f"upload {up:.2f} s ({up / copy:.1f} copies), download {down:.2f} s ({down / copy:.1f})")
    print(
        f"server: {before} MiB before, {highest} at most, {after} after; at most {more:.2f} of the "
        f"file more: {more / LIMIT_MEMORY:.2f} of the limit"
    )
    report_starts(started)
    print(f"python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
