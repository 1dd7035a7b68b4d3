"""The fidelity report of one definition."""

from dataclasses import dataclass

from airflow_sm_pipelines.definition import Pipeline
from airflow_sm_pipelines.fidelity.occurrences import occurrences
from airflow_sm_pipelines.fidelity.rows import Row
from airflow_sm_pipelines.fidelity.table import BY_FEATURE


@dataclass(frozen=True, slots=True)
class Entry:
    """A feature that a definition has, how it is run, and where it is."""

    feature: str
    row: Row
    places: tuple[str, ...]
    """Paths in the definition, in its order."""


def report(pipeline: Pipeline) -> tuple[Entry, ...]:
    """Everything in a definition that the table speaks of, in the order of the table."""
    places: dict[str, dict[str, None]] = {}
    for feature, place in occurrences(pipeline):
        places.setdefault(feature, {})[place] = None
    return tuple(
        Entry(feature, row, tuple(places[feature]))
        for feature, row in BY_FEATURE.items()
        if feature in places
    )
