"""The path grammar of property references: `Outputs['train'].S3Output.S3Uri`, `Items[0].Name`.

    path = name (("." name) | ("[" integer "]") | ("['" key "']"))*

A name is anything without `.`, `[` and `]`: metric files have keys such as `train:rmse`, `5fold`
and `f1/macro`. A key in brackets may hold those too, with either quotation mark around it.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache

from airflow_sm_pipelines.definition.node import Json, kind
from airflow_sm_pipelines.errors import did_you_mean, listed

Path = tuple[str | int, ...]
"""Names and positions, outermost first."""


@lru_cache(maxsize=4096)  # the same few paths are asked for by every check, and when they are used
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


def without_root(path: str) -> str:
    """A JSON path without the `$` that stands for the document; `$id` is a key."""
    return _ROOT.sub("", path)


def is_json_path(text: str) -> bool:
    """Whether a path has what only the wider grammar of JSONPath has: `..`, `*`, filters, slices.

    Keys in brackets, `['a*b']`, may hold anything.
    """
    return _WIDER.search(_QUOTED.sub("", text)) is not None


def _segment(found: re.Match[str]) -> str | int:
    if found["index"] is not None:
        return int(found["index"])
    name: str | None = found["name"]
    return found["quoted"][2:-2] if name is None else name


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
        case str(), _ if holder in DOCUMENTS:
            return _step(_parsed(value, walked), segment, "", walked)
        case list(), str():
            return _named(value, segment, NAME_MEMBERS.get(holder), walked)
    raise LookupError(f"{segment!r} is not in {walked}; that is {kind(value)}")


def _parsed(text: str, walked: str) -> Json:
    try:
        document: Json = json.loads(text)
    except ValueError as error:
        raise LookupError(f"{walked} is no JSON text: {error}") from error
    return document


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


# A key ends where its quotation mark is followed by a bracket, since the SDK writes ['it's']; by a
# comma, there are several, which is JSONPath.
_SINGLE = r"\['(?:(?!'\]|',).)+'\]"
_DOUBLE = r'\["(?:(?!"\]|",).)+"\]'
_BRACKETS = rf"\[(?P<index>-?[0-9]{{1,9}})\]|(?P<quoted>{_SINGLE}|{_DOUBLE})"
_FIRST = re.compile(rf"(?P<name>[^.\[\]]+)|{_BRACKETS}")
_SEGMENT = re.compile(rf"\.(?P<name>[^.\[\]]+)|{_BRACKETS}")

_ROOT = re.compile(r"^\$(?:\.(?!\.)|(?=\[)|$)")

# `..`, a wildcard, a filter or script, or several positions in one pair of brackets.
_WIDER = re.compile(r"\.\.|\*|\[\s*[?(]|\[[^\]]*[,:]")
_QUOTED = re.compile(f"{_SINGLE}|{_DOUBLE}")

# Which member names the elements of a list. The SDK's local mode knows the outputs and inputs
# (local/pipeline.py, _convert_list_to_dict), its documentation the metrics.
NAME_MEMBERS: dict[str, str] = {
    "FinalMetricDataList": "MetricName",
    "InputDataConfig": "ChannelName",
    "Outputs": "OutputName",
    "ProcessingInputs": "InputName",
}

# SDK v3, mlops/workflow/steps.py, JobStep.
DOCUMENTS = frozenset({"JobConfigDocument"})
"""Members that hold a JSON text, in which a path goes on as in an object."""
