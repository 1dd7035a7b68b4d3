"""What a local AWS is given so that it can start executions of pipelines."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from airflow_sm_pipelines import naming


@dataclass(frozen=True, slots=True)
class AirflowRunner:
    """Runs an execution as an Airflow DAG; a `local.executions.runner.Runner`."""

    command: Sequence[str] = (sys.executable, "-m", __package__)

    def execution_id(self, pipeline: str, started: datetime) -> str:
        """The id that `scope.py` computes in a run of the DAG that is started at that time."""
        return naming.execution_id(
            deployment=DEPLOYMENT, dag_id=pipeline, run_id=f"{RUN}{started.isoformat()}"
        )


DEPLOYMENT = "local-executions"
"""What tells the runs of these Airflows from those of others: `[sm_pipelines] deployment`."""
RUN = "manual__"
"""How Airflow begins the id of a run that `DAG.test` makes."""
