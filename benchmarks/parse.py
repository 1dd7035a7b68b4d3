"""Reading and checking a definition against building as many bare Airflow operators.

    python benchmarks/parse.py

The definition is the one of 2,000 steps that the SageMaker SDK's tests build, where the real
definitions are (`SM_PIPELINES_DEFINITIONS`), else one of that form. Aims: parse and checks cost at
most 0.40 of 2,000 operators that have a task id alone, and grow linearly; importing the language,
without Airflow, costs at most 100 ms more than starting Python does.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from airflow.sdk import DAG, BaseOperator

from airflow_sm_pipelines.definition import load

ROOT = Path(__file__).parents[1]
DEFINITIONS = Path(
    os.environ.get("SM_PIPELINES_DEFINITIONS", ROOT.parent / "shared" / "definitions")
)
SIZES = (500, 1_000, 2_000, 4_000)
ROUNDS = 9
IMPORT_ROUNDS = 15


def large_definition() -> tuple[str, str]:
    """The text of the definition of 2,000 steps, and where it is from."""
    for file in DEFINITIONS.rglob("*.json"):
        if len(json.loads(file.read_bytes()).get("Steps", ())) == SIZES[2]:
            return file.read_text(encoding="utf-8"), file.name
    toy = {"input_data": {"Get": "Parameters.Text"}}
    steps = [{"Name": f"S{i}", "Type": "Training", "Arguments": toy} for i in range(SIZES[2])]
    parameters = [{"Name": "Text", "Type": "String"}]
    made = {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": steps}
    return json.dumps(made), "its form, made here"


def of_size(steps: int) -> str:
    """A definition of chains of ten training steps, each of which reads the one before."""
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Metadata": {},
            "Parameters": [{"Name": "Bucket", "Type": "String", "DefaultValue": "b"}],
            "Steps": [
                {"Name": f"Train{index}", "Type": "Training", "Arguments": arguments(index)}
                for index in range(steps)
            ],
        }
    )


def arguments(index: int) -> object:
    """Arguments with three expressions."""
    before = {"Get": f"Steps.Train{index - 1}.ModelArtifacts.S3ModelArtifacts"}
    first = {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Bucket"}, "in"]}}
    return {
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "HyperParameters": {"run": {"Get": "Execution.PipelineExecutionId"}, "max_depth": "5"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3Uri": before if index % 10 else first}},
            }
        ],
    }


def operators(count: int) -> DAG:
    """A DAG of operators that have nothing but a task id."""
    dag = DAG("bare", schedule=None)
    for index in range(count):
        BaseOperator(task_id=f"task{index}", dag=dag)
    return dag


def seconds(act: Callable[[], object]) -> float:
    """How long it takes once, without garbage collection, as timeit measures."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        act()
        return time.perf_counter() - start
    finally:
        gc.enable()


def import_seconds(statement: str) -> float:
    """How long a Python process takes that does nothing but this."""
    return statistics.median(
        seconds(partial(subprocess.run, [sys.executable, "-c", statement], check=True))
        for _ in range(IMPORT_ROUNDS)
    )


def main() -> None:
    """Print the ratios."""
    text, origin = large_definition()
    pairs = [
        (seconds(partial(load, text)), seconds(partial(operators, SIZES[2]))) for _ in range(ROUNDS)
    ]
    ours, theirs = (statistics.median(times) * 1e3 for times in zip(*pairs, strict=True))
    ratio = statistics.median(our / their for our, their in pairs)
    print(f"2,000 steps of {origin}")
    print(f"parse and checks {ours:.0f} ms, 2,000 operators {theirs:.0f} ms: {ratio:.2f} (0.40)")

    print("steps  ours us/step  ratio to bare operators  (a training step as the SDK writes it)")
    for steps in SIZES:
        made = of_size(steps)
        pairs = [
            (seconds(partial(load, made)), seconds(partial(operators, steps)))
            for _ in range(ROUNDS)
        ]
        per_step = statistics.median(our for our, _ in pairs) / steps * 1e6
        ratio = statistics.median(our / their for our, their in pairs)
        print(f"{steps:>5}  {per_step:>12.0f}  {ratio:>23.2f}")

    path = f"import sys; sys.path.insert(0, {str(ROOT)!r});"
    bare = import_seconds(path)
    language = import_seconds(f"{path} import airflow_sm_pipelines.definition")
    limit = (language - bare) / 0.1
    print(f"import: {(language - bare) * 1e3:.0f} ms over a bare Python, {limit:.2f} of the limit")


if __name__ == "__main__":
    main()
