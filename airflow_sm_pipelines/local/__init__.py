"""A small AWS on this machine that really runs SageMaker's jobs.

Its names are loaded on first use: moto and botocore take a second.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_sm_pipelines.local.errors import (
        AwsError,
        FaultError,
        JobError,
        LocalError,
        ScriptError,
    )
    from airflow_sm_pipelines.local.seed import seed_objects
    from airflow_sm_pipelines.local.server import LocalAWS

__all__ = [
    "AwsError",
    "FaultError",
    "JobError",
    "LocalAWS",
    "LocalError",
    "ScriptError",
    "seed_objects",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


_MODULES = {
    "AwsError": "errors",
    "FaultError": "errors",
    "JobError": "errors",
    "LocalAWS": "server",
    "LocalError": "errors",
    "ScriptError": "errors",
    "seed_objects": "seed",
}
