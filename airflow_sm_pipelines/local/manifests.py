"""Manifests: S3 objects that say which objects an input consists of.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_sm_pipelines.local.errors import JobError


@dataclass(frozen=True, slots=True)
class Item:
    """One object of an input: its URI, and its path in the input's folder."""

    uri: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an augmented manifest: the values of the attributes that are asked for.

    A value is the URI of an object (of an attribute whose name ends in `-ref`) or bytes.
    """

    values: tuple[str | bytes, ...]


def items(text: str, uri: str) -> Iterator[Item]:
    """The objects that a manifest names: a prefix, then what comes after it."""
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise _wrong(uri, f"not JSON ({error})") from error
    if not isinstance(entries, list) or not entries:
        raise _wrong(uri, "not a list with elements")
    prefix = entries[0].get("prefix") if isinstance(entries[0], dict) else None
    if not isinstance(prefix, str) or not prefix.startswith("s3://"):
        raise _wrong(uri, f"its first element is {entries[0]!r}")
    for entry in entries[1:]:
        if not isinstance(entry, str):
            raise _wrong(uri, f"{entry!r} is no string")
        yield Item(prefix + entry, entry.lstrip("/"))


def lines(text: str, uri: str, attributes: Sequence[str]) -> Iterator[Line]:
    """The lines of an augmented manifest, which is JSON Lines."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            values = tuple(_value(name, entry[name]) for name in attributes)
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(
                f"ClientError: augmented manifest {uri}, line {number}: {line[:80]!r}; it would be "
                f"a JSON object with {', '.join(attributes)}"
            ) from error
        yield Line(values)


def _value(name: str, value: Any) -> str | bytes:
    if name.endswith("-ref"):
        if not isinstance(value, str):
            raise TypeError(name)
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode()


def _wrong(uri: str, what: str) -> JobError:
    right = '[{"prefix": "s3://bucket/some/prefix/"}, "relative/key", ...]'
    return JobError(f"ClientError: manifest {uri}: {what}; it would be {right}")
