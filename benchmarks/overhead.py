"""What a step costs beside its job: ours against the provider's deferrable operators.

    python benchmarks/overhead.py [--steps 10] [--wide 50]

Whole Airflows are run, one after the other, on the same local AWS, whose jobs complete at once:
ours as it comes, where a worker waits for a quick local job itself; ours as on AWS, where each task
defers at once; and the amazon provider's SageMakerProcessingOperator(deferrable=True), from an
environment of its own, since its aiobotocore excludes our botocore. Each runs a chain of steps
twice; the figure is the seconds of the quicker run, as Airflow has its start and end, per step. A
trigger looks at its job at once (ours 5 s after it was deferred, docs/decisions/short-waits.md), so
the poll interval has no part in it. Then ours runs many independent steps at once.
"""

import argparse
import json
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.cli.background import LocalProcess
from tests.chaos.airflow import airflow, start
from tests.chaos.world import World

PEER = Path(".venvs/peer/bin/python")
LONGEST_SECONDS = 900.0
ROLE = "arn:aws:iam::123456789012:role/SageMakerExecutionRole"
INSTANT = {"Kind": "ProcessingJob", "Moments": [{"Status": "Completed"}]}
REQUEST: dict[str, Any] = {
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": ROLE,
}
LOADER = '''\
"""Our DAGs, for airflow."""
from pathlib import Path

from airflow_sm_pipelines import load_dags

globals().update(load_dags(Path(__file__).parent))
'''
OPERATORS = '''\
"""A chain of the provider's operators, for airflow."""
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerProcessingOperator
from airflow.sdk import DAG, chain

with DAG("chain", schedule=None) as dag:
    chain(*(
        SageMakerProcessingOperator(
            task_id=f"S{{number}}",
            config={{**{request!r}, "ProcessingJobName": f"peer-{{number}}"}},
            deferrable=True,
            check_interval=1,
        )
        for number in range({steps})
    ))
'''


def definition(steps: int, *, chained: bool) -> str:
    """A pipeline of processing steps, in a chain or independent of each other."""
    made = [
        {
            "Name": f"S{number}",
            "Type": "Processing",
            "Arguments": REQUEST,
            **({"DependsOn": [f"S{number - 1}"]} if chained and number else {}),
        }
        for number in range(steps)
    ]
    return json.dumps({"Version": "2020-12-01", "Steps": made})


def seconds(world: World, dag: str, run: str) -> float:
    """How long a run takes, as Airflow has its start and end; it has to succeed."""
    world.trigger(dag, run)
    deadline = time.monotonic() + LONGEST_SECONDS
    while not (ended := world.ended(dag, run)) and time.monotonic() < deadline:
        time.sleep(1)
    if ended is None or ended.state != "success":
        raise SystemExit(f"run {run} of {dag} has not succeeded: {ended or world.tasks(dag, run)}")
    told = world.airflow.call("GET", f"/dags/{dag}/dagRuns/{run}")
    end, began = (datetime.fromisoformat(told[key]) for key in ("end_date", "start_date"))
    return (end - began).total_seconds()


def measure(
    folder: Path, files: Mapping[str, str], runs: list[tuple[str, str]], **keys: Any
) -> list[float]:
    """The seconds of runs, in an Airflow that is started for them."""
    dags = folder / "dags"
    dags.mkdir(parents=True)
    for name, text in files.items():
        (dags / name).write_text(text)
    server = airflow(folder / "home", dags=dags, **keys)
    world = World(server, folder, {})
    try:
        start(server)
        world.await_dags({dag for dag, _ in runs})
        return [seconds(world, dag, run) for dag, run in runs]
    finally:
        server.stop()


@contextmanager
def local_aws(folder: Path) -> Iterator[dict[str, str]]:
    """The variables that lead to a local AWS in a process of its own, whose jobs end at once."""
    local = LocalProcess(root=folder / "aws", log=folder / "aws.log")
    local.start()
    try:
        served = local.wait_until_ready()
        body = json.dumps({"Scripts": [INSTANT]}).encode()
        url = f"{served.endpoint_url}/_local/scripts"
        with urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=body)):
            yield dict(served.environment)
    finally:
        local.stop()


def main() -> None:
    """Print the seconds per step and their ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--wide", type=int, default=50)
    given = parser.parse_args()
    chain = {"chain.json": definition(given.steps, chained=True), "ours.py": LOADER}
    wide = {"wide.json": definition(given.wide, chained=False)}
    twice = [("chain", "first"), ("chain", "second")]
    with tempfile.TemporaryDirectory() as scratch, local_aws(Path(scratch)) as settings:
        root = Path(scratch)
        *here, wide_seconds = measure(
            root / "here", chain | wide, [*twice, ("wide", "only")], settings=settings
        )
        deferred = {"AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS": "0"}
        there = measure(root / "there", chain, twice, settings=settings | deferred)
        operators = {"chain.py": OPERATORS.format(request=REQUEST, steps=given.steps)}
        peer = measure(root / "peer", operators, twice, settings=settings, python=str(PEER))
    per_step = {
        "ours, as it comes": min(here) / given.steps,
        "ours, deferred at once": min(there) / given.steps,
        "the provider's, deferrable": min(peer) / given.steps,
    }
    for name, value in per_step.items():
        ratio = value / per_step["the provider's, deferrable"]
        print(f"{name:28} {value:6.2f} s a step, {ratio:.2f} of the provider's")
    print(f"{given.wide} independent steps at once: {wide_seconds:.1f} s from start to end")


if __name__ == "__main__":
    main()
