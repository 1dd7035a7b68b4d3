"""The id of an execution, which its jobs have in their names."""

from datetime import UTC, datetime

import pytest
from airflow.models.dagrun import DagRun
from airflow.utils.types import DagRunType

from airflow_sm_pipelines import naming, settings
from airflow_sm_pipelines.executions.runner import DEPLOYMENT, RUN, AirflowRunner


def test_an_execution_is_called_as_the_run_of_its_dag_calls_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW__SM_PIPELINES__DEPLOYMENT", DEPLOYMENT)
    started = datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
    run_id = DagRun.generate_run_id(
        run_type=DagRunType.MANUAL, logical_date=started, run_after=started
    )
    assert run_id == f"{RUN}{started.isoformat()}"
    own = naming.execution_id(deployment=settings.deployment(), dag_id="Abalone", run_id=run_id)
    assert AirflowRunner().execution_id("Abalone", started) == own
