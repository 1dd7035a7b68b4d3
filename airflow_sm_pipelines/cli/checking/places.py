"""Where the value of a JSON path stands in a text, by line and column.

text --spans--> path -> characters --Places.at--> Region
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from airflow_sm_pipelines.definition.node import child_path

Span = tuple[int, int]
"""The first character and the one behind the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a text; lines and columns count from 1, the end column is the one behind it."""

    line: int
    column: int
    end_line: int
    end_column: int


class Places:
    """The places of one text."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in _LINE_END.finditer(text))]
        try:
            self._spans = dict(spans(text))
        except ValueError:  # no JSON; its problem says line and column
            self._spans = {}

    def at(self, where: str, message: str = "") -> Region:
        """The region of a path, of what it is in where nothing is there, or of the whole text.

        A text that is no JSON has no paths: there the line and column that `message` names.
        """
        if not self._spans:
            found = _LINE_AND_COLUMN.match(message)
            line, column = (int(found[1]), int(found[2])) if found else (1, 1)
            return Region(line=line, column=column, end_line=line, end_column=column)
        start, end = self._spans[self._nearest(where.partition(" > ")[0])]
        (line, column), (end_line, end_column) = self._point(start), self._point(end)
        return Region(line=line, column=column, end_line=end_line, end_column=end_column)

    def _nearest(self, where: str) -> str:
        # Paths inside of what DescribePipeline answers are those of the string that it holds.
        if "$.Steps" not in self._spans and _CARRIER in self._spans and where != "$":
            return where if where in self._spans else _CARRIER
        ends = (i for i in range(len(where), 0, -1) if i == len(where) or where[i] in ".[")
        return next((where[:end] for end in ends if where[:end] in self._spans), "$")

    def _point(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


@dataclass(slots=True)
class _Open:
    """An object or array whose end has not come yet."""

    path: str
    is_object: bool
    count: int = 0
    key: str | None = None
    key_span: Span = field(default=(0, 0))


def spans(text: str) -> Iterator[tuple[str, Span]]:
    """Every path of a JSON text, and where its value stands; of objects and arrays their key.

    A ValueError where the text is no JSON.
    """
    opened: list[_Open] = []
    json.loads(text)
    for token in _TOKEN.finditer(text):
        mark = token[0][0]
        inside = opened[-1] if opened else None
        if mark in ",:":
            continue
        if mark in "}]":
            opened.pop()
        elif inside and inside.is_object and inside.key is None:
            inside.key, inside.key_span = json.loads(token[0]), token.span()
        else:
            path = _next_path(inside)
            holds = mark in "{["
            yield path, inside.key_span if inside and inside.is_object and holds else token.span()
            if holds:
                opened.append(_Open(path, is_object=mark == "{"))


def _next_path(inside: _Open | None) -> str:
    """The path of the value that comes now; what it is in has one value more."""
    if inside is None:
        return "$"
    if inside.key is not None:
        path, inside.key = child_path(inside.path, inside.key), None
        return path
    inside.count += 1
    return f"{inside.path}[{inside.count - 1}]"


_CARRIER = "$.PipelineDefinition"
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_LINE_END = re.compile(r"\r\n|\r|\n")
_LINE_AND_COLUMN = re.compile(r"line (\d+), column (\d+)")
