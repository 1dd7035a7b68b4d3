"""EMR as its callers see it: the operations on clusters and steps. The clusters: `clusters.py`.

To answer another operation, write its method and add a row to `OPERATIONS`.
"""

import functools
import json
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.model import ServiceModel
from werkzeug.wrappers import Response

from airflow_sm_pipelines.local import kept, shapes
from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call, body, reads
from airflow_sm_pipelines.local.control.disruption import Answer
from airflow_sm_pipelines.local.emr.clusters import RECORD, Cluster, MakeBench, Site
from airflow_sm_pipelines.local.emr.steps import Fields
from airflow_sm_pipelines.local.errors import AwsError, KeptError
from airflow_sm_pipelines.local.sessions import neutral_session

logger = logging.getLogger(__name__)


class Emr:
    """All clusters of the local AWS, in folders below `folder`."""

    def __init__(
        self, account: Account, folder: Path, *, bench: MakeBench, grace_seconds: float
    ) -> None:
        self._site = Site(region=account.region, folder=folder, bench=bench)
        self._grace_seconds = grace_seconds
        self._lock = threading.Lock()
        self._earlier_read = False
        self._clusters: dict[str, Cluster] = {}
        self._closed = False

    def concern(self, call: Call) -> bool:
        """Whether a request is one that is answered here."""
        return call.service == "elasticmapreduce"

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """The answer to a request."""
        try:
            content = self._answered(call.operation, body(environ))
        except AwsError as error:
            refused = json_error(error.code, error.message, error.status)
            return Answer(response=refused, outcome=error.code)
        response = Response(
            json.dumps(content),
            content_type="application/x-amz-json-1.1",
            headers={"x-amzn-RequestId": str(uuid.uuid4())},
        )
        return Answer(response=response, effect=not reads(call.operation))

    def close(self, *, grace_seconds: float) -> None:
        """End every cluster, and return when the last process has ended."""
        with self._lock:
            self._closed = True
            clusters = list(self._clusters.values())
        for cluster in clusters:
            cluster.close(grace_seconds=grace_seconds)
        for cluster in clusters:
            cluster.join()

    def _answered(self, operation: str, content: bytes) -> Fields:
        if operation not in OPERATIONS:
            message = f"elasticmapreduce: {operation} is not there in the local AWS"
            raise AwsError("NotImplemented", message)
        try:
            request = json.loads(content or b"{}")
        except ValueError as error:
            raise AwsError("SerializationException", str(error)) from error
        self._read_earlier()
        shapes.conforms(request, _model().operation_model(operation).input_shape)
        return OPERATIONS[operation](self, request)

    def _read_earlier(self) -> None:
        """Know the clusters of an earlier server, once somebody asks for any."""
        with self._lock:
            if self._earlier_read:
                return
            self._earlier_read = True
            found = []
            for file in self._site.folder.glob(f"*/{RECORD}"):
                try:
                    value = kept.read(file)["Cluster"]
                    if value["Region"] == self._site.region:
                        found.append(Cluster.read(value, self._site))
                except (KeptError, LookupError, TypeError, AttributeError) as error:
                    logger.warning("%s: left out: %s", file, error)
            for cluster in sorted(found, key=lambda each: each.times["CreationDateTime"]):
                self._clusters[cluster.id] = cluster

    def _cluster(self, identifier: str) -> Cluster:
        with self._lock:
            cluster = self._clusters.get(identifier)
        if cluster is None:
            message = f"Cluster id '{identifier}' is not valid."
            raise AwsError("InvalidRequestException", message)
        return cluster

    def _flow(self, identifier: str) -> Cluster:
        """As `_cluster`, for the older operations, which say it otherwise."""
        try:
            return self._cluster(identifier)
        except AwsError as error:
            message = "Specified job flow ID does not exist."
            raise AwsError("ValidationException", message) from error

    def _run_job_flow(self, request: Fields) -> Fields:
        with self._lock:
            if self._closed:
                raise AwsError("ServiceUnavailable", "the local AWS is being stopped", 503)
            cluster = Cluster.start(request, self._site)
            self._clusters[cluster.id] = cluster
        return {"JobFlowId": cluster.id, "ClusterArn": cluster.arn}

    def _add_steps(self, request: Fields) -> Fields:
        role = request.get("ExecutionRoleArn")
        return {"StepIds": self._flow(request["JobFlowId"]).add(request["Steps"], role=role)}

    def _describe_step(self, request: Fields) -> Fields:
        step = self._cluster(request["ClusterId"]).step(request["StepId"])
        return {"Step": step.described()}

    def _list_steps(self, request: Fields) -> Fields:
        steps = self._cluster(request["ClusterId"]).steps[::-1]
        if ids := request.get("StepIds"):
            steps = [step for step in steps if step.id in ids]
        if states := request.get("StepStates"):
            steps = [step for step in steps if step.state in states]
        return _page("Steps", [step.described() for step in steps], request)

    def _cancel_steps(self, request: Fields) -> Fields:
        cluster = self._cluster(request["ClusterId"])
        forced = request.get("StepCancellationOption") == "TERMINATE_PROCESS"
        grace = 0.0 if forced else self._grace_seconds
        told = [cluster.cancel(each, grace_seconds=grace) for each in request["StepIds"]]
        return {"CancelStepsInfoList": told}

    def _describe_cluster(self, request: Fields) -> Fields:
        cluster = self._cluster(request["ClusterId"])
        return {"Cluster": cluster.described()}

    def _list_clusters(self, request: Fields) -> Fields:
        with self._lock:
            clusters = list(self._clusters.values())[::-1]
        states = request.get("ClusterStates")
        after, before = request.get("CreatedAfter"), request.get("CreatedBefore")
        rows = []
        for cluster in clusters:
            created = cluster.times["CreationDateTime"].timestamp()
            if (after and created <= after) or (before and created >= before):
                continue
            if not states or cluster.state in states:
                rows.append(cluster.summary())
        return _page("Clusters", rows, request)

    def _terminate(self, request: Fields) -> Fields:
        clusters = [self._flow(each) for each in request["JobFlowIds"]]
        for cluster in clusters:
            if not cluster.protected:
                cluster.terminate(
                    code="USER_REQUEST",
                    message="Terminated by user request",
                    grace_seconds=self._grace_seconds,
                )
        if any(cluster.protected for cluster in clusters):
            raise AwsError("ValidationException", PROTECTED)
        return {}

    def _protect(self, request: Fields) -> Fields:
        for each in request["JobFlowIds"]:
            self._flow(each).protect(bool(request["TerminationProtected"]))
        return {}


@functools.cache
def _model() -> ServiceModel:
    return neutral_session().get_service_model("emr")


def _page(member: str, rows: list[Any], request: Fields) -> Mapping[str, Any]:
    """A page of 50 rows; the marker is where the next one begins."""
    try:
        start = int(request.get("Marker") or 0)
    except ValueError as error:
        message = f"Marker '{request['Marker']}' is not valid."
        raise AwsError("InvalidRequestException", message) from error
    more = {"Marker": str(start + PAGE)} if len(rows) > start + PAGE else {}
    return {member: rows[start : start + PAGE], **more}


PAGE = 50
PROTECTED = "Could not shut down one or more job flows since they are termination protected."

OPERATIONS: dict[str, Callable[[Emr, Fields], Fields]] = {
    "AddJobFlowSteps": Emr._add_steps,
    "CancelSteps": Emr._cancel_steps,
    "DescribeCluster": Emr._describe_cluster,
    "DescribeStep": Emr._describe_step,
    "ListClusters": Emr._list_clusters,
    "ListSteps": Emr._list_steps,
    "RunJobFlow": Emr._run_job_flow,
    "SetTerminationProtection": Emr._protect,
    "TerminateJobFlows": Emr._terminate,
}
