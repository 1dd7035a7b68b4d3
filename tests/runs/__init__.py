"""Whole pipelines, run by Airflow on the local AWS."""
