"""NextToken of List operations: where a page has ended, bound to what was asked for."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from airflow_sm_pipelines.local.errors import invalid

Position = tuple[Any, str]


def token(request: Mapping[str, Any], position: Position) -> str:
    """The token that leads to what is beyond a position."""
    content = json.dumps([_query(request), *position])
    return base64.urlsafe_b64encode(content.encode()).decode()


def end(request: Mapping[str, Any]) -> Position:
    """Where the page before this one ended."""
    try:
        content = base64.urlsafe_b64decode(request["NextToken"].encode())
        query, value, rest = json.loads(content)
    except (ValueError, TypeError) as error:
        raise invalid("Invalid NextToken.") from error
    if query != _query(request):
        raise invalid("Invalid NextToken: it belongs to a request with other parameters.")
    return value, rest


def _query(request: Mapping[str, Any]) -> str:
    """What a token is bound to: all of the request but the token and the size of a page."""
    bound = {key: request[key] for key in request if key not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(bound, sort_keys=True).encode()).hexdigest()[:16]
