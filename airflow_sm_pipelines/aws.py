"""AWS calls for a `STEP_TYPES` row, and the connection they go through.

Every call raises typed errors: a refusal is an `AccessDeniedError` that names the action, a name
that is taken a `NameTakenError`, everything else botocore's own.
"""

import logging
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    TokenRetrievalError,
)

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.definition.resources import Job
from airflow_sm_pipelines.errors import (
    AccessDeniedError,
    JobLostError,
    NameTakenError,
    UnseenError,
)
from airflow_sm_pipelines.members import member

if TYPE_CHECKING:
    from botocore.client import BaseClient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Connection:
    """An Airflow connection to AWS and the region to use it in (None: the connection's own)."""

    conn_id: str | None
    region_name: str | None = None

    def client(self, service: str, **config: Any) -> "BaseClient":
        """A boto3 client, made anew; what the connection says of retries goes before ours.

        `config` are settings of botocore that go before both.
        """
        # The hook brings boto3, which takes longer than building a DAG: not while parsing.
        from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
        from botocore.config import Config

        hook = AwsBaseHook(
            aws_conn_id=self.conn_id, region_name=self.region_name, client_type=service
        )
        patient = Config(retries={"mode": "standard", "max_attempts": 5})
        client: BaseClient = hook.get_client_type(
            region_name=hook.region_name,
            config=patient.merge(hook.config).merge(Config(**config)),
        )
        return client


@dataclass(frozen=True, slots=True)
class Resource:
    """What a step has in AWS, as Describe and Stop are asked for it."""

    job: Job
    identifier: str
    _: KW_ONLY
    told_apart: Mapping[str, str] = field(default_factory=dict)
    """The members that are asked for beside the name: `{"JobCategory": ...}`."""
    unchanged_since: str = ""
    """Its `last_change` before our update; "" where it was not updated."""

    @classmethod
    def of(cls, job: Job, identifier: str, request: Mapping[str, Json]) -> "Resource":
        """The resource that a Create or Update request is about."""
        given = [member for member in job.told_apart if member in request]
        return cls(job, identifier, told_apart={member: str(request[member]) for member in given})

    @property
    def request(self) -> dict[str, Json]:
        """What Describe and Stop are asked."""
        return {self.job.describe_name: self.identifier, **self.told_apart}

    def final_status(self, described: Mapping[str, Json]) -> str | None:
        """The status that a description ends the wait with; None while it is to be waited for.

        An endpoint is InService before an update as well as after it, also after one that was
        rolled back: a description from before the update is not yet an answer to it.
        """
        status = str(self.status(described))
        if self.unchanged_since and last_change(described) == self.unchanged_since:
            return None
        return status if status in self.job.succeeded | self.job.failed else None

    def status(self, described: Mapping[str, Json]) -> Json:
        """The status that a description tells; None where it tells none."""
        return member(dict(described), self.job.status or "")

    def created(self, described: Mapping[str, Json]) -> datetime:
        """When it was created, by AWS's clock."""
        return datetime.fromisoformat(str(member(dict(described), self.job.created)))

    def status_text(self, described: Mapping[str, Json]) -> str:
        """The status in words: `InProgress`, or `InProgress: Training` where AWS says more."""
        status = str(self.status(described))
        more = [str(described[member]) for member in self.job.secondary if described.get(member)]
        return ": ".join(dict.fromkeys([status, *more]))

    def __str__(self) -> str:
        return f"{self.job.noun} {self.identifier}"


def create(client: "BaseClient", job: Job, request: Mapping[str, Json]) -> Resource:
    """Create the resource of a step; a NameTakenError tells that there is one of that name."""
    if job.group and (group := request.get(f"{job.group}Name")):
        _ensure_group(client, job.group, str(group))
    try:
        response = call(client, f"Create{job.noun}", request)
    except ClientError as error:
        if _name_is_taken(error):
            raise NameTakenError(f"{job.noun} {request.get(job.create_name or '')}") from error
        raise
    identifier = str(request[job.create_name] if job.create_name else response[job.arn])
    return Resource.of(job, identifier, request)


def update(client: "BaseClient", job: Job, request: Mapping[str, Json]) -> None:
    """Update the resource that a Create request is about, with what of it Update takes."""
    taken = updatable(client, job)
    call(client, f"Update{job.noun}", {key: request[key] for key in request if key in taken})


def updatable(client: "BaseClient", job: Job) -> frozenset[str]:
    """The members of a Create request that Update takes as well; tags are not among them."""
    shape = client.meta.service_model.operation_model(f"Update{job.noun}").input_shape
    return frozenset(shape.members if shape else ())


def describe(client: "BaseClient", resource: Resource) -> dict[str, Json]:
    """What AWS says of a resource, as JSON: times in ISO 8601, no response metadata."""
    job = resource.job
    try:
        told = call(client, job.describes or f"Describe{job.noun}", resource.request)
        return {**told[job.answer], **resource.told_apart} if job.answer else told
    except ClientError as error:
        if is_unknown(error):
            raise JobLostError(f"{resource}: AWS does not know it (any more)") from error
        raise


def last_change(described: Mapping[str, Json]) -> str:
    """When a resource was last changed, by AWS's clock and in UTC; "" where AWS does not tell.

    Each process writes a time in its own zone.
    """
    moment = described.get("LastModifiedTime")
    return datetime.fromisoformat(str(moment)).astimezone(UTC).isoformat() if moment else ""


def stop(client: "BaseClient", resource: Resource) -> bool:
    """Ask AWS to stop a job; False where that kind has no stop, or the job has just ended."""
    if not resource.job.stops:
        log.warning("%s cannot be stopped: AWS has no call for it", resource)
        return False
    try:
        call(client, f"Stop{resource.job.noun}", resource.request)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ResourceNotFound", "ValidationException"}:
            raise
        log.info("%s was not stopped, it has ended: %s", resource, error)
        return False
    log.info("%s is being stopped", resource)
    return True


def log_tail(client: "BaseClient", job: Job, name: str, *, lines: int = 50) -> tuple[str, ...]:
    """The last lines of a job's log, those of all hosts by time; empty if they cannot be read."""
    if job.log_group is None:
        return ()
    try:
        events = _last_events(client, job.log_group, prefix=f"{name}/", most=lines)
    except (AccessDeniedError, ClientError, BotoCoreError) as error:
        log.warning("the log of %s %s cannot be read: %s", job.noun, name, error)
        return ()
    events.sort(key=lambda event: int(event["timestamp"]))
    return tuple(event["message"] for event in events[-lines:])


def call(client: "BaseClient", operation: str, request: Mapping[str, Json]) -> dict[str, Any]:
    """The response of an operation, JSON-safe; `request` as the API has it."""
    try:
        response = getattr(client, xform_name(operation))(**request)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            raise _denied(client, operation, request, error) from error
        raise
    return {key: as_json(value) for key, value in response.items() if key != "ResponseMetadata"}


def pages(
    client: "BaseClient", operation: str, request: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The pages of a list, each asked for when it is needed."""
    asked = dict(request)
    while True:
        page = call(client, operation, asked)
        yield page
        more = {name: page[name] for name in TOKENS if page.get(name)}
        if not more:
            return
        asked |= more


def as_json(value: Any) -> Any:
    """A member of a response as JSON: times as ISO 8601 text, what is no number as `NaN`."""
    match value:
        case dict():
            return {key: as_json(member) for key, member in value.items()}
        case list():
            return [as_json(element) for element in value]
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            # A diverged metric. JSON has no such number; AWS's own protocols write it like this.
            return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def _last_events(
    client: "BaseClient", group: str, *, prefix: str, most: int
) -> list[dict[str, Any]]:
    """The last events of each of the streams with that prefix, of which a job has one per host."""
    found = call(
        client, "DescribeLogStreams", {"logGroupName": group, "logStreamNamePrefix": prefix}
    )
    return [
        event
        for stream in found["logStreams"]
        for event in call(
            client,
            "GetLogEvents",
            {
                "logGroupName": group,
                "logStreamName": stream["logStreamName"],
                "limit": most,
                "startFromHead": False,
            },
        )["events"]
    ]


def _ensure_group(client: "BaseClient", noun: str, name: str) -> None:
    """Create the group that a resource is put in, as SageMaker Pipelines does.

    It has no tags: it is shared by all runs, and by all pipelines that register there.
    """
    try:
        ensure(client, f"Create{noun}", {f"{noun}Name": name})
    except AccessDeniedError as error:
        log.warning("%s; if the group is there, that does no harm", error)


def ensure(client: "BaseClient", operation: str, request: Mapping[str, Json]) -> None:
    """Create what several tasks need and the first of them creates; it may be there already."""
    try:
        call(client, operation, request)
    except ClientError as error:
        if not _name_is_taken(error):
            raise


def passes(error: Exception) -> bool:
    """Whether the same call, later and without any change, may succeed."""
    if isinstance(error, ClientError):
        status = http_status(error)
        return status >= 500 or status == 429 or error.response["Error"]["Code"] in BUSY
    lasting = (ParamValidationError, NoCredentialsError)
    return isinstance(error, BotoCoreError | UnseenError) and not isinstance(error, lasting)


def expired(error: Exception) -> bool:
    """Whether the same call may succeed with credentials that are had anew."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in EXPIRED
    return isinstance(error, CredentialRetrievalError | TokenRetrievalError)


def _denied(
    client: "BaseClient", operation: str, request: Mapping[str, Json], error: ClientError
) -> AccessDeniedError:
    message = error.response["Error"].get("Message") or ""
    # S3 puts the resource in quotation marks, the other services do not.
    resource = re.search(r'on resource: "?([^\s"]+)', message)
    action = re.search(r"perform: ([\w-]+:\w+)", message)
    names = "/".join(str(value) for key, value in request.items() if _NAMES.fullmatch(key))
    service = client.meta.service_model.signing_name
    return AccessDeniedError(
        action=action[1] if action else f"{service}:{operation}",
        resource=resource[1] if resource else names or "*",
        message=message,
    )


def _name_is_taken(error: ClientError) -> bool:
    detail = error.response["Error"]
    # Jobs answer ResourceInUse; models, groups and endpoints a ValidationException
    # "Cannot create already existing model ..." or "... already exists".
    return detail["Code"] == "ResourceInUse" or (
        detail["Code"] == "ValidationException" and "already exist" in (detail.get("Message") or "")
    )


def http_status(error: ClientError) -> int:
    """The status of the answer; 0 where an error tells none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def is_refused(error: ClientError) -> bool:
    """Whether AWS has refused to make something: it knows why, and has made nothing."""
    return 400 <= http_status(error) < 500 and not _READS.match(error.operation_name)


def is_unknown(error: ClientError) -> bool:
    """Whether AWS refuses a call because what it is about is not there."""
    detail = error.response["Error"]
    # Jobs answer ValidationException "Requested resource not found.", models "Could not find ...",
    # EMR InvalidRequestException "Step id 's-1' is not valid.".
    return detail["Code"] in {"ResourceNotFound", "ResourceNotFoundException"} or (
        detail["Code"] in {"ValidationException", "InvalidRequestException"}
        and UNKNOWN.search(detail.get("Message") or "") is not None
    )


TOKENS = ("NextToken", "nextToken", "Marker")
"""How lists name what leads to the next page, in a request as in its answer."""

_NAMES = re.compile("Bucket|Key|.*Name")
_READS = re.compile("Describe|Get|List|Head")
UNKNOWN = re.compile("not found|could not find|does not exist|id '[^']*' is not valid", re.I)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})

EXPIRED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "TokenRefreshRequired",
        "UnrecognizedClientException",
    }
)
"""The codes by which AWS's services say that credentials are no longer good, or not yet."""

# The codes by which AWS's services say "not now", as botocore's standard retries know them.
BUSY = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
