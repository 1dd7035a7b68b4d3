"""Airflow's own serialisation of DAGs, which has another name before 3.2."""

from typing import Any

from airflow.serialization import serialized_objects

DagSerialization: Any = getattr(
    serialized_objects, "DagSerialization", getattr(serialized_objects, "SerializedDAG", None)
)
