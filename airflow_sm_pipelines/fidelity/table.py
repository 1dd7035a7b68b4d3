"""All rows of the fidelity table, in the groups of the page."""

from airflow_sm_pipelines.fidelity.graph_rows import FORM, GRAPH
from airflow_sm_pipelines.fidelity.policy_rows import POLICIES, START
from airflow_sm_pipelines.fidelity.rows import Row
from airflow_sm_pipelines.fidelity.step_rows import STEPS
from airflow_sm_pipelines.fidelity.value_rows import CONDITION_ROWS, VALUES

GROUPS: dict[str, tuple[Row, ...]] = {
    "Steps": STEPS,
    "Expressions": VALUES,
    "Conditions": CONDITION_ROWS,
    "Dependencies": GRAPH,
    "Policies": POLICIES,
    "Parameters, names, roles": START,
    "Form": FORM,
}
"""Heading of the page -> its rows."""

ROWS: tuple[Row, ...] = tuple(row for rows in GROUPS.values() for row in rows)
BY_FEATURE: dict[str, Row] = {feature: row for row in ROWS for feature in row.features}
