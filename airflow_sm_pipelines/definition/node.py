"""A JSON value with its path; every error of a definition starts here.

The accessors read a value as the kind it has to be and raise a `DefinitionError` otherwise.
`Problems` collects what several of them raise, so that all problems of a file are told at once.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import TypeAlias, TypeVar

from airflow_sm_pipelines.errors import DefinitionError, Problem, did_you_mean, listed

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What a JSON text can hold."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and where it stands, `$.Steps[2].Name`."""

    value: Json
    path: str = "$"

    def error(self, message: str) -> DefinitionError:
        """An error at this place; `message` is `what is wrong; what would be right`."""
        return DefinitionError([Problem(self.path, message)])

    def __getitem__(self, key: str) -> "Node":
        """The member `key`, which has to be there."""
        member = self.get(key)
        if member is None:
            given = listed(name for name, value in self.object().items() if value is not None)
            raise self.error(f"{key!r} is missing; it is required, given are: {given}")
        return member

    def get(self, key: str) -> "Node | None":
        """The member `key`; None where it is absent or null, which the SDK writes for absent."""
        value = self.object().get(key)
        return None if value is None else Node(value, child_path(self.path, key))

    def object(self) -> dict[str, Json]:
        """The value as an object."""
        if isinstance(self.value, dict):
            return self.value
        raise self.error(f"{kind(self.value)} where an object is expected")

    def members(self) -> "dict[str, Node]":
        """The members of an object."""
        return {
            key: Node(value, child_path(self.path, key)) for key, value in self.object().items()
        }

    def items(self) -> "tuple[Node, ...]":
        """The elements of an array."""
        match self.value:
            case list():
                return tuple(
                    Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value)
                )
        raise self.error(f"{kind(self.value)} where an array is expected")

    def elements(self, key: str) -> "tuple[Node, ...]":
        """The elements of the array that is the member `key`; none where it is absent."""
        member = self.get(key)
        return member.items() if member else ()

    def read(self, key: str, parse: "Callable[[Node], T]") -> T | None:
        """What `parse` makes of the member `key`; None where it is absent or null."""
        member = self.get(key)
        return None if member is None else parse(member)

    def identifier(self, longest: int) -> str:
        """The value as a name: 1 to `longest` letters, digits, `-` and `_`."""
        name = self.text()
        if len(name) > longest or not IDENTIFIER.fullmatch(name):
            raise self.error(
                f"{kind(name)} is not a name; use 1 to {longest} letters, digits, '-' and '_'"
            )
        return name

    def text(self) -> str:
        """The value as a string."""
        match self.value:
            case str():
                return self.value
        raise self.error(f"{kind(self.value)} where a string is expected{self._hint()}")

    def boolean(self) -> bool:
        """The value as true or false."""
        match self.value:
            case bool():
                return self.value
        raise self.error(f"{kind(self.value)} where true or false is expected{self._hint()}")

    def integer(self) -> int:
        """The value as an integer."""
        match self.value:
            case bool():
                pass
            case int():
                return self.value
        raise self.error(f"{kind(self.value)} where an integer is expected{self._hint()}")

    def number(self) -> int | float:
        """The value as an integer or a decimal number, neither NaN nor infinite."""
        match self.value:
            case bool():
                pass
            case float() if not math.isfinite(self.value):
                raise self.error(f"{self.value} where a finite number is expected")
            case int() | float():
                return self.value
        raise self.error(f"{kind(self.value)} where a number is expected{self._hint()}")

    def only(self, known: Iterable[str]) -> None:
        """Refuse members that are not among `known`."""
        names = tuple(known)
        unknown = [key for key in self.object() if key not in names]
        raise_all(
            Node(None, child_path(self.path, key)).error(
                f"unknown key {key!r}{did_you_mean(key, names)}; known are: {listed(names)}"
            )
            for key in unknown
        )

    def _hint(self) -> str:
        match self.value:
            case {"Get": _} | {"Std:Join": _} | {"Std:JsonGet": _}:
                return "; an expression may not stand here, write the value itself"
        return ""


class Problems:
    """Problems met so far; the ones raised inside `caught` are kept and reading goes on."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, error: DefinitionError) -> None:
        """Keep the problems of an error."""
        self._found += error.problems

    def caught(self) -> "Problems":
        """A context that keeps the problems of a DefinitionError raised inside, which ends it."""
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool | None:
        if not isinstance(error, DefinitionError):
            return None
        self.add(error)
        return True

    def read(self, node: Node, key: str, parse: Callable[[Node], T]) -> T | None:
        """What `parse` makes of a member; None where it is absent, null or wrong."""
        member = node.get(key)
        if member is None:
            return None
        try:
            return parse(member)
        except DefinitionError as error:
            self.add(error)
            return None

    def read_each(self, node: Node, key: str, parse: Callable[[Node], T]) -> tuple[T, ...]:
        """What `parse` makes of the elements of a member; of none where it is absent or null."""
        array = node.get(key)
        if array is None:
            return ()
        try:
            return self.each(array.items(), parse)
        except DefinitionError as error:
            self.add(error)
            return ()

    def each(self, nodes: Iterable[Node], parse: Callable[[Node], T]) -> tuple[T, ...]:
        """What `parse` makes of each node that it accepts."""
        parsed: list[T] = []
        for node in nodes:
            try:
                parsed.append(parse(node))
            except DefinitionError as error:
                self.add(error)
        return tuple(parsed)

    def raise_any(self) -> None:
        """Raise one DefinitionError with everything that was kept, each once, if there is any."""
        if self._found:
            raise DefinitionError(tuple(dict.fromkeys(self._found)))


def raise_all(errors: Iterable[DefinitionError]) -> None:
    """Raise one DefinitionError with the problems of all, if there are any."""
    problems = [problem for error in errors for problem in error.problems]
    if problems:
        raise DefinitionError(problems)


def child_path(path: str, key: str) -> str:
    """The path of the member `key` of the object at `path`."""
    return path + _ending(key)


@lru_cache(maxsize=1024)  # definitions use the same few hundred keys over and over
def _ending(key: str) -> str:
    return f".{key}" if PLAIN_KEY.fullmatch(key) else f"[{key!r}]"


def kind(value: Json) -> str:
    """How an error message names the value: its kind, and the value itself where it is short."""
    match value:
        case None:
            return "null"
        case dict():
            return "an object"
        case list():
            return "an array"
        case bool():
            return str(value).lower()
        case str():
            return f"the string {value!r}" if len(value) <= LONGEST_QUOTE else "a long string"
    return f"the number {value}"


PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_:-]*")
LONGEST_QUOTE = 60
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]+")
