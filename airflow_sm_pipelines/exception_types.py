"""What SageMaker Pipelines calls an error: the exception types that retry policies name.

To tell another kind of failed job, add a row to `REASONS`.
"""

import re

from botocore.exceptions import ClientError

from airflow_sm_pipelines import aws
from airflow_sm_pipelines.errors import JobError

THROTTLING = "Step.THROTTLING"
SERVICE_FAULT = "Step.SERVICE_FAULT"
INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
EMR_RESOURCE_LIMIT = "Emr.RESOURCE_LIMIT"


def of(error: BaseException) -> str:
    """The exception type of an error; "" where it is none that a policy can name."""
    match error:
        case JobError():
            return error.exception_type
        case ClientError():
            return _of_call(error)
    return ""


def of_reason(reason: str, service: str = "sagemaker") -> str:
    """The exception type of a job with that FailureReason; "" where no retry is appropriate.

    What comes first in a reason is the service's; what follows may be the user's own words.
    """
    rows = REASONS.get(service, ())
    return next((name for pattern, name in rows if pattern.match(reason)), "")


def is_expired(error: BaseException) -> bool:
    """Whether a call was refused because its credentials have expired."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in EXPIRED


def _of_call(error: ClientError) -> str:
    """The type of a call that AWS has turned away."""
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message") or ""
    status = aws.http_status(error)
    if code in aws.BUSY or status == TOO_MANY_REQUESTS:
        return THROTTLING
    if status >= INTERNAL_SERVER_ERROR:
        return SERVICE_FAULT
    # "A service limit was reached": synchronous, by the call that creates (SDK, workflow/retry.py).
    if code == "ResourceLimitExceeded" and error.operation_name.startswith("Create"):
        return RESOURCE_LIMIT
    limited = code in EMR_QUOTAS or EMR_FULL.match(message)
    return EMR_RESOURCE_LIMIT if limited and error.operation_name in EMR_CALLS else ""


TOO_MANY_REQUESTS = 429
INTERNAL_SERVER_ERROR = 500

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})

IMPLICIT = frozenset({THROTTLING, SERVICE_FAULT})
"""What the service retries without any policy, "regardless of pipeline step type by default"."""

ALIASES = {"SageMaker.JOB_CAPACITY_ERROR": CAPACITY_ERROR}
"""Names of older editions of the developer guide."""

# The SDK, workflow/retry.py: an internal error is a reason that starts with InternalServerError.
# Of capacity it gives no text; "CapacityError: Unable to provision requested ML compute capacity"
# is what users are shown. AlgorithmError and ClientError are not to be retried.
# A cluster that EC2 refuses instances ends with the sentence of the last row.
REASONS: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    "sagemaker": (
        (re.compile(r"InternalServerError\b"), INTERNAL_ERROR),
        (re.compile(r"(Capacity|Insufficient\w*Capacity)(Error|Exception)?\b"), CAPACITY_ERROR),
    ),
    "emr": (
        (
            re.compile(
                r"The request to create the EMR cluster or add EC2 instances to it failed\b"
                r".*\b(limit|quota)",
                re.DOTALL,
            ),
            EMR_RESOURCE_LIMIT,
        ),
    ),
}
"""By service."""

EMR_CALLS = frozenset(
    {"AddJobFlowSteps", "CreateApplication", "RunJobFlow", "StartApplication", "StartJobRun"}
)
EMR_QUOTAS = frozenset({"LimitExceededException", "ServiceQuotaExceededException"})
EMR_FULL = re.compile("Maximum number of active steps")
"""How AddJobFlowSteps refuses a cluster's 257th step."""
