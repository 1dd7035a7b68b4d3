"""The SageMaker pipeline definition language; the standard library is all it needs.

    text --document.read--> Document --parse.parse--> Pipeline --checks.check--> problems

`load` is all three.
"""

from airflow_sm_pipelines.definition.cautions import warnings
from airflow_sm_pipelines.definition.checks import check
from airflow_sm_pipelines.definition.document import read
from airflow_sm_pipelines.definition.model import Parameter, Pipeline, Step
from airflow_sm_pipelines.definition.node import Problems
from airflow_sm_pipelines.definition.parameters import bind, bind_text
from airflow_sm_pipelines.definition.parse import parse

__all__ = ["Parameter", "Pipeline", "Step", "bind", "bind_text", "load", "warnings"]


def load(text: str | bytes, *, name: str = "pipeline") -> Pipeline:
    """The pipeline in a definition's text, checked.

    `text` is what `Pipeline.definition()` returns or the output of `DescribePipeline`; `name` is
    the pipeline's name where the text has none. A DefinitionError holds every problem.
    """
    problems = Problems()
    pipeline = parse(read(text), problems, name=name)
    with problems.caught():
        check(pipeline)
    problems.raise_any()
    return pipeline
