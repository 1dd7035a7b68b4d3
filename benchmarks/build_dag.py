"""Building a DAG from a definition against writing the same DAG by hand.

    python benchmarks/build_dag.py

The definition is JSON text with n training steps in chains of ten, and parameters as the abalone
example has them. Ours parses, checks and builds it; the peer makes the same tasks, edges and Params
from ready dicts with the amazon provider's SageMakerTrainingOperator. Aim: a ratio of at most 0.8,
and ours linear.

Airflow copies a DAG's Params for every task, once for each class that an operator has, so that the
figure depends on their number: it is taken for none and for six.
"""

import gc
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import DAG, Param

from airflow_sm_pipelines import build_dag, load

SIZES = (10, 100, 1_000)
PARAMETERS = (0, 6)
ROUNDS = 9
CHAIN = 10


def arguments(index: int) -> dict[str, Any]:
    """What the SDK writes for a training step with the built-in XGBoost, with a reference."""
    uri: Any = f"s3://bucket/data/{index}"
    if index % CHAIN:
        uri = {"Get": f"Steps.Train{index - 1}.ModelArtifacts.S3ModelArtifacts"}
    return {
        "AlgorithmSpecification": {
            "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
            "TrainingInputMode": "File",
        },
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
        "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
        "ResourceConfig": {
            "VolumeSizeInGB": 30,
            "InstanceCount": 1,
            "InstanceType": "ml.m5.xlarge",
        },
        "RoleArn": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        "InputDataConfig": [
            {
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": uri,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "ContentType": "text/csv",
                "ChannelName": "train",
            }
        ],
        "HyperParameters": {
            "objective": "reg:squarederror",
            "num_round": "50",
            "max_depth": "5",
            "eta": "0.2",
        },
    }


def definition(steps: int, parameters: int) -> str:
    """A definition with that many training steps and parameters, as the SDK's text."""
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Metadata": {},
            "Parameters": [
                {"Name": f"Count{index}", "Type": "Integer", "DefaultValue": index}
                for index in range(parameters)
            ],
            "Steps": [
                {"Name": f"Train{index}", "Type": "Training", "Arguments": arguments(index)}
                for index in range(steps)
            ],
        }
    )


def by_definition(text: str) -> DAG:
    """Ours: from the definition's text to the DAG."""
    return build_dag(load(text, name="ours"))


def by_hand(configs: list[dict[str, Any]], parameters: int) -> DAG:
    """The same tasks, edges and Params with the provider's operators."""
    params = {f"Count{index}": Param(index, type="integer") for index in range(parameters)}
    with DAG("by-hand", schedule=None, params=params) as dag:
        before = None
        for index, config in enumerate(configs):
            task = SageMakerTrainingOperator(
                task_id=f"Train{index}", config=config, deferrable=True
            )
            if before is not None and index % CHAIN:
                before >> task
            before = task
    return dag


def seconds(build: Callable[[], DAG]) -> float:
    """How long it takes to build a DAG once; the garbage of the ones before is gone."""
    gc.collect()
    start = time.perf_counter()
    build()
    return time.perf_counter() - start


def main() -> None:
    """Print the medians per step and their ratio for each size."""
    print("params  steps  ours us/step  by hand us/step  ratio  (aim 0.8)")
    for parameters in PARAMETERS:
        for steps in SIZES:
            ours = partial(by_definition, definition(steps, parameters))
            theirs = partial(by_hand, [arguments(i) for i in range(steps)], parameters)
            pairs = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
            us = [statistics.median(times) / steps * 1e6 for times in zip(*pairs, strict=True)]
            ratio = statistics.median(our / their for our, their in pairs)
            print(f"{parameters:>6}  {steps:>5}  {us[0]:>12.0f}  {us[1]:>15.0f}  {ratio:>5.2f}")


if __name__ == "__main__":
    main()
