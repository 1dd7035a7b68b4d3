"""Definitions, damaged: what people, editors and generators do to them, and worse.

A mutation is a function that changes a random place of a definition, and a row in `MUTATIONS`;
one that changes the text itself has its row in `TEXT_MUTATIONS`.
"""

import copy
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from airflow_sm_pipelines.definition.node import Json

Container = dict[str, Json] | list[Json]


@dataclass(frozen=True, slots=True)
class Place:
    """A member or an element, by what holds it."""

    holder: Container
    key: str | int

    @property
    def value(self) -> Json:
        return self.holder[self.key]  # type: ignore[index]

    def put(self, value: Json) -> None:
        self.holder[self.key] = value  # type: ignore[index]


def mutate(definition: Json, draw: random.Random) -> str:
    """The text of a definition that was changed in one to four ways."""
    value = copy.deepcopy(definition)
    for _ in range(draw.randint(1, 4)):
        found = places(value)
        if found:
            draw.choice(MUTATIONS)(draw.choice(found), draw)
    text = json.dumps(value, ensure_ascii=draw.random() < 0.5)
    return draw.choice(TEXT_MUTATIONS)(text, draw) if draw.random() < 0.2 else text


def places(value: Json) -> list[Place]:
    """Every place in a value where another value could stand."""
    found: list[Place] = []
    todo = [value]
    while todo:
        match todo.pop():
            case dict() as members:
                found += (Place(members, key) for key in members)
                todo += members.values()
            case list() as elements:
                found += (Place(elements, index) for index in range(len(elements)))
                todo += elements
    return found


def drop(place: Place, draw: random.Random) -> None:
    del place.holder[place.key]  # type: ignore[arg-type]


def double(place: Place, draw: random.Random) -> None:
    match place.holder:
        case list():
            place.holder.append(copy.deepcopy(place.value))
        case dict():
            place.holder[f"{place.key}2"] = copy.deepcopy(place.value)


def retype(place: Place, draw: random.Random) -> None:
    place.put(copy.deepcopy(draw.choice(VALUES)))


def rename(place: Place, draw: random.Random) -> None:
    if isinstance(place.holder, dict):
        place.holder[draw.choice(WORDS)] = place.holder.pop(str(place.key))
    else:
        place.put(draw.choice(WORDS))


def nest(place: Place, draw: random.Random) -> None:
    value = place.value
    for _ in range(draw.choice((1, 2, 30, 120))):
        value = [value] if draw.random() < 0.5 else {draw.choice(WORDS): value}
    place.put(value)


def garble(place: Place, draw: random.Random) -> None:
    match place.value:
        case str() as text if text:
            at = draw.randrange(len(text))
            place.put(text[:at] + draw.choice(ODD) + text[at + draw.randint(0, 2) :])
        case _:
            place.put(draw.choice(ODD))


def swap(place: Place, draw: random.Random) -> None:
    other = draw.choice(places(place.holder))
    mine, theirs = place.value, other.value
    place.put(copy.deepcopy(theirs))
    if other.key in (other.holder if isinstance(other.holder, dict) else range(len(other.holder))):
        other.put(copy.deepcopy(mine))


def cut(text: str, draw: random.Random) -> str:
    start = draw.randrange(len(text))
    return text[:start] + text[start + draw.randint(1, 30) :]


def insert(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice((*ODD, "NaN", "-Infinity", "1e999", "{", "]", '"')) + text[at:]


def repeat_key(text: str, draw: random.Random) -> str:
    keys = list(re.finditer(r'"[A-Za-z]+": ', text))
    if not keys:
        return text
    found = draw.choice(keys)
    return f"{text[: found.start()]}{found[0]}null, {text[found.start() :]}"


def no_number(text: str, draw: random.Random) -> str:
    return re.sub(r"\b\d+\b", draw.choice(("NaN", "Infinity", "1e400", "9" * 5000)), text, count=1)


WORDS = (
    *("Name", "Type", "Arguments", "Steps", "DependsOn", "IfSteps", "Conditions", "Get"),
    *("Std:Join", "Std:JsonGet", "Values", "On", "Path", "S3Uri", "PropertyFile", "Trigger"),
    *("Condition", "Training", "Fail", "ForEach", "Cleanup", "Lambda", "Equals", "Not", "Or", "In"),
    *("Parameters.X", "Execution.StartDateTime", "Steps.A.b", "ForEach.CurrentItem", ""),
)
ODD = (
    "\u0000",
    "\ud83d\ude00",
    "\u202e",
    "\ufeff",
    "'",
    '"',
    "\\",
    "[",
    "]",
    ".",
    "..",
    "*",
    "\n",
    "${x}",
    "é",
)
VALUES: list[Json] = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1e308,
    5e-324,
    "",
    "x",
    "P30D",
    "2020-12-01",
    "Training",
    "a" * 70,
    [],
    {},
    [[]],
    {"Get": 1},
    {"Get": "Parameters.X"},
    {"Get": "Steps.A.b"},
    {"Get": "Execution.PipelineName"},
    {"Std:Join": {"Values": [1]}},
    {"Std:Nothing": {}},
    {"Std:JsonGet": {"Path": "a"}},
    {"Step": "A", "Trigger": "Any"},
]

MUTATIONS: tuple[Callable[[Place, random.Random], None], ...] = (
    drop,
    double,
    retype,
    rename,
    nest,
    garble,
    swap,
)
TEXT_MUTATIONS: tuple[Callable[[str, random.Random], str], ...] = (
    cut,
    insert,
    repeat_key,
    no_number,
)
