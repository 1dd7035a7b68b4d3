"""What botocore's models say of single values: lengths, ranges, patterns, enumerations.

Lengths, ranges and patterns are stable, a value beyond them is refused. Enumerations grow with
every release of AWS: a value that this botocore does not know is a warning.
"""

import difflib
from collections.abc import Iterator, Sized
from functools import lru_cache
from typing import Any

from airflow_sm_pipelines.definition.node import kind
from airflow_sm_pipelines.errors import listed
from airflow_sm_pipelines.validation.findings import Finding, doubted, refused
from airflow_sm_pipelines.validation.models import version
from airflow_sm_pipelines.validation.patterns import compiled


def text(value: str, shape: Any, where: str) -> Iterator[Finding]:
    """What is wrong with a string."""
    if shape.enum:
        if value not in shape.enum:
            yield doubted(where, _unlisted(value, shape))
        return
    outside = tuple(length(value, shape, where, f"{kind(value)} has {len(value)} characters"))
    yield from outside
    # A value of the wrong length is not matched as well: some of the patterns backtrack badly.
    pattern = shape.metadata.get("pattern")
    if not pattern or outside:
        return
    expression = compiled(pattern)
    if expression and not expression.fullmatch(value):
        yield refused(
            where, f"{kind(value)} is no {shape.name}; write one that matches {pattern} as a whole"
        )


def whole(value: float, shape: Any, where: str) -> Iterator[Finding]:
    """What is wrong with a number where an integer is expected."""
    if isinstance(value, int):
        yield from number(value, shape, where)
    elif value.is_integer():
        yield doubted(where, f"{kind(value)} where an integer is expected; write {int(value)}")
    else:
        yield refused(where, f"{kind(value)} where an integer is expected; round it")


def number(value: float, shape: Any, where: str) -> Iterator[Finding]:
    """What is wrong with a number."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        yield refused(where, f"{kind(value)} is too small; {shape.name} is at least {least}")
    if most is not None and value > most:
        yield refused(where, f"{kind(value)} is too large; {shape.name} is at most {most}")


def length(value: Sized, shape: Any, where: str, told: str) -> Iterator[Finding]:
    """What is wrong with the number of characters, elements or members, which `told` tells."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        yield refused(where, f"{told}; {shape.name} has at least {least}")
    if most is not None and len(value) > most:
        yield refused(where, f"{told}; {shape.name} has at most {most}")


@lru_cache(maxsize=1024)  # finding what is near takes long, and steps make the same mistake
def _unlisted(value: str, shape: Any) -> str:
    near = difflib.get_close_matches(value, shape.enum, n=3)
    choice = f"did you mean {' or '.join(map(repr, near))}?" if near else listed(shape.enum)
    return f"{version()} knows no {shape.name} {value!r}; {choice}"
