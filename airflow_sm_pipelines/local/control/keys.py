"""The keys of what tests set: which values each takes, and all that breaks these rules at once."""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_sm_pipelines.errors import did_you_mean
from airflow_sm_pipelines.local.errors import DocumentError

DAY_SECONDS = 86_400
SECONDS = f"a number of seconds, 0 to {DAY_SECONDS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a JSON object: which values it takes, in code and in words.

    `known` are the words that one is likely to be, where it is a word.
    """

    holds: Callable[[Any], bool]
    right: str
    required: bool = False
    known: Collection[str] = ()


def checked(
    documents: Iterable[object],
    problems: Callable[[object, str], Iterable[str]],
    *,
    key: str,
    error: type[DocumentError],
) -> list[dict[str, Any]]:
    """Copies of the documents of the list `key`; raises `error` with all that is wrong in them."""
    given = copy.deepcopy(list(documents))
    found = [
        problem
        for number, document in enumerate(given)
        for problem in problems(document, f"$.{key}[{number}]")
    ]
    if found:
        raise error(found)
    return [document for document in given if isinstance(document, dict)]


def key_problems(document: object, keys: Mapping[str, Key], where: str) -> Iterator[str]:
    """What is wrong with the keys of an object, each by itself."""
    if not isinstance(document, dict):
        yield f"{where}: {document!r} is no object; it would have {listed(keys)}"
        return
    for name in document:
        if name not in keys:
            known = did_you_mean(name, keys) or f"; it would be {listed(keys)}"
            yield f"{where}.{name}: unknown key{known}"
    for name, key in keys.items():
        if name not in document:
            if key.required:
                yield f"{where}.{name}: missing; it would be {key.right}"
        elif not key.holds(document[name]):
            value = document[name]
            right = did_you_mean(value, key.known) or f"; it would be {key.right}"
            yield f"{where}.{name}: {value!r} does not do{right}"


def listed(words: Iterable[str]) -> str:
    """The words as a list in a sentence."""
    return ", ".join(words)


def is_number(value: object, *, most: float = DAY_SECONDS) -> bool:
    """Whether it is a number from 0 to `most`; NaN is none."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and 0 <= value <= most  # type: ignore[operator]


def is_count(value: object) -> bool:
    """Whether it is a number of times, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
