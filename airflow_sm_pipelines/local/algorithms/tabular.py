"""The data channels of an algorithm that learns from tables.

A channel is a directory of files of one content type, which together are one table. To add a
content type: a row of `READERS`, and its names in `CONTENT_TYPES`.
"""

import csv
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found, unused-ignore]
import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore]
from scipy.sparse import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
    csr_matrix,
)

from .container import ClientError


@dataclass(frozen=True, slots=True)
class Table:
    """Features, one row an example; their labels; weights where the data have them."""

    features: Any
    labels: Any
    weights: Any = None


def read(path: Path, content_type: str | None, *, weighted: bool = False) -> Table:
    """All data files below `path` as one table.

    The content type defaults to libsvm, as SageMaker's does. `weighted` says that the second
    column of a CSV holds weights. Raises `ClientError` where the files are not what they should be.
    """
    files = sorted(_data_files(path))
    if not files:
        raise ClientError(f"No data in channel path {path}")
    return READERS[_kind(content_type or "text/libsvm")](files, weighted)


def _data_files(path: Path) -> Iterator[Path]:
    """Files with data; a name with `.` or `_` in front is a marker, and an empty file nothing."""
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if not name.startswith((".", "_")) and file.stat().st_size > 0:
                yield file


def _kind(content_type: str) -> str:
    """The row of `READERS` for `content_type`, which may have parameters."""
    name, *parameters = [part.strip() for part in content_type.lower().split(";")]
    kind = CONTENT_TYPES.get(name)
    if kind is None:
        raise ClientError(
            f"{content_type} is not an accepted ContentType: {', '.join(CONTENT_TYPES)}."
        )
    label_sizes = [part for part in parameters if part.startswith("label_size=")]
    if kind == "csv" and label_sizes not in ([], ["label_size=1"]):
        raise ClientError(
            f"{content_type} is not an accepted csv ContentType. "
            "Optional parameter label_size must be equal to 1"
        )
    return kind


def _read_csv(files: Sequence[Path], weighted: bool) -> Table:
    """CSV without a header, the label in the first column."""
    frames = [_csv_frame(file) for file in files]
    widths = {frame.shape[1] for frame in frames}
    if len(widths) > 1:
        raise ClientError(
            f"Failed to load csv data with exception:\nthe files of {files[0].parent} differ in "
            f"their number of columns: {sorted(widths)}"
        )
    values = pd.concat(frames).to_numpy()
    first = 2 if weighted else 1
    if values.shape[1] <= first:
        raise ClientError(
            f"Failed to load csv data with exception:\n{files[0]}: {values.shape[1]} column(s), "
            "no features"
        )
    return Table(values[:, first:], values[:, 0], values[:, 1] if weighted else None)


def _csv_frame(file: Path) -> Any:
    with file.open(newline="", encoding="utf-8", errors="replace") as lines:
        delimiter = _delimiter(lines.readline())
    try:
        return pd.read_csv(file, header=None, sep=delimiter, dtype="float32")
    except (ValueError, pd.errors.ParserError) as error:
        reason = _first_bad_cell(file, delimiter) or f"{file}: {error}"
        raise ClientError(f"Failed to load csv data with exception:\n{reason}") from error


def _delimiter(line: str) -> str:
    """What separates the first line: the commonest of the usual ones, or a comma."""
    return max(_DELIMITERS, key=line.count)


def _first_bad_cell(file: Path, delimiter: str) -> str:
    """Where a cell is not a number, and what it holds; "" where all are."""
    with file.open(newline="", encoding="utf-8", errors="replace") as lines:
        for row in (reader := csv.reader(lines, delimiter=delimiter)):
            for cell in row:
                if cell and not _is_number(cell):
                    return (
                        f"{file}, line {reader.line_num}: {cell!r} is not a number; the file "
                        "must have no header, the label first, and nothing but numbers"
                    )
    return ""


def _read_libsvm(files: Sequence[Path], weighted: bool) -> Table:
    """`label[:weight] index:value ...`, one line an example; the indexes count from 0."""
    labels, weights, values = array("f"), array("f"), array("f")
    columns, ends = array("q"), array("q", [0])
    for where, line in _lines(files):
        first, *features = line.split()
        label, _, weight = first.partition(":")
        labels.append(_libsvm_number(where, label))
        weights.append(_libsvm_number(where, weight or "1"))
        for feature in features:
            column, _, value = feature.partition(":")
            columns.append(int(_libsvm_number(where, column)))
            values.append(_libsvm_number(where, value))
        ends.append(len(values))
    width = max(columns, default=-1) + 1
    features = csr_matrix((values, columns, ends), shape=(len(labels), width), dtype="float32")
    return Table(features, np.asarray(labels), np.asarray(weights))


def _lines(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """The lines with content, each after the words for where it is."""
    for file in files:
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                content = line.partition("#")[0].strip()
                if content:
                    yield f"{file}, line {number}", content


def _libsvm_number(where: str, text: str) -> float:
    if not _is_number(text):
        raise ClientError(
            f"Failed to load libsvm data with exception:\n{where}: {text!r} is not a number; "
            "lines are `label index:value ...`, and ContentType text/csv is for CSV"
        )
    return float(text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_parquet(files: Sequence[Path], weighted: bool) -> Table:
    """Parquet, the label in the first column."""
    try:
        values = pd.concat([pd.read_parquet(file) for file in files]).to_numpy("float32")
    except ImportError as error:
        raise ClientError(
            "Failed to load parquet data with exception:\npyarrow is not in the local environment "
            "of this image; use text/csv, or map the image to a Python that has pyarrow"
        ) from error
    except ValueError as error:
        raise ClientError(f"Failed to load parquet data with exception:\n{error}") from error
    return Table(values[:, 1:], values[:, 0])


def _read_recordio(files: Sequence[Path], weighted: bool) -> Table:
    raise ClientError(
        "application/x-recordio-protobuf: is not read locally; use text/csv or text/libsvm"
    )


_DELIMITERS = ",;\t| "

READERS: dict[str, Callable[[Sequence[Path], bool], Table]] = {
    "csv": _read_csv,
    "libsvm": _read_libsvm,
    "parquet": _read_parquet,
    "recordio-protobuf": _read_recordio,
}

CONTENT_TYPES = {
    "csv": "csv",
    "libsvm": "libsvm",
    "parquet": "parquet",
    "recordio-protobuf": "recordio-protobuf",
    "text/csv": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "application/x-parquet": "parquet",
    "application/x-recordio-protobuf": "recordio-protobuf",
}
