"""Amazon SageMaker pipeline definitions as Apache Airflow DAGs."""

__version__ = "0.1.0"
