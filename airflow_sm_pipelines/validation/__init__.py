"""Pipelines against botocore's models of AWS: types, members, lengths, patterns, enumerations.

    Pipeline --validate--> Findings(problems, warnings)

The language is checked without any of this, and DAGs are built without it: reading the models
takes longer than all else.
"""

from airflow_sm_pipelines.definition.model import Pipeline
from airflow_sm_pipelines.validation import looks
from airflow_sm_pipelines.validation.findings import Findings, collect

__all__ = ["Findings", "validate"]


def validate(pipeline: Pipeline) -> Findings:
    """What is wrong with a pipeline that the language accepts, and what is only suspicious.

    Raises nothing; the findings are in the order of the definition.
    """
    return collect(looks.findings(pipeline))
