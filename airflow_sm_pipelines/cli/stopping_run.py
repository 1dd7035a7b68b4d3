"""Stopping all that a run has in progress on AWS, wherever it is."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_sm_pipelines.aws import Connection
from airflow_sm_pipelines.cli.stopping import RunJobs, stoppable
from airflow_sm_pipelines.cli.stopping_elsewhere import Elsewhere, elsewhere

if TYPE_CHECKING:
    from airflow_sm_pipelines.cli.execution import Execution
    from airflow_sm_pipelines.definition import Pipeline

CLOCKS_DIFFER = timedelta(minutes=5)


def stopper(
    execution: "Execution",
    pipeline: "Pipeline",
    *,
    connection: str,
    held: Callable[[], bool],
    tell: Callable[[str], object],
) -> Callable[[], None]:
    """What stops it, and tells a line for each; the connection is looked up here and now.

    `held` tells that the run starts nothing more.
    """
    found = Connection(connection)
    kinds = stoppable(step.job for step in pipeline.walk())
    others = elsewhere(step.job for step in pipeline.walk())
    services = {"sagemaker", *(job.service for job in others)}
    clients = {service: found.client(service) for service in services}
    since = datetime.now(UTC) - CLOCKS_DIFFER

    def stop() -> None:
        if not (run := execution.execution_id):
            return
        jobs = RunJobs(client=clients["sagemaker"], kinds=kinds, execution_id=run, since=since)
        work = Elsewhere(clients=clients.__getitem__, kinds=others, execution_id=run, since=since)
        for name in [*jobs.stop(settled=held), *work.stop()]:
            tell(f"stopped {name}")

    return stop
