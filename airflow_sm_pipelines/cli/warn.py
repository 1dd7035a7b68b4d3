"""Warnings of this package on the terminal, out of what Airflow logs to a file."""

from collections.abc import MutableMapping
from typing import Any

import structlog
from rich.console import Console
from rich.text import Text

OURS = "airflow_sm_pipelines"


def show_warnings(console: Console) -> None:
    """From now on print the warnings that this package logs; its errors end in the run's report.

    Airflow's operators, triggers and the standard library's `logging` all pass through structlog;
    to be called after Airflow was imported, because that import configures it.
    """

    def show(_: object, level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if level == "warning" and OURS in str(event.get("logger", event.get("logger_name", ""))):
            console.print(Text(f"warning: {event.get('event')}", style="yellow"), soft_wrap=True)
        return event

    processors = structlog.get_config()["processors"]
    structlog.configure(processors=[*processors[:-1], show, processors[-1]])
