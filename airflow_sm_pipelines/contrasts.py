"""How an earlier job differs from what a step asks for now, attribute by attribute, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from airflow_sm_pipelines.definition.node import Json
from airflow_sm_pipelines.masks import MASKED, STARS
from airflow_sm_pipelines.members import member


@dataclass(frozen=True, slots=True)
class Contrast:
    """A value that was another one then; None is none. `str` shows both, or that they differ."""

    path: str
    then: Json
    now: Json

    @property
    def is_secret(self) -> bool:
        """Whether the values may be secrets, so that only their names are shown."""
        return not MASKED.isdisjoint(self.path.split("."))

    def __str__(self) -> str:
        if not self.is_secret:
            return f"{self.path}: {_shown(self.then)} then, {_shown(self.now)} now"
        if None not in (self.then, self.now):
            return f"{self.path}: another value (not shown)"
        return f"{self.path}: given only {'now' if self.then is None else 'then'}"


def contrasts(described: dict[str, Json], asked: Mapping[str, Json]) -> list[Contrast]:
    """What of `asked`, by path, Describe does not answer; what it answers beyond counts for none.

    AWS adds defaults of its own, and leaves out what is empty.
    """
    return [
        contrast
        for path, value in asked.items()
        for contrast in _contrasts(path, member(described, path), value)
    ]


def explained(described: dict[str, Json], asked: Mapping[str, Json]) -> list[Contrast]:
    """What differs, for people: also what was asked for then and is not now.

    Describe does not tell that from a default of AWS, which is why it comes in only where nothing
    else differs, or where all names are the user's own.
    """
    found = contrasts(described, asked)
    beyond = [
        contrast
        for path, value in asked.items()
        for contrast in _beyond(path, member(described, path), value)
    ]
    return found + [each for each in beyond if each.is_secret] if found else beyond


def _contrasts(path: str, described: Json, asked: Json) -> Iterator[Contrast]:
    match described, asked:
        case _ if asked is None or (described in EMPTY and asked in EMPTY):
            return
        case dict(), dict():
            for key, value in asked.items():
                yield from _contrasts(f"{path}.{key}", described.get(key), value)
        case None, dict() if path.rpartition(".")[2] in MASKED:
            yield from _contrasts(path, {}, asked)
        case list(), list() if len(described) == len(asked):
            for index, (then, now) in enumerate(zip(described, asked, strict=True)):
                yield from _contrasts(f"{path}[{index}]", then, now)
        case _ if described != asked:
            yield Contrast(path, described, asked)


def _beyond(path: str, described: Json, asked: Json) -> Iterator[Contrast]:
    match described, asked:
        case dict(), dict():
            for key, value in described.items():
                yield from _beyond(f"{path}.{key}", value, asked.get(key))
        case dict(), None if path.rpartition(".")[2] in MASKED:
            yield from _beyond(path, described, {})
        case list(), list() if len(described) == len(asked):
            for index, (then, now) in enumerate(zip(described, asked, strict=True)):
                yield from _beyond(f"{path}[{index}]", then, now)
        case _, None if described not in EMPTY and TUNERS_OWN not in path:
            yield Contrast(path, described, None)


def _shown(value: Json) -> str:
    """A value as JSON of at most `LONGEST_VALUE` characters, secrets inside it masked."""
    if value is None:
        return "nothing"
    text = json.dumps(_masked(value), ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _masked(value: Json) -> Json:
    match value:
        case dict():
            return {key: STARS if key in MASKED else _masked(each) for key, each in value.items()}
        case list():
            return [_masked(element) for element in value]
    return value


EMPTY: tuple[Json, ...] = (None, "", [], {})
LONGEST_VALUE = 120

# SageMaker adds such keys to the StaticHyperParameters of a tuning job.
TUNERS_OWN = "._tuning_"
