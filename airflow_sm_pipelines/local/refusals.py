"""What a service of AWS answers in place of what was asked for, in the protocol of the request.

Codes and messages of the JSON protocols are those of AWS's "Common Error Types"; S3 and services of
the query protocol have codes of their own.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.account import ACCOUNT_ID
from airflow_sm_pipelines.local.backend import json_error
from airflow_sm_pipelines.local.calls import Call
from airflow_sm_pipelines.local.control.fault import LIMITED
from airflow_sm_pipelines.local.errors import AwsError


def refusal(kind: str, call: Call) -> AwsError:
    """The error of a kind of fault, as the service of the request has it."""
    rows = REFUSALS[kind]
    code, message, status = rows.get(call.protocol) or rows["json"]
    return AwsError(code, message.format(**_words(call)), status)


def response(error: AwsError, call: Call) -> Response:
    """An error in the protocol of the request."""
    return _WRITERS[call.protocol](error)


def _words(call: Call) -> dict[str, object]:
    """What messages tell of a request."""
    instances = next(_instances(call.request), {})
    kind = instances.get("InstanceType", "ml.m5.xlarge")
    return {
        "action": call.action,
        "account": ACCOUNT_ID,
        "limit": LIMITED.get(call.operation, "").format(type=kind),
        "delta": instances.get("InstanceCount", 1),
    }


def _instances(value: object) -> Iterator[Mapping[str, Any]]:
    """The parts of a request that ask for instances."""
    match value:
        case dict() if "InstanceType" in value:
            yield value
        case dict():
            for each in value.values():
                yield from _instances(each)
        case list():
            for each in value:
                yield from _instances(each)


def _json(error: AwsError) -> Response:
    return json_error(error.code, error.message, error.status)


def _query(error: AwsError) -> Response:
    kind = "Sender" if error.status < 500 else "Receiver"
    content = f"<ErrorResponse><Error><Type>{kind}</Type>{_told(error)}</Error></ErrorResponse>"
    return Response(content, status=error.status, content_type="text/xml")


def _s3(error: AwsError) -> Response:
    content = f"<Error>{_told(error)}</Error>"
    return Response(content, status=error.status, content_type="application/xml")


def _told(error: AwsError) -> str:
    return f"<Code>{error.code}</Code><Message>{escape(error.message)}</Message>"


_WRITERS: dict[str, Callable[[AwsError], Response]] = {
    "json": _json,
    "query": _query,
    "s3": _s3,
}

_FAILED = "The request processing has failed because of an unknown error, exception or failure."
_UNAVAILABLE = "The request has failed due to a temporary failure of the server."
_EXPIRED = "The security token included in the request is expired"
_DENIED = (
    "User: arn:aws:sts::{account}:user/local is not authorized to perform: {action} "
    "because no identity-based policy allows the {action} action"
)
_LIMIT = (
    "The account-level service limit '{limit}' is 0 Instances, with current utilization of "
    "0 Instances and a request delta of {delta} Instances. Please use AWS Service Quotas to "
    "request an increase for this quota."
)

# Kind of fault -> protocol -> code, message, HTTP status; "json" where a protocol has no row.
REFUSALS: dict[str, dict[str, tuple[str, str, int]]] = {
    "Throttling": {
        "json": ("ThrottlingException", "Rate exceeded", 400),
        "query": ("Throttling", "Rate exceeded", 400),
        "s3": ("SlowDown", "Please reduce your request rate.", 503),
    },
    "TooManyRequests": {"json": ("TooManyRequestsException", "Too Many Requests", 429)},
    "InternalFailure": {
        "json": ("InternalFailure", _FAILED, 500),
        "s3": ("InternalError", "We encountered an internal error. Please try again.", 500),
    },
    "ServiceUnavailable": {
        "json": ("ServiceUnavailable", _UNAVAILABLE, 503),
        "s3": ("ServiceUnavailable", "Service is unable to handle request.", 503),
    },
    "ExpiredToken": {
        "json": ("ExpiredTokenException", _EXPIRED, 400),
        "query": ("ExpiredToken", _EXPIRED, 403),
        "s3": ("ExpiredToken", "The provided token has expired.", 400),
    },
    "AccessDenied": {
        "json": ("AccessDeniedException", _DENIED, 400),
        "query": ("AccessDenied", _DENIED, 403),
        "s3": ("AccessDenied", _DENIED, 403),
    },
    "ResourceLimit": {"json": ("ResourceLimitExceeded", _LIMIT, 400)},
}
