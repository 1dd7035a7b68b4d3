"""Pipelines in tests: the pytest fixture `sm_local`, a local AWS that runs them.

    plugin.py    the fixture; all else is loaded when a test uses it
    session.py   the two processes of a test session: host.py, the local AWS; runner.py, Airflow
    space.py     what a test gets: `SmLocal`
    runs.py      what it gets of a run: `PipelineRun`

Both run apart from the tests: Airflow reads its settings while it is imported, and moto's state
belongs to a process, where tests may use it in their own way.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sm_pipelines.testing.runs import PipelineRun, StepRun
    from airflow_sm_pipelines.testing.space import SmLocal

__all__ = ["PipelineRun", "SmLocal", "StepRun"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


_MODULES = {"PipelineRun": "runs", "SmLocal": "space", "StepRun": "runs"}
