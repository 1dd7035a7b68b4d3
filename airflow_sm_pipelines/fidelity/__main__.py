"""`python -m airflow_sm_pipelines.fidelity` writes `docs/semantics.md` of the working directory."""

from pathlib import Path

from airflow_sm_pipelines.fidelity.page import page
from airflow_sm_pipelines.fidelity.rows import PAGE

if __name__ == "__main__":
    Path(PAGE).write_text(page(), encoding="utf-8")
