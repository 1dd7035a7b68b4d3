"""Amazon SageMaker pipeline definitions as Apache Airflow DAGs."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sm_pipelines.dag import build_dag
    from airflow_sm_pipelines.definition import Pipeline, load
    from airflow_sm_pipelines.errors import (
        DefinitionError,
        ParameterError,
        PipelineError,
        SourceError,
    )
    from airflow_sm_pipelines.loader import load_dag, load_dags
    from airflow_sm_pipelines.sources import load_from

__version__ = "0.1.0"

__all__ = [
    "DefinitionError",
    "ParameterError",
    "Pipeline",
    "PipelineError",
    "SourceError",
    "__version__",
    "build_dag",
    "load",
    "load_dag",
    "load_dags",
    "load_from",
]


def __getattr__(name: str) -> Any:
    """A public name, loaded on first use, since importing Airflow takes seconds."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


_MODULES = {
    "DefinitionError": f"{__name__}.errors",
    "ParameterError": f"{__name__}.errors",
    "Pipeline": f"{__name__}.definition",
    "PipelineError": f"{__name__}.errors",
    "SourceError": f"{__name__}.errors",
    "build_dag": f"{__name__}.dag",
    "load": f"{__name__}.definition",
    "load_dag": f"{__name__}.loader",
    "load_dags": f"{__name__}.loader",
    "load_from": f"{__name__}.sources",
}
