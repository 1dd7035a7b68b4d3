"""A thousand jobs that are waited for at once, against the provider's own trigger.

    python benchmarks/waiting.py [--jobs 1000] [--others 2000] [--seconds 60]

Both run in Airflow's own trigger runner (`triggerer/run.py`), one after the other, against the same
local AWS in a process of its own, at the same poll interval; the provider's with its aiobotocore
extra in `.venvs/peer`. The training jobs are scripted: they end one after another. The calls are
those that the local AWS has counted, CPU and memory those of the runner's process, a delay is the
time from the job's end by AWS's clock until its trigger has fired, by the runner's log. What a
resumed task asks afterwards, one Describe in both, is not part of it. The first job ends when even
the slower of the two can have begun to wait for all: the provider's triggers make a client each.
The interval is the provider's default, 30 s; at our 10 s a thousand of its triggers do not keep up
on two cores.

Aims: at most 1/30 of the calls, at most 1/5 of the CPU time, noticed within the poll interval.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

ROOT = Path(__file__).parents[1]
RUNNER = Path(__file__).parent / "triggerer" / "run.py"
PEER = ROOT / ".venvs" / "peer" / "bin" / "python"
CALLS_AIM = 1 / 30
CPU_AIM = 1 / 5
SETTLE_SECONDS = 5.0  # after which the operator's triggers look for the first time
START_SECONDS = 20  # for the runner to start
READY_SECONDS = 0.15  # for a job to be created, and its trigger to begin
OTHER_SECONDS = 0.03  # for a job of others to be created
FIRED = "Trigger fired event"


@dataclass(frozen=True, slots=True)
class Figures:
    """What waiting for the jobs has taken."""

    what: str
    calls: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    delays: list[float]

    @property
    def calls_a_minute(self) -> float:
        return self.calls * 60 / self.seconds

    @property
    def late(self) -> float:
        """The delay that 95 of 100 do not exceed."""
        return statistics.quantiles(self.delays, n=20)[-1]

    def __str__(self) -> str:
        return (
            f"{self.what:42} {self.calls_a_minute:8.0f} {self.cpu_seconds:8.1f} "
            f"{self.peak_megabytes:8.0f} {statistics.median(self.delays):8.1f} {self.late:8.1f}"
        )


HEAD = f"{'':42} {'calls/min':>8} {'CPU s':>8} {'peak MB':>8} {'delay':>8} {'95 %':>8}"


class Aws:
    """The local AWS in a process of its own."""

    def __init__(self, announced: dict[str, Any]) -> None:
        self.environment: dict[str, str] = announced["environment"]
        self._url = announced["endpoint_url"]
        session = boto3.Session("local", "local", region_name="us-east-1")
        self.sagemaker = session.client("sagemaker", endpoint_url=self._url)

    def start(self, names: list[str], seconds: list[float]) -> None:
        """Create training jobs, each of which ends after so many seconds."""
        scripts = [
            {
                "Kind": "TrainingJob",
                "Name": name,
                "Moments": [{"Status": "InProgress", "Seconds": each}, {"Status": "Completed"}],
            }
            for name, each in zip(names, seconds, strict=True)
        ]
        self._control("PUT", "scripts", {"Scripts": scripts})
        with ThreadPoolExecutor(max_workers=4) as pool:
            list(pool.map(self._create, names))
        self._control("DELETE", "requests")

    def calls(self) -> int:
        """How many calls there were since jobs were last started."""
        counts: dict[str, int] = self._control("GET", "requests")["Counts"]
        return sum(counts.values())

    def ends(self, names: list[str]) -> list[float]:
        """When the jobs have ended, by AWS's clock."""
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(self._end, names))

    def _create(self, name: str) -> None:
        self.sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn="arn:aws:iam::123456789012:role/SageMakerExecutionRole",
            AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
            OutputDataConfig={"S3OutputPath": "s3://bucket/out"},
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            StoppingCondition={"MaxRuntimeInSeconds": 86_400},
        )

    def _end(self, name: str) -> float:
        described = self.sagemaker.describe_training_job(TrainingJobName=name)
        return described["TrainingEndTime"].timestamp()

    def _control(self, method: str, what: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._url}/_local/{what}",
            method=method,
            data=json.dumps(body).encode() if body else None,
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@contextmanager
def local_aws(folder: Path) -> Iterator[Aws]:
    """A local AWS that ends with the benchmark."""
    command = [sys.executable, "-m", "airflow_sm_pipelines.local", "--until-stdin-closes"]
    with subprocess.Popen(
        [*command, "--root", folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Aws(json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


@dataclass(frozen=True, slots=True)
class Contender:
    """A trigger, and the interpreter that it runs with."""

    what: str
    python: Path
    classpath: str

    def kwargs(self, name: str, poll_seconds: int) -> dict[str, Any]:
        """The arguments that the operators give their triggers."""
        if self is OURS:
            return {
                "step_type": "Training",
                "identifier": name,
                "aws_conn_id": "aws_default",
                "poll_seconds": poll_seconds,
                "first_look_seconds": SETTLE_SECONDS,
            }
        return {
            "job_name": name,
            "job_type": "training",
            "waiter_delay": poll_seconds,
            "waiter_max_attempts": 10_000,
            "aws_conn_id": "aws_default",
        }


OURS = Contender("ours", Path(sys.executable), "airflow_sm_pipelines.triggers.JobTrigger")
PROVIDER = Contender(
    "the provider's", PEER, "airflow.providers.amazon.aws.triggers.sagemaker.SageMakerTrigger"
)


def measure(aws: Aws, contender: Contender, options: argparse.Namespace, *, others: int) -> Figures:
    """Wait for jobs of which the first end when all are waited for."""
    prefix = f"{contender.python.parts[-3].strip('.')}-{others}-{time.time():.0f}"
    names = [f"{prefix}-{number}" for number in range(options.jobs)]
    soonest = START_SECONDS + options.jobs * READY_SECONDS + others * OTHER_SECONDS
    step = options.seconds / options.jobs
    aws.start(names, [soonest + step * number for number in range(options.jobs)])
    if others:
        aws.start([f"other-{number}" for number in range(others)], [0.001] * others)
    triggers = [
        {"classpath": contender.classpath, "kwargs": contender.kwargs(name, options.poll_seconds)}
        for name in names
    ]
    longest = soonest + options.seconds + 6 * options.poll_seconds
    outcome, fired = run(contender, aws, {"triggers": triggers, "seconds": longest})
    calls = aws.calls()
    if outcome["failed"] or len(outcome["fired"]) != len(names):
        raise SystemExit(
            f"{contender.what}: {len(outcome['fired'])} of {len(names)} triggers have fired; "
            f"failed: {outcome['failed']}"
        )
    ends = aws.ends(names)
    return Figures(
        what=f"{contender.what}, {others} newer jobs of others" if others else contender.what,
        calls=calls,
        seconds=outcome["seconds"],
        cpu_seconds=outcome["cpu_seconds"],
        peak_megabytes=outcome["peak_megabytes"],
        delays=[fired[f"ID {number}"] - end for number, end in enumerate(ends)],
    )


def run(
    contender: Contender, aws: Aws, workload: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, float]]:
    """What becomes of triggers in the runner, and when each has fired."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [contender.python, RUNNER],
            input=json.dumps(workload),
            env={
                **os.environ,
                **aws.environment,
                "AIRFLOW_HOME": home,
                "AIRFLOW__LOGGING__JSON_LOGS": "True",
            },
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise SystemExit(f"{contender.what}: the runner failed: {done.stderr[-2_000:]}")
    logged = [json.loads(line) for line in done.stderr.splitlines() if FIRED in line]
    fired = {line["name"]: datetime.fromisoformat(line["timestamp"]).timestamp() for line in logged}
    return json.loads(done.stdout), fired


def main() -> None:
    """Print the figures of each, and ours as a share of the provider's."""
    parser = argparse.ArgumentParser(prog="benchmarks/waiting.py")
    parser.add_argument("--jobs", type=int, default=1_000, help="jobs that are waited for")
    parser.add_argument("--others", type=int, default=2_000, help="jobs of others, newer than ours")
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="from the first end to the last"
    )
    parser.add_argument("--poll-seconds", type=int, default=30, help="between two looks of both")
    options = parser.parse_args()
    if not PEER.exists():
        raise SystemExit("the provider's environment is missing; make it: make peer")
    print(f"{options.jobs} jobs, a look every {options.poll_seconds} s")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as folder, local_aws(Path(folder)) as aws:
        ours = measure(aws, OURS, options, others=0)
        print(ours, flush=True)
        theirs = measure(aws, PROVIDER, options, others=0)
        print(theirs, flush=True)
        print(measure(aws, OURS, options, others=options.others), flush=True)
    calls = ours.calls_a_minute / theirs.calls_a_minute
    cpu = ours.cpu_seconds / theirs.cpu_seconds
    print(f"calls 1/{1 / calls:.0f} of the provider's: {calls / CALLS_AIM:.2f} of the limit")
    print(f"CPU time 1/{1 / cpu:.1f} of the provider's: {cpu / CPU_AIM:.2f} of the limit")
    print(f"95 of 100 ends noticed within {ours.late / options.poll_seconds:.2f} of the interval")


if __name__ == "__main__":
    main()
