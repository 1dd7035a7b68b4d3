"""S3's XML: what is answered, what is asked."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from airflow_sm_pipelines.local.errors import AwsError

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_UNWRITABLE = re.compile(r"[\x00-\x1f\ufffe\uffff]")


def tag(name: str, *content: str) -> str:
    """An element with what is in it, which is XML already."""
    return f"<{name}>{''.join(content)}</{name}>"


def text(name: str, value: object) -> str:
    """An element with a text."""
    written = str(value).lower() if isinstance(value, bool) else str(value)
    return tag(name, _UNWRITABLE.sub(lambda found: f"&#x{ord(found[0]):x};", escape(written)))


def answer(name: str, *content: str, headers: Mapping[str, str] | None = None) -> Response:
    """A document as S3's answer."""
    document = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{_NAMESPACE}">'
    return Response(
        f"{document}{''.join(content)}</{name}>",
        content_type="application/xml",
        headers=dict(headers or {}),
    )


def empty(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without content."""
    response = Response(status=status, headers=dict(headers or {}))
    del response.headers["Content-Type"]
    return response


def refused(error: AwsError, *, resource: str) -> Response:
    """An error as S3 tells it."""
    told = tag(
        "Error",
        text("Code", error.code),
        text("Message", error.message),
        text("Resource", resource),
    )
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{told}'
    return Response(content, status=error.status, content_type="application/xml")


def parsed(content: bytes) -> ElementTree.Element:
    """A document that a caller has sent."""
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published "
            "schema",
        ) from error


def found(element: ElementTree.Element, name: str) -> str:
    """The text of the first element of that name, or ""."""
    return element.findtext(f".//{{*}}{name}") or ""


def iso(moment: datetime) -> str:
    """A time as S3's documents have it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


def encoder(encoding: str | None) -> Any:
    """How a List operation writes keys: as they are, or as in a URL."""
    if encoding not in (None, "url"):
        raise AwsError("InvalidArgument", "Invalid Encoding Method specified in Request")
    return quote if encoding else str
