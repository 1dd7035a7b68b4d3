"""The local AWS as a whole, in one run: start, jobs, a transform, large objects, memory at the end.

    python benchmarks/local_aws.py

One server, a process of its own, does all of it; the parts are those of `local_job.py`,
`transform.py` and `objects.py`, which say what is run and what it is measured against. Every figure
is set against a peer of the same run or a limit: 100 ms for what a processing job takes more than
its script and 150 ms for a script-mode training job, 1.5 s for the start, a plain copy for large
objects, the bare loop for the transform. Seconds depend on what else the machine does, CPU seconds
hardly do: those of the server, of the processes of its jobs, and of the bare script are beside.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

import local_job
import objects
import transform

from airflow_sm_pipelines.local.images import Images

TICKS = os.sysconf("SC_CLK_TCK")
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds: of a process, and of its children that have ended."""

    own: float
    children: float

    def __sub__(self, other: "Cpu") -> "Cpu":
        return Cpu(self.own - other.own, self.children - other.children)

    def each(self, count: int) -> str:
        """Per piece of work, in words."""
        return f"{self.own / count * 1e3:.0f} + {self.children / count * 1e3:.0f} ms"


def cpu(pid: int) -> Cpu:
    """What a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, children_user, children_system = (int(each) / TICKS for each in fields[11:15])
    return Cpu(user + system, children_user + children_system)


def bare_cpu() -> float:
    """What the bare scripts have used so far, as children of this process that have ended."""
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_jobs(kind: local_job.Kind, sagemaker: Any, folder: Path, pid: int) -> None:
    """Print what a job of a kind takes more than its script."""
    python = Images().runtime(local_job.IMAGE).python
    local_job.run_job(sagemaker, kind)
    local_job.run_bare(python, folder)
    before, bare_before = cpu(pid), bare_cpu()
    pairs = [
        (local_job.run_job(sagemaker, kind), local_job.run_bare(python, folder))
        for _ in range(local_job.ROUNDS)
    ]
    used, bare = cpu(pid) - before, bare_cpu() - bare_before
    local_job.report(kind, pairs)
    each = bare / len(pairs) * 1e3
    print(f"    CPU: server + processes {used.each(len(pairs))}, bare script {each:.0f} ms")


def measure_transform(s3: Any, sagemaker: Any, folder: Path, pid: int) -> None:
    """Print what transform jobs take, as multiples of the bare loop."""
    lines = transform.put_lines(s3, folder)
    for image in ("port", "own-network"):
        model = transform.make_model(s3, sagemaker, image)
        transform.run_job(sagemaker, model)
        before = cpu(pid)
        pairs = [
            (transform.run_job(sagemaker, model), transform.run_bare(folder)) for _ in range(ROUNDS)
        ]
        used = cpu(pid) - before
        job, bare = medians(pairs)
        print(
            f"transform of {lines:,} lines, {image}: {job * 1e3:.0f} ms, {job / bare:.1f} times "
            f"the bare loop ({bare * 1e3:.0f} ms)"
        )
        print(f"    CPU: server + processes {used.each(ROUNDS)}")


def medians(rows: Sequence[tuple[float, ...]]) -> list[float]:
    """The median of each column."""
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def measure_objects(s3: Any, folder: Path, pid: int) -> None:
    """Print what large objects take, as multiples of a copy, and the memory of the server."""
    before = objects.memory_mib(pid, "VmRSS")
    copy, up, down = medians(objects.measure(s3, objects.large_file(folder)))
    highest, after = objects.memory_mib(pid, "VmHWM"), objects.memory_mib(pid, "VmRSS")
    print(
        f"{objects.SIZE_MIB} MiB: upload {up:.2f} s ({up / copy:.1f} copies), "
        f"download {down:.2f} s ({down / copy:.1f})"
    )
    share = (highest - before) / objects.SIZE_MIB / objects.LIMIT_MEMORY
    print(
        f"memory: {before} MiB after all jobs, {highest} at most, {after} after the large objects; "
        f"{share:.2f} of the limit"
    )


def main() -> None:
    """Print all of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "config" / "airflow-sm-pipelines" / "images.toml"
        config.parent.mkdir(parents=True)
        config.write_text(transform.IMAGES)
        variables = {"XDG_CONFIG_HOME": str(folder / "config")}
        objects.report_starts(objects.starts(folder / "aws", **variables))
        with objects.serving(folder / "aws", **variables) as (client, pid, _):
            s3, sagemaker = client("s3"), client("sagemaker")
            local_job.put_input(s3, folder)
            print(f"memory: {objects.memory_mib(pid, 'VmRSS')} MiB at the start")
            for kind in local_job.KINDS:
                measure_jobs(kind, sagemaker, folder, pid)
            measure_transform(s3, sagemaker, folder, pid)
            measure_objects(s3, folder, pid)
    print(f"python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
