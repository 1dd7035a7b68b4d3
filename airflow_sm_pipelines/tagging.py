"""The tags that say where a resource comes from; `tags = false` turns them off."""

import re
from collections.abc import Mapping

from airflow_sm_pipelines import settings
from airflow_sm_pipelines.definition.node import Json


def with_origin(own: Json, origin: Mapping[str, str]) -> list[Json]:
    """A resource's own tags and, as far as 50 allow, `sm-pipelines:<key>` for each of `origin`."""
    tags = own if isinstance(own, list) else []
    return [*tags, *origin_tags(origin)[: max(0, MOST_TAGS - len(tags))]]


def origin_tags(origin: Mapping[str, str]) -> list[Json]:
    """`{"Key": "sm-pipelines:<key>", "Value": ...}` for each of `origin`; none if turned off."""
    return [{"Key": key, "Value": value} for key, value in origin_map(origin).items()]


def origin_map(origin: Mapping[str, str]) -> dict[str, Json]:
    """`sm-pipelines:<key>` -> the value, for services whose tags are a map; empty if turned off."""
    if not settings.tags():
        return {}
    return {f"{TAG_PREFIX}:{key}": tag_text(value) for key, value in origin.items()}


def tag_text(text: str) -> str:
    """`text` as the value of a tag."""
    return _ILLEGAL.sub("-", text)[:LONGEST_TAG]


TAG_PREFIX = "sm-pipelines"
LONGEST_TAG = 256
MOST_TAGS = 50

# API, TagValue. Run ids may hold `~`, and names that come from files anything.
_ILLEGAL = re.compile(r"[^\w\s.:/=+@-]")
