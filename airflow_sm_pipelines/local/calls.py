"""What a request asks for: of which service, which operation, about what.

SageMaker's requests name their operation in a header, as those of all JSON protocols do; requests
of the query protocol name it in their body. What a REST request asks for is looked up in the
service's model. A service is named as in IAM's actions (`elasticmapreduce`, not `emr`).
"""

import functools
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import DataNotFoundError
from botocore.model import OperationModel, ServiceModel
from werkzeug.wrappers import Request

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.sessions import neutral_session

SAGEMAKER = "sagemaker"

_SCOPE = re.compile(r"Credential=[^,\s]*/\d{8}/[\w-]+/([\w.-]+)/aws4_request")
_SCOPE_OF_A_LINK = re.compile(r"/\d{8}/[\w-]+/([\w.-]+)/aws4_request")
_READING = re.compile(r"(Batch)?(Describe|Get|Head|List|Query|Render|Search)")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of AWS's protocols; a service or an operation that cannot be told is "".

    `protocol` is a key of the answers in `refusals.py`; `request` is the body of one to SageMaker.
    """

    service: str
    operation: str
    protocol: str = "json"
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """The operation as policies name it."""
        return f"{self.service or '?'}:{self.operation or '?'}"

    @property
    def name(self) -> str:
        """What a request to SageMaker is about: a name or an ARN, or ""."""
        noun = re.sub(r"^[A-Z][a-z]+", "", self.operation)
        named = (self.request.get(key.format(noun=noun)) for key in _NAMES)
        return next((each for each in named if isinstance(each, str)), "")


def called(environ: dict[str, Any]) -> Call:
    """What a WSGI request asks for; a body that was read for that can be read again."""
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    service, operation = signed_for(environ), target.rpartition(".")[2]
    if target.startswith("SageMaker."):
        return Call(service=SAGEMAKER, operation=operation, request=as_object(body(environ)))
    if target:
        return Call(service=service, operation=operation)
    if environ["REQUEST_METHOD"] == "POST" and environ.get("CONTENT_TYPE", "").startswith(_FORM):
        action = parse_qs(body(environ).decode("latin-1")).get("Action", [""])[0]
        return Call(service=service, operation=action, protocol="query")
    protocol = "s3" if service == "s3" else "json"
    return Call(service=service, operation=rest_operation(service, environ), protocol=protocol)


def reads(operation: str) -> bool:
    """Whether an operation changes nothing."""
    return _READING.match(operation) is not None


def signed_for(environ: Mapping[str, Any]) -> str:
    """The service that a request is signed for, or ""."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope:
        return scope[1]
    credential = parse_qs(environ.get("QUERY_STRING", "")).get("X-Amz-Credential", [""])[0]
    link = _SCOPE_OF_A_LINK.search(credential)
    return link[1] if link else ""


def body(environ: dict[str, Any]) -> bytes:
    """The body of a request, which can be read once more afterwards."""
    content = Request(environ).get_data()
    environ["wsgi.input"] = io.BytesIO(content)
    return content


def operations(service: str) -> tuple[str, ...] | None:
    """The operations of a service, or None where there is no such service."""
    model = _model(service)
    return None if model is None else tuple(model.operation_names)


def model(call: Call) -> OperationModel | None:
    """The model of what a request asks for, or None where there is none."""
    found = _model(call.service) if call.service else None
    known = found is not None and call.operation in found.operation_names
    return found.operation_model(call.operation) if found and known else None


def speaks_xml(service: str) -> bool:
    """Whether a REST service answers in XML."""
    model = _model(service) if service else None
    return model is not None and model.metadata.get("protocol") == "rest-xml"


@functools.cache
def _model(service: str) -> ServiceModel | None:
    if service == SAGEMAKER:
        return shapes.service()
    try:
        return neutral_session().get_service_model(_MODELS.get(service, service))
    except DataNotFoundError:
        return None


def as_object(content: bytes | str) -> dict[str, Any]:
    """JSON as the object that it is; empty for all else, of which whoever answers tells."""
    try:
        parsed = json.loads(content or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def rest_operation(service: str, environ: Mapping[str, Any]) -> str:
    """The operation of a REST service that fits a request best, or ""."""
    method = environ["REQUEST_METHOD"]
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    asking = [r for r in _routes(service) if r.method == method and r.asks(query, environ)]
    fitting: list[_Route] = []
    for path in _paths(environ):
        fitting = fitting or [route for route in asking if route.path.fullmatch(path)]
    best = max(fitting, key=lambda route: len(route.query) + len(route.headers), default=None)
    return best.operation if best else ""


def path(environ: Mapping[str, Any], *, parts: int) -> str:
    """The path of a REST request that its operation's model splits into so many parts."""
    fitting = (each for each in _paths(environ) if each.strip("/").count("/") == parts - 1)
    return next(fitting, environ.get("PATH_INFO", ""))


def _paths(environ: Mapping[str, Any]) -> tuple[str, str]:
    """The path of a request, and as it was sent: an ARN in it may have slashes of its own."""
    return environ.get("PATH_INFO", ""), environ.get("RAW_URI", "").partition("?")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """What tells a REST operation from others: method, path, parts of the query, headers."""

    operation: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str | None]
    headers: tuple[str, ...]

    def asks(self, query: Mapping[str, list[str]], environ: Mapping[str, Any]) -> bool:
        """Whether all is there that it needs besides method and path."""
        return all(
            name in query and (value is None or value in query[name])
            for name, value in self.query.items()
        ) and all(header in environ for header in self.headers)


@functools.cache
def _routes(service: str) -> tuple[_Route, ...]:
    model = _model(service) if service else None
    if model is None or not (model.metadata.get("protocol") or "").startswith("rest-"):
        return ()
    return tuple(_route(model.operation_model(name)) for name in model.operation_names)


def _route(operation: OperationModel) -> _Route:
    path, _, literals = operation.http["requestUri"].partition("?")
    return _Route(
        operation=operation.name,
        method=operation.http["method"],
        path=_pattern(path),
        query={
            **dict.fromkeys(_required(operation, "querystring")),
            **{key: value[0] for key, value in parse_qs(literals, keep_blank_values=True).items()},
        },
        headers=tuple(
            "HTTP_" + header.upper().replace("-", "_") for header in _required(operation, "header")
        ),
    )


def _required(operation: OperationModel, location: str) -> Iterator[str]:
    """The names in a request of the required members that are sent there."""
    shape: Any = operation.input_shape
    for name in shape.required_members if shape else ():
        where = shape.members[name].serialization
        if where.get("location") == location:
            yield where["name"]


def _pattern(path: str) -> re.Pattern[str]:
    """A path of a model, such as `/{Bucket}/{Key+}`, as a pattern."""
    parts = re.split(r"(\{[^}]+\})", path.rstrip("/"))
    written = (
        re.escape(part) if not part.startswith("{") else (".+" if part.endswith("+}") else "[^/]+")
        for part in parts
    )
    return re.compile("".join(written) + "/?", re.DOTALL)


# Where a request has what it is about, by what its operation is about.
_NAMES = (
    "{noun}Name",
    "{noun}Arn",
    "{noun}GroupName",
    "ResourceArn",
    "HyperParameterTuningJobName",
    "ModelPackageGroupName",
)

# Services that botocore names otherwise than IAM.
_MODELS = {
    "elasticmapreduce": "emr",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
