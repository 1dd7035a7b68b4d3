"""Connections of single steps, where they are not the pipeline's: another role or account."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import DAG

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.errors import ArgumentError, Problem, did_you_mean, listed


def connect(dag: DAG, step_connections: Mapping[str, str], *, region_name: str | None) -> None:
    """Give the tasks of the steps that are named the connections of these ids.

    All that such a step does goes through its connection: what its expressions read from S3, too.
    An ArgumentError tells the names that no step has.
    """
    tasks: list[Any] = [task for task in dag.tasks if hasattr(task, "step")]
    names = list(dict.fromkeys(task.step.name for task in tasks))
    problems = [
        Problem(
            f"step_connections[{name!r}]",
            f"no step has this name{did_you_mean(name, names)}; the steps are: {listed(names)}",
        )
        for name in step_connections
        if name not in names
    ]
    if problems:
        raise ArgumentError(problems)
    for task in tasks:
        if conn_id := step_connections.get(task.step.name):
            task.connection = aws.Connection(conn_id, region_name)
