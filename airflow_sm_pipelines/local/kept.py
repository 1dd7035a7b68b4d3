"""JSON files that outlive the server: values with times, written whole or not at all.

JSON has no times: a file has them as text, and `Times` says where (RFC 6901), so that a text of a
user's that looks like a time stays a text.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_sm_pipelines.local.errors import KeptError

logger = logging.getLogger(__name__)

VERSION = 1
_LONGEST_NAME = 200


class Shelf:
    """Values by name, each in a file of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value; an earlier one of the name goes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write(self._file(name), {"Name": name, "Value": value})

    def remove(self, name: str) -> None:
        """Keep a value no longer."""
        self._file(name).unlink(missing_ok=True)

    def get(self, name: str) -> dict[str, Any] | None:
        """The value of a name, or None; a file that cannot be read is told."""
        file = self._file(name)
        return next((value for _, value in _values([file])), None) if file.exists() else None

    def all(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every name and its value, in no order; a file that cannot be read stays, and is told."""
        yield from _values(sorted(self._folder.glob("*.json")))

    def _file(self, name: str) -> Path:
        plain = quote(name, safe=" :")
        if len(plain) > _LONGEST_NAME or plain.startswith("."):
            plain = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / f"{plain}.json"


class Notes:
    """Values by name, in memory; with a shelf they outlive the server."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self._shelf = shelf
        self._values: dict[str, Mapping[str, Any]] = dict(shelf.all()) if shelf else {}

    def get(self, name: str) -> Mapping[str, Any] | None:
        """The value of a name, or None."""
        return self._values.get(name)

    def all(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Every name and its value."""
        yield from self._values.items()

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Note a value; an earlier one of the name goes."""
        self._values[name] = value
        if self._shelf:
            self._shelf.put(name, value)


def _values(files: Iterable[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in files:
        try:
            kept = read(file)
            name, value = kept["Name"], kept["Value"]
            if not (isinstance(name, str) and isinstance(value, dict)):
                raise KeptError(f"{file}: it has no Name or no Value")
        except (KeptError, KeyError) as error:
            logger.warning("%s: left out: %s", file, error)
            continue
        yield name, value


def write(file: Path, value: Mapping[str, Any]) -> None:
    """Write a value, in one step: whoever reads sees this one or the one before."""
    times: list[str] = []
    document = {"Version": VERSION, **_plain(value, "", times), "Times": times}
    aside = file.with_name(f"{file.name}.new")
    aside.write_text(json.dumps(document, indent=2, default=str), encoding="utf-8")
    aside.replace(file)


def read(file: Path) -> dict[str, Any]:
    """The value of a file; raises `KeptError` where it is damaged or of another version."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise KeptError(f"it cannot be read: {error}") from error
    version = document.get("Version") if isinstance(document, dict) else None
    if version != VERSION:
        raise KeptError(f"Version is {version!r}; this local AWS reads {VERSION}")
    try:
        for pointer in document["Times"]:
            _set_time(document, [_unescaped(name) for name in pointer.split("/")[1:]])
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise KeptError(f"Times does not fit: {error!r}") from error
    return {key: value for key, value in document.items() if key not in ("Version", "Times")}


def _plain(value: Any, where: str, times: list[str]) -> Any:
    """A value as JSON has it; where its times are is added to `times`."""
    match value:
        case datetime():
            times.append(where)
            return value.isoformat()
        case Mapping():
            return {key: _plain(value[key], f"{where}/{_escaped(key)}", times) for key in value}
        case list() | tuple():
            return [_plain(each, f"{where}/{number}", times) for number, each in enumerate(value)]
    return value


def _set_time(document: Any, path: list[str]) -> None:
    *before, last = path
    for name in before:
        document = document[int(name) if isinstance(document, list) else name]
    at: Any = int(last) if isinstance(document, list) else last
    document[at] = datetime.fromisoformat(document[at])


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")
