"""How faithfully a definition is run here, feature by feature.

    Pipeline --occurrences--> features --TABLE--> Entry (same, equivalent, different, unsupported)

The table is the only place that says so: `report` looks a definition's features up in it, and
`python -m airflow_sm_pipelines.fidelity` renders it as `docs/semantics.md`. To add a feature, let
`occurrences` find it and add a row, or its name to a row.
"""

from airflow_sm_pipelines.fidelity.report import Entry, report
from airflow_sm_pipelines.fidelity.rows import LEVELS, Level, Row
from airflow_sm_pipelines.fidelity.table import GROUPS, ROWS

__all__ = ["GROUPS", "LEVELS", "ROWS", "Entry", "Level", "Row", "report"]
