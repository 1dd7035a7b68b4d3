"""The bytes that Airflow stores of the DAG of every real definition, as digests.

    python -m tests.corpus.serialized

Each DAG is built twice. A line for each definition: its name and the digest, or its problems.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from airflow_sm_pipelines.definition import load
from airflow_sm_pipelines.errors import DefinitionError
from tests.corpus.conftest import definitions, name_of


def stored(file: Path) -> bytes:
    """What Airflow stores of the definition's DAG.

    The keys are sorted, as Airflow does before it compares DAGs: it writes them from sets.
    """
    from airflow.serialization.serialized_objects import DagSerialization

    from airflow_sm_pipelines import build_dag

    pipeline = load(file.read_bytes(), name="pipeline")
    return json.dumps(DagSerialization.to_dict(build_dag(pipeline)), sort_keys=True).encode()


def line(file: Path) -> str:
    try:
        first, second = stored(file), stored(file)
    except DefinitionError:
        return f"{name_of(file)}\trefused"
    assert first == second, f"{name_of(file)}: two builds in one process differ"
    return f"{name_of(file)}\t{hashlib.sha256(first).hexdigest()}"


def main() -> None:
    """Print all lines."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["AIRFLOW_HOME"] = home
        for file in definitions():
            print(line(file), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
