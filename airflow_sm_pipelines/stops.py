"""Stopping what a step has in AWS, of whatever service it is.

To stop what another service runs, write its function and add a row to `STOPS`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_sm_pipelines import aws, emr, emr_serverless

if TYPE_CHECKING:
    from botocore.client import BaseClient


def stop(client: "BaseClient", resource: aws.Resource) -> bool:
    """Ask AWS to stop a job; False where that kind has no stop, or the job has just ended."""
    return STOPS.get(resource.job.service, aws.stop)(client, resource)


STOPS: "dict[str, Callable[[BaseClient, aws.Resource], bool]]" = {
    "emr": emr.stop,
    "emr-serverless": emr_serverless.stop,
}
"""By service; SageMaker's are all alike."""
