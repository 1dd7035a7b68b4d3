"""The members of a request, wherever the protocol of its service puts them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, unquote

from botocore.model import OperationModel

from airflow_sm_pipelines.local import shapes
from airflow_sm_pipelines.local.calls import Call, body, model, path
from airflow_sm_pipelines.local.errors import AwsError


def members(call: Call, environ: dict[str, Any]) -> dict[str, Any]:
    """What a request says; raises `AwsError` where its body is no JSON object.

    A request of the query protocol is flat: `Tags.member.1.Key` is a member.
    """
    content = body(environ)
    if call.protocol == "query":
        given = parse_qs(content.decode(), keep_blank_values=True)
        return {name: values[0] for name, values in given.items()}
    operation = model(call)
    located = _located(operation, environ) if operation else {}
    return {**located, **_object(content)}


def checked(call: Call, environ: dict[str, Any]) -> dict[str, Any]:
    """The same, once the service's model is seen to have it so; raises `AwsError` where not."""
    request = members(call, environ)
    if operation := model(call):
        shapes.conforms(request, operation.input_shape)
    return request


def _object(content: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", str(error)) from error
    if not isinstance(parsed, dict):
        raise AwsError("SerializationException", f"the body is no object: {content[:80]!r}")
    return parsed


def _located(operation: OperationModel, environ: Mapping[str, Any]) -> dict[str, Any]:
    """The members that REST has put into the path and the query."""
    pattern = operation.http["requestUri"].partition("?")[0].strip("/").split("/")
    given = path(environ, parts=len(pattern)).strip("/").split("/")
    request: dict[str, Any] = {
        word[1:-1].rstrip("+"): unquote(value)
        for word, value in zip(pattern, given, strict=False)
        if word.startswith("{")
    }
    query = parse_qs(environ.get("QUERY_STRING", ""))
    shape: Any = operation.input_shape
    for name, member in shape.members.items() if shape else ():
        where = member.serialization
        word = where.get("name", name)
        if where.get("location") == "querystring" and word in query:
            request[name] = _typed(member, query[word])
        elif where.get("location") == "uri" and word != name and word in request:
            request[name] = request.pop(word)
    return request


def _typed(shape: Any, values: list[str]) -> Any:
    """A member that stood in the query."""
    match shape.type_name:
        case "list":
            return values
        case "integer":
            return int(values[0])
        case "timestamp":
            return datetime.fromisoformat(values[0]).timestamp()
    return values[0]
