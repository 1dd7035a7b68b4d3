"""Headers of requests."""

import re
from collections.abc import Mapping

_CONTENT_TYPE = re.compile(r"content-?type", re.IGNORECASE)


def retrieve_content_type_header(request_property: Mapping[str, str]) -> str | None:
    """The Content-Type among headers, however its name is written, or None."""
    named = (value for name, value in request_property.items() if _CONTENT_TYPE.match(name))
    return next(named, None)


def parse_accept(accept: str) -> list[str]:
    """The types of an Accept header."""
    return accept.replace(" ", "").split(",")
