"""A cached step that hits against a bare step whose job ends at once, in the same runs.

    python benchmarks/cached_step.py

One pipeline has as many cached training steps as bare ones; scripts let their jobs complete at
once. After a first run that fills the cache, runs are taken in which every cached step hits. Per
step it prints the calls to AWS and the seconds in its tasks, as Airflow has their start and end:
sensor and adopting step together against the task of the bare step. `dag.test()` runs the tasks one
after the other in this process, so neither the start of a worker nor the scheduler is in it: a
cached step has two tasks where a bare one has one.
"""

import json
import logging
import os
import re
import statistics
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from airflow_sm_pipelines.cli import home
from airflow_sm_pipelines.local import LocalAWS

STEPS = 5
ROUNDS = 5
PARTS = {"cached": ("Cached{}.cache", "Cached{}"), "bare": ("Bare{}",)}
ARGUMENTS = {
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
}
INSTANT = {"Kind": "TrainingJob", "Moments": [{"Status": "Completed"}]}


class Calls(logging.Handler):
    """Counts what botocore sends, by the task that runs."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.task = ""
        self.counts: Counter[tuple[str, str]] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line of botocore's log that tells of a request."""
        found = re.search(r"Making request for OperationModel\(name=(\w+)\)", record.getMessage())
        if found:
            self.counts[self.task, found[1]] += 1


def definition() -> str:
    """Cached steps and bare ones, none of which waits for another."""
    cache = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
    steps = [
        {"Name": f"{kind}{number}", "Type": "Training", "Arguments": ARGUMENTS, **keys}
        for number in range(STEPS)
        for kind, keys in (("Bare", {}), ("Cached", cache))
    ]
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


def run(dag: Any, calls: Calls) -> dict[str, float]:
    """Seconds of each task in a run, which has to succeed."""
    for task in dag.tasks:
        task.on_execute_callback = [lambda context: setattr(calls, "task", context["ti"].task_id)]
    done = dag.test()
    assert str(done.state) == "success", done.state
    return {ti.task_id: float(ti.duration) for ti in done.get_task_instances()}


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, LocalAWS(Path(folder) / "aws") as local:
        root = Path(folder) / "airflow"
        root.mkdir()
        (root / "pipeline.json").write_text(definition())
        home.write_dag_file(root, root / "pipeline.json", aws_conn_id="aws_default")
        os.environ.update(local.environment)
        os.environ.update(
            home.airflow_environment(root, dags=root / "dags", fernet_key="0" * 43 + "=")
        )
        if not home.copy_database(root):
            home.create_database(root)
        local.scripts.add(INSTANT)
        _measure(root / "pipeline.json")


def _measure(path: Path) -> None:
    from airflow_sm_pipelines import load_dag

    logging.disable(logging.NOTSET)
    calls, dag = Calls(), load_dag(path)
    run(dag, calls)  # fills the cache
    sent = logging.getLogger("botocore.endpoint")
    sent.setLevel(logging.DEBUG)
    sent.propagate = False
    sent.addHandler(calls)
    calls.counts.clear()
    rounds = [run(dag, calls) for _ in range(ROUNDS)]
    medians: dict[str, float] = {}
    for kind, parts in PARTS.items():
        tasks = {part.format(number) for part in parts for number in range(STEPS)}
        seconds = [
            sum(one[part.format(number)] for part in parts)
            for one in rounds
            for number in range(STEPS)
        ]
        medians[kind] = statistics.median(seconds)
        counted = Counter[str]()
        for (task, operation), count in calls.counts.items():
            counted[operation] += count if task in tasks else 0
        each = {name: count / len(seconds) for name, count in counted.items() if count}
        told = ", ".join(f"{name} {count:g}" for name, count in sorted(each.items()))
        print(f"{kind:>6}: {medians[kind]:.3f} s in tasks, {sum(each.values()):g} calls: {told}")
    ratio, more = medians["cached"] / medians["bare"], medians["cached"] - medians["bare"]
    print(f"a hit takes {ratio:.2f} x the time of a job that ends at once, {more:+.3f} s")


if __name__ == "__main__":
    main()
