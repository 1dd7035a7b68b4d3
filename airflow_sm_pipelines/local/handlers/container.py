"""The container that a handler runs in: where it reads and writes, and how it says what it did."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ML = Path("/opt/ml")
_MESSAGE = ML / "output" / "message"


class ClientError(Exception):
    """What the job was given is wrong, or needs the image itself; SageMaker's word for it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A dataset: its columns by name, in their order; a value that is missing is None."""

    columns: Mapping[str, Sequence[str | None]]

    @property
    def length(self) -> int:
        """How many rows there are."""
        return max((len(values) for values in self.columns.values()), default=0)


def leave(message: str) -> None:
    """Leave what becomes the job's ExitMessage, and say it."""
    _MESSAGE.parent.mkdir(parents=True, exist_ok=True)
    _MESSAGE.write_text(message, encoding="utf-8")
    sys.stdout.write(f"{message}\n")


def compared(violations: int) -> str:
    """The message of a job that has compared its dataset with a baseline."""
    if violations:
        return f"CompletedWithViolations: Job completed successfully with {violations} violations."
    return "Completed: Job completed successfully with no violations."


def fail(error: ClientError) -> int:
    """Say why the job fails; its exit code."""
    leave(f"ClientError: {error}")
    return 255


def read_json(file: Path) -> Any:
    """The content of a JSON file."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ClientError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise ClientError(f"{file}: no JSON: {error}") from error


def write_json(file: Path, content: Any) -> None:
    """Write a report."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")


def files(source: Path) -> list[Path]:
    """The files of a dataset: the one, or those below a folder."""
    found = [source] if source.is_file() else sorted(source.rglob("*"))
    found = [each for each in found if each.is_file() and not each.name.startswith(("_", "."))]
    if not found:
        raise ClientError(f"{source}: there is no file of a dataset")
    return found


def first_record(source: Path) -> list[str]:
    """The first record of CSV files; empty where there is none."""
    with files(source)[0].open(encoding="utf-8", newline="") as content:
        return next((row for row in csv.reader(content) if row), [])


def read_csv(source: Path, *, header: bool, names: Sequence[str] | None = None) -> Table:
    """CSV files, each with a header or none; columns without a name are `_c0`, `_c1` and so on."""
    rows: list[list[str]] = []
    for file in files(source):
        with file.open(encoding="utf-8", newline="") as content:
            records = [row for row in csv.reader(content) if row]
        if header and records:
            first, *records = records
            names = names or first
        rows += records
    columns = names or [f"_c{number}" for number, _ in enumerate(rows[0] if rows else ())]
    if len(set(columns)) != len(columns):
        raise ClientError(f"{source}: a column is there twice: {', '.join(columns)}")
    for number, row in enumerate(rows, 1):
        if len(row) != len(columns):
            raise ClientError(
                f"{source}: record {number} has {len(row)} values, and there are {len(columns)} "
                "columns"
            )
    return Table({name: [row[n].strip() or None for row in rows] for n, name in enumerate(columns)})


def read_json_lines(source: Path) -> Table:
    """Files of JSON lines, each a flat object; a column is there that any line has."""
    records = [record for file in files(source) for record in _records(file)]
    names = list(dict.fromkeys(name for record in records for name in record))
    return Table({name: [_text(record.get(name)) for record in records] for name in names})


def _records(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ClientError(f"{file}: line {number}: no JSON: {error}") from error
        if not isinstance(record, dict):
            raise ClientError(f"{file}: line {number}: no JSON object")
        yield record


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value)
