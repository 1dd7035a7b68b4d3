"""Every SageMaker pipeline definition under pipelines/ is an Airflow DAG."""

from pathlib import Path

from airflow_sm_pipelines import load_dags

globals().update(load_dags(Path(__file__).parent / "pipelines"))
