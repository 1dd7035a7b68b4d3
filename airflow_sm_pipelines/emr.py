"""A step of an EMR cluster: submitted to one that is there, or with a cluster of its own.

AddJobFlowSteps and RunJobFlow know no token, so the step has a name that no other has, and is found
by it. A cluster of the step's own has the same name: it is the step's if both names are the same,
ends by itself when the step has ended, and is terminated to stop the step.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from airflow_sm_pipelines import aws, settings, tagging
from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import EMR_STEP
from airflow_sm_pipelines.errors import JobError, JobLostError, UnseenError
from airflow_sm_pipelines.members import member

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSubmission:
    """The step of one attempt, on the cluster that Arguments name or configure."""

    name: str
    arguments: Mapping[str, Any]
    """Those of the definition's step, resolved."""
    origin: Mapping[str, str]
    """Where it comes from, for the tags of a cluster."""
    since: datetime
    """When it can have been submitted at the earliest."""

    @property
    def told_apart(self) -> dict[str, str]:
        """The cluster, where it is there already."""
        cluster = self.arguments.get("ClusterId")
        return {CLUSTER: str(cluster)} if cluster else {}

    @property
    def request(self) -> dict[str, Json]:
        """What AddJobFlowSteps, or RunJobFlow, is asked."""
        step = {**self.arguments["StepConfig"], "Name": self.name}
        if self.told_apart:
            role = self.arguments.get("ExecutionRoleArn")
            given = {"ExecutionRoleArn": role} if role else {}
            # Without this a step that fails would end the cluster, which is not the step's.
            kept = {"ActionOnFailure": KEPT, **step}
            return {"JobFlowId": self.told_apart[CLUSTER], "Steps": [kept], **given}
        return self._with_cluster(step)

    def prepared(self, client: "BaseClient", known: Mapping[str, str]) -> "StepSubmission":
        """Itself: a step needs nothing beforehand."""
        return self

    def find(self, client: "BaseClient") -> Sequence[aws.Resource]:
        """The steps of that name."""
        return find(client, name=self.name, told_apart=self.told_apart, since=self.since)

    def submit(self, client: "BaseClient") -> aws.Resource:
        """Add the step to its cluster, or start a cluster with it."""
        if cluster := self.told_apart.get(CLUSTER):
            added = aws.call(client, "AddJobFlowSteps", self.request)
            return _step(cluster, added["StepIds"][0])
        cluster = str(aws.call(client, "RunJobFlow", self.request)["JobFlowId"])
        return _only_step(client, cluster, name=self.name, since=self.since)

    def _with_cluster(self, step: dict[str, Json]) -> dict[str, Json]:
        """A cluster that ends with its only step, whoever is there to see it."""
        config = self.arguments["ClusterConfig"]
        instances = {**config.get("Instances", {}), "KeepJobFlowAliveWhenNoSteps": False}
        request: dict[str, Json] = {
            **config,
            "Name": self.name,
            "Instances": instances,
            "Steps": [{"ActionOnFailure": "TERMINATE_CLUSTER", **step}],
        }
        if settings.tags():
            request["Tags"] = tagging.with_origin(config.get("Tags"), self.origin)
        return request


def find(
    client: "BaseClient", *, name: str, told_apart: Mapping[str, str], since: datetime
) -> list[aws.Resource]:
    """The steps of a name, the oldest first, on that cluster or on clusters of the same name."""
    if cluster := told_apart.get(CLUSTER):
        rows = [*_named_steps(client, cluster, name=name, since=since)]
        return [_step(cluster, str(row["Id"])) for row in sorted(rows, key=_created)]
    named = [row for row in _clusters(client, since) if row["Name"] == name]
    return [
        _only_step(client, str(row["Id"]), name=name, since=since)
        for row in sorted(named, key=_created)
    ]


def stop(client: "BaseClient", resource: aws.Resource) -> bool:
    """Interrupt a step, or terminate the cluster that is its own; False where it has ended."""
    try:
        described = aws.describe(client, resource)
    except JobLostError as error:
        log.info("%s was not stopped: %s", resource, error)
        return False
    if resource.final_status(described):
        log.info("%s was not stopped, it has ended", resource)
        return False
    cluster = resource.told_apart[CLUSTER]
    told = aws.call(client, "DescribeCluster", {CLUSTER: cluster})["Cluster"]
    if told["Name"] == described["Name"]:
        aws.call(client, "TerminateJobFlows", {"JobFlowIds": [cluster]})
        log.info("%s is being stopped, its cluster %s terminated", resource, cluster)
        return True
    return _cancelled(client, resource, cluster)


def cluster_of(client: "BaseClient", resource: aws.Resource) -> dict[str, Json]:
    """What AWS says of the cluster of a step."""
    told = aws.call(client, "DescribeCluster", {CLUSTER: resource.told_apart[CLUSTER]})
    return dict(told["Cluster"])


def asked(attributes: Mapping[str, Json]) -> dict[str, Json]:
    """What Arguments ask of a step, by member, as `as_asked` has it of one that is there.

    The name is left out: what a step is asked to be named is the beginning of its name alone.
    """
    config: Any = attributes["StepConfig"]
    jar = config["HadoopJarStep"]
    properties = {each["Key"]: each.get("Value") for each in jar.get("Properties") or ()}
    return {
        **attributes,
        "StepConfig": {
            "ActionOnFailure": KEPT,
            **{key: value for key, value in config.items() if key != "Name"},
            "HadoopJarStep": {**jar, "Properties": properties},
        },
    }


def as_asked(described: Mapping[str, Json]) -> dict[str, Json]:
    """A description of a step in the words of Arguments, but for properties, which are a map."""
    logs = {key: described[key] for key in LOGS if described.get(key)}
    return {
        **described,
        "StepConfig": {
            "ActionOnFailure": described.get("ActionOnFailure"),
            "HadoopJarStep": described.get("Config"),
            **(
                {"StepMonitoringConfiguration": {"S3MonitoringConfiguration": logs}} if logs else {}
            ),
        },
    }


def _cancelled(client: "BaseClient", resource: aws.Resource, cluster: str) -> bool:
    request: dict[str, Json] = {
        CLUSTER: cluster,
        "StepIds": [resource.identifier],
        "StepCancellationOption": "SEND_INTERRUPT",
    }
    try:
        told = aws.call(client, "CancelSteps", request)["CancelStepsInfoList"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"InvalidRequestException", ENDED}:
            raise
        log.info("%s was not stopped: %s", resource, error)
        return False
    for each in told:
        if each.get("Status") == "FAILED":
            log.info("%s was not stopped: %s", resource, each.get("Reason"))
            return False
    log.info("%s is being stopped", resource)
    return True


def _step(cluster: str, step: str) -> aws.Resource:
    return aws.Resource(EMR_STEP, step, told_apart={CLUSTER: cluster})


def _only_step(client: "BaseClient", cluster: str, *, name: str, since: datetime) -> aws.Resource:
    """The step of a cluster of its own; an `UnseenError` while AWS does not list it."""
    for row in _named_steps(client, cluster, name=name, since=since):
        return _step(cluster, str(row["Id"]))
    raise UnseenError(f"cluster {cluster} is there, its step {name} is not listed yet")


def _created(row: dict[str, Any]) -> tuple[datetime, str]:
    """What steps, and clusters alike, are ordered by; the same for whoever asks."""
    return datetime.fromisoformat(str(member(row, EMR_STEP.created))), str(row["Id"])


def _named_steps(
    client: "BaseClient", cluster: str, *, name: str, since: datetime
) -> Iterator[dict[str, Any]]:
    """The steps of that name on a cluster; ListSteps tells the newest first."""
    for row in _rows(client, "ListSteps", {CLUSTER: cluster}, "Steps"):
        if _created(row)[0] < since:
            return
        if row["Name"] == name:
            yield row


def _clusters(client: "BaseClient", since: datetime) -> Iterator[dict[str, Any]]:
    # botocore takes a time; JSON has none.
    request: dict[str, Any] = {"CreatedAfter": since}
    return _rows(client, "ListClusters", request, "Clusters")


def _rows(
    client: "BaseClient", operation: str, request: Mapping[str, Any], rows: str
) -> Iterator[dict[str, Any]]:
    """The rows of a list, page by page."""
    for number, page in enumerate(aws.pages(client, operation, request)):
        if number == MOST_PAGES:  # to take it for absent would submit it twice
            raise JobError(f"{operation}: more than {number} pages; what is there cannot be told")
        yield from page[rows]


CLUSTER = "ClusterId"
KEPT = "CONTINUE"
LOGS = ("LogUri", "EncryptionKeyArn")
ENDED = "ValidationException"
MOST_PAGES = 40
"""Pages of 50; a search goes no further back than the step's own time."""
