"""Differences in what a path leads to: operands are a document and a path.

For a property the document is the answer of a Describe operation. What a path means is told here a
second time and in fewer words than in `definition.paths`, so that ours is not its own judge.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from airflow_sm_pipelines.definition.node import Json
from tests.differential.differences.row import Difference, fails
from tests.differential.outcomes import Outcome, value

Feature = Callable[[Json, str | None], bool]
"""Whether a path has something about it, in a document; None is no path at all."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A name or a key, or a position."""

    text: str
    quote: str = ""
    """The quotation mark around a key."""
    is_position: bool = False


def segments(path: str) -> list[Segment]:
    """The segments of a path, read as generously as either side reads any; none of a broken one."""
    if not _PATH.fullmatch(path):
        return []
    return [
        Segment(each["position"], is_position=True)
        if each["position"]
        else Segment(each["key"] or each["name"], each["quote"] or "")
        for each in _SEGMENT.finditer(path.removeprefix("$"))
    ]


def follow(document: Json, path: str | None) -> Json:
    """The value at a path; None where there is none."""
    if path is None:
        return document
    way = _way(document, path)
    return way[-1][1] if way else None


def _way(document: Json, path: str | None) -> list[tuple[str, Json]]:
    """Per segment the name of the list that it picks from, "" for none, and what it leads to."""
    reached, holder = document, ""
    way = []
    for segment in segments(path or ""):
        before, reached = reached, _step(reached, segment, holder)
        way.append((holder if isinstance(before, list) else "", reached))
        holder = segment.text
    return way


def _step(reached: Any, segment: Segment, holder: str) -> Any:
    match reached:
        case dict() if not segment.is_position:
            return reached.get(segment.text)
        case list() if segment.is_position:
            position = int(segment.text)
            return reached[position] if -len(reached) <= position < len(reached) else None
        case list() if holder in NAME_MEMBERS:
            member = NAME_MEMBERS[holder]
            return next((each for each in reached if each[member] == segment.text), None)
    return None


def _is_whole(document: Json, path: str | None) -> bool:
    return path is None


def _splits_key(document: Json, path: str | None) -> bool:
    return any(each.quote and {".", "]"} & {*each.text} for each in segments(path or ""))


def _is_output_by_position(document: Json, path: str | None) -> bool:
    return any(
        holder in LOCALLY_NAMED and segment.is_position
        for (holder, _), segment in zip(_way(document, path), segments(path or ""), strict=True)
    )


def _is_named_element(document: Json, path: str | None) -> bool:
    return any(
        holder in NAME_MEMBERS.keys() - LOCALLY_NAMED and not segment.is_position
        for (holder, _), segment in zip(_way(document, path), segments(path or ""), strict=True)
    )


def _is_rooted(document: Json, path: str | None) -> bool:
    return (path or "").startswith("$")


def _starts_with_bracket(document: Json, path: str | None) -> bool:
    return (path or "").startswith("[")


def _is_loose(document: Json, path: str | None) -> bool:
    return _LOOSE.search(_KEY.sub("['key']", path or "")) is not None


def _holds_outputs(document: Json, path: str | None) -> bool:
    return _found(document, path) != _found_locally(document, path) and not any(
        feature(document, path) for feature in (*STUMBLES, _is_whole)
    )


def _ends_at_container(document: Json, path: str | None) -> bool:
    return isinstance(follow(document, path), dict | list)


def _found(document: Json, path: str | None) -> Outcome:
    return value(follow(document, path))


def _found_locally(document: Json, path: str | None) -> Outcome:
    return value(follow(_by_name(document), path))


def _by_name(answer: Any) -> Any:
    """The answer as local mode keeps it, with objects for the lists of `LOCALLY_NAMED`."""
    if not isinstance(answer, dict):
        return answer
    return {
        key: {each[NAME_MEMBERS[key]]: each for each in member}
        if key in LOCALLY_NAMED and isinstance(member, list)
        else _by_name(member)
        for key, member in answer.items()
    }


def _only_ours(feature: Feature, *refused: Feature) -> Feature:
    """Whether a feature keeps local mode, and nothing keeps us, from the value that is there."""
    return lambda document, path: (
        feature(document, path)
        and not any(refuse(document, path) for refuse in (_is_loose, *refused))
        and follow(document, path) is not None
    )


def _only_local(feature: Feature) -> Feature:
    """Whether a feature keeps us, and nothing keeps local mode, from the value that is there."""
    return lambda document, path: (
        feature(document, path)
        and not any(stumble(document, path) for stumble in STUMBLES)
        and follow(document, path) is not None
    )


NAME_MEMBERS = {
    "Outputs": "OutputName",
    "ProcessingInputs": "InputName",
    "FinalMetricDataList": "MetricName",
    "InputDataConfig": "ChannelName",
}
LOCALLY_NAMED = {"Outputs", "ProcessingInputs"}
"""The lists that local mode makes objects; it then knows them by name alone."""

STUMBLES: tuple[Feature, ...] = (
    _splits_key,
    _is_output_by_position,
    _is_named_element,
    _is_rooted,
    _starts_with_bracket,
)

_NAME = r"[^.\[]+"
_KEY = re.compile(r"""\[(?P<quote>['"])(?P<key>.+?)(?P=quote)\]""")
_POSITION = r"\[\s*[+-]?[0-9]+\s*\]"
_BRACKET = rf"""(?:\['(?:(?!'\]).)+'\]|\["(?:(?!"\]).)+"\]|{_POSITION})"""
_PATH = re.compile(rf"""(?:\$(?:\.{_NAME}|\.(?=\[))?|{_NAME})?(?:\.{_NAME}|{_BRACKET}[^.\[]*)*""")
_SEGMENT = re.compile(
    rf"""{_KEY.pattern}|\[\s*(?P<position>[+-]?[0-9]+)\s*\]|(?:(?<=\.)|^)(?P<name>{_NAME})"""
)
_LOOSE = re.compile(r"\[[\s+]|\s\]|\][^.\[]|(?:\.|^)[^.\[]*\]")

PROPERTY = (
    Difference(
        name="step without a property",
        reason="a reference names a property; local mode hands out the whole answer",
        source="SDK, workflow/properties.py: Steps.<step>",
        applies=_only_local(_is_whole),
        local=_found_locally,
        ours=fails,
        examples=(({"TrainingJobName": "job"}, None),),
    ),
    Difference(
        name="output by position",
        reason="it is a list for the API and for the SDK that writes the reference",
        source="SDK, local/pipeline.py: _convert_list_to_dict",
        applies=_only_ours(_is_output_by_position),
        local=fails,
        ours=_found,
        examples=(
            ({"ProcessingInputs": [{"InputName": "in"}]}, "ProcessingInputs[0].InputName"),
            (
                {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out"}]}},
                "ProcessingOutputConfig.Outputs[-1].OutputName",
            ),
        ),
    ),
    Difference(
        name="outputs as a whole",
        reason="it is a list for the API; local mode has made it an object",
        source="SDK, local/pipeline.py: _convert_list_to_dict",
        applies=_holds_outputs,
        local=_found_locally,
        ours=_found,
        examples=(
            ({"ProcessingInputs": [{"InputName": "in"}]}, "ProcessingInputs"),
            ({"ProcessingOutputConfig": {"Outputs": []}}, "ProcessingOutputConfig"),
        ),
    ),
    Difference(
        name="metric or channel by name",
        reason="lists of named elements are read by name; local mode knows two of them",
        source="SDK documentation: FinalMetricDataList['val:acc'].Value",
        applies=_only_ours(_is_named_element),
        local=fails,
        ours=_found,
        examples=(
            (
                {"FinalMetricDataList": [{"MetricName": "val:acc", "Value": 0.5}]},
                "FinalMetricDataList['val:acc'].Value",
            ),
            (
                {"InputDataConfig": [{"ChannelName": "train", "ContentType": "text/csv"}]},
                "InputDataConfig['train'].ContentType",
            ),
        ),
    ),
    Difference(
        name="key with a dot or a bracket",
        reason="a key in brackets is one key; local mode splits at dots first",
        source="SDK, local/utils.py: keys.split",
        applies=_only_ours(_splits_key),
        local=fails,
        ours=_found,
        examples=(
            ({"Environment": {"a.b": "1"}}, "Environment['a.b']"),
            ({"Environment": {"a]": "1"}}, "Environment['a]']"),
        ),
    ),
)

JSON_GET = (
    Difference(
        name="JSON key with a dot or a bracket",
        reason="a key in brackets is one key; local mode splits at dots first",
        source="SDK, local/utils.py: keys.split",
        applies=_only_ours(_splits_key, _ends_at_container),
        local=fails,
        ours=_found,
        examples=(({"a": {"f1.macro": 0.5}}, 'a["f1.macro"]'), ({"a": {"b]": 1}}, "a['b]']")),
    ),
    Difference(
        name="JSON path from the root",
        reason="a path is a JSONPath, which starts with $",
        source="DG, build-and-manage-propertyfile: JsonPath notation; SDK, local/utils.py",
        applies=_only_ours(_is_rooted, _ends_at_container),
        local=fails,
        ours=_found,
        examples=(
            ({"mse": 4.5}, "$.mse"),
            ([{"mse": 4.5}], "$[0].mse"),
            ({"mse": 4.5}, "$.['mse']"),
        ),
    ),
    Difference(
        name="JSON path that starts with a bracket",
        reason="['a'] and [0] are segments as good as others",
        source="DG, build-and-manage-propertyfile: JsonPath notation; SDK, local/utils.py",
        applies=_only_ours(_starts_with_bracket, _ends_at_container),
        local=fails,
        ours=_found,
        examples=(({"a": {"b": 1}}, "['a'].b"), ([4.5], "[0]")),
    ),
    Difference(
        name="object or array in a JSON file",
        reason="a JsonGet is a string, a number or a boolean",
        source="DG, build-and-manage-propertyfile; SDK, local/pipeline.py: whatever is there",
        applies=_only_local(_ends_at_container),
        local=_found,
        ours=fails,
        examples=(({"a": {"b": 1}}, "a"), ({"a": [1]}, "a")),
    ),
    Difference(
        name="JSON path outside the grammar",
        reason="what is not understood is refused; local mode overlooks it",
        source="SDK, local/utils.py: re.findall, int",
        applies=_only_local(_is_loose),
        local=_found,
        ours=fails,
        examples=(
            ({"a": [1, 2]}, "a[ 1 ]"),
            ({"a": [1, 2]}, "a[+1]"),
            ({"a": [1]}, "a[0]b"),
            ({"a]": 1}, "a]"),
        ),
    ),
)
