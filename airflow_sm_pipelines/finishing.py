"""What a finished resource hands on: what Describe says, and properties that SageMaker computes.

To compute another property, write a function of a description and add a row to `COMPUTED`.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from airflow_sm_pipelines import aws, objects
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.errors import AccessDeniedError
from airflow_sm_pipelines.members import member

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)

Clients = Callable[[str], "BaseClient"]
"""A client for the name of a service."""


def properties(clients: Clients, job: Job, described: dict[str, Json]) -> dict[str, Json]:
    """What expressions can read of a resource that has succeeded."""
    compute = COMPUTED.get(job.noun)
    return {**described, **compute(clients, described)} if compute else described


def _ranked_training_jobs(clients: Clients, described: Mapping[str, Json]) -> dict[str, Json]:
    """The training jobs of a tuning job, the best first; those without an objective are left out.

    "The top 50 performing training jobs, ranked according to the objective" (developer guide).
    """
    client = clients("sagemaker")
    request: dict[str, Json] = {
        "HyperParameterTuningJobName": described["HyperParameterTuningJobName"],
        "SortBy": "FinalObjectiveMetricValue",
        "SortOrder": "Ascending" if _objective(described) == "Minimize" else "Descending",
        "MaxResults": MOST_TRAINING_JOBS,
    }
    ranked: list[Json] = []
    for page in aws.pages(client, "ListTrainingJobsForHyperParameterTuningJob", request):
        ranked += page["TrainingJobSummaries"]
        if len(ranked) >= MOST_TRAINING_JOBS:
            break
    return {"TrainingJobSummaries": ranked[:MOST_TRAINING_JOBS]}


def _objective(described: Mapping[str, Json]) -> Json:
    """`Maximize` or `Minimize`; where there are several algorithms, each has the objective."""
    several = described.get("TrainingJobDefinitions")
    for definition in several if isinstance(several, list) else []:
        return member(definition, "TuningObjective.Type")
    return member(
        dict(described), "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.Type"
    )


def _report_paths(clients: Clients, described: Mapping[str, Json]) -> dict[str, Json]:
    """The S3 URIs of the reports on the best candidate of an AutoML job, as far as they are there.

    Describe tells the folders alone.
    """
    folders = "BestCandidate.CandidateProperties.CandidateArtifactLocations"
    paths: dict[str, Json] = {}
    for name, location, file in REPORTS:
        folder = member(dict(described), f"{folders}.{location}")
        if isinstance(folder, str) and (found := _report(clients, folder, file)):
            paths[name] = found
    return {"BestCandidateProperties": paths}


def _report(clients: Clients, folder: str, file: str) -> str | None:
    """The object of that name below a folder, or the only JSON object there."""
    bucket, prefix = objects.split(folder)
    request: dict[str, Json] = {"Bucket": bucket, "Prefix": f"{prefix.rstrip('/')}/"}
    try:
        found = aws.call(clients("s3"), "ListObjectsV2", request).get("Contents", [])
    except (AccessDeniedError, ClientError, BotoCoreError) as error:
        log.warning("the report in %s cannot be looked for: %s", folder, error)
        return None
    keys = [str(each["Key"]) for each in found if each["Key"].endswith(".json")]
    chosen = [key for key in keys if key.endswith(f"/{file}")] or keys
    if len(chosen) == 1:
        return f"s3://{bucket}/{chosen[0]}"
    log.warning("no report in %s: %d JSON files and no %s", folder, len(keys), file)
    return None


MOST_TRAINING_JOBS = 50

# Property, member of CandidateArtifactLocations, the file's name as Autopilot's reports have it.
# How SageMaker Pipelines finds the file is not documented.
REPORTS = (
    ("ModelInsightsJsonReportPath", "ModelInsights", "statistics.json"),
    ("ExplainabilityJsonReportPath", "Explainability", "analysis.json"),
)

COMPUTED: dict[str, Callable[[Clients, Mapping[str, Json]], dict[str, Json]]] = {
    "AutoMLJob": _report_paths,
    "HyperParameterTuningJob": _ranked_training_jobs,
}
"""Properties beside those of Describe, by the noun of the resource."""
