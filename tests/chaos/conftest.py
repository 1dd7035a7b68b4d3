"""Running a definition in one process, as the tests of whole pipelines do."""

from tests.runs.conftest import airflow_database, pipelines, play, run_pipeline

__all__ = ["airflow_database", "pipelines", "play", "run_pipeline"]
