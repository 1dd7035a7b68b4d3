"""The path grammar of property references: `Outputs['train'].S3Output.S3Uri`, `Items[0].Name`.

    path = name (("." name) | ("[" integer "]") | ("['" key "']"))*

A name is anything without `.`, `[` and `]`: metric files have keys such as `train:rmse`, `5fold`
and `f1/macro`. A key in brackets may hold those too, with either quotation mark around it.
"""

import re
from collections.abc import Mapping

from airflow_sm_pipelines.definition.node import Json, kind
from airflow_sm_pipelines.errors import did_you_mean, listed

Path = tuple[str | int, ...]
"""Names and positions, outermost first."""


def parse_path(text: str) -> Path:
    """The segments of `text`; a ValueError says at which character the grammar is left."""
    segments: list[str | int] = []
    position = 0
    while position < len(text):
        found = _SEGMENT.match(text, position) if segments else _FIRST.match(text, position)
        if not found:
            raise ValueError(
                f"path {text!r}, character {position + 1}: {text[position : position + 12]!r} is "
                "not a segment; segments are .name, [0] and ['key']"
            )
        segments.append(_segment(found))
        position = found.end()
    if not segments:
        raise ValueError("an empty path; name a member, for example metrics.mse.value")
    return tuple(segments)


def _segment(found: re.Match[str]) -> str | int:
    if found["index"] is not None:
        return int(found["index"])
    return next(text for text in (found["name"], found["single"], found["double"]) if text)


def look_up(value: Json, path: Path) -> Json:
    """The member of `value` that `path` leads to; a LookupError says where the way ends.

    A name that meets a list picks the element with that name: `Outputs['train']` is the element
    whose `OutputName` is `train`.
    """
    walked = ""
    holder = ""
    for segment in path:
        value = _step(value, segment, holder, walked or "the result")
        walked += f"[{segment}]" if isinstance(segment, int) else f".{segment}"
        holder = holder if isinstance(segment, int) else segment
    return value


def _step(value: Json, segment: str | int, holder: str, walked: str) -> Json:
    match value, segment:
        case dict(), str() if segment in value:
            return value[segment]
        case dict(), _:
            raise LookupError(
                f"{segment!r} is not in {walked}{did_you_mean(segment, value)}; "
                f"there are: {listed(value)}"
            )
        case list(), int() if -len(value) <= segment < len(value):
            return value[segment]
        case list(), int():
            raise LookupError(f"[{segment}] is not in {walked}; it has {len(value)} elements")
        case list(), str():
            return _named(value, segment, NAME_MEMBERS.get(holder), walked)
    raise LookupError(f"{segment!r} is not in {walked}; that is {kind(value)}")


def _named(elements: list[Json], name: str, name_member: str | None, walked: str) -> Json:
    if name_member is None:
        raise LookupError(
            f"{name!r} is not in {walked}; its elements have no name, use a position such as [0]"
        )
    names = [e.get(name_member) if isinstance(e, Mapping) else None for e in elements]
    if name not in names:
        known = [str(known) for known in names if known is not None]
        raise LookupError(
            f"no element of {walked} has the {name_member} {name!r}{did_you_mean(name, known)}; "
            f"there are: {listed(known)}"
        )
    return elements[names.index(name)]


_FIRST = re.compile(
    r"""(?P<name>[^.\[\]]+)|\[(?P<index>-?[0-9]{1,9})\]|\['(?P<single>[^']+)'\]|\["(?P<double>[^"]+)"\]"""
)
_SEGMENT = re.compile(
    r"""\.(?P<name>[^.\[\]]+)|\[(?P<index>-?[0-9]{1,9})\]|\['(?P<single>[^']+)'\]"""
    r"""|\["(?P<double>[^"]+)"\]"""
)

# Which member names the elements of a list. The SDK's local mode knows the outputs and inputs
# (local/pipeline.py, _convert_list_to_dict), its documentation the metrics.
NAME_MEMBERS: dict[str, str] = {
    "FinalMetricDataList": "MetricName",
    "InputDataConfig": "ChannelName",
    "Outputs": "OutputName",
    "ProcessingInputs": "InputName",
}
