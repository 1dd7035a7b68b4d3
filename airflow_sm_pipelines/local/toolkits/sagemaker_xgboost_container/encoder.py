"""Bodies of requests as XGBoost's matrices.

To add a content type: a row of `DECODERS`.
"""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np  # type: ignore[import-not-found, unused-ignore]  # of the job's environment
import xgboost  # type: ignore[import-not-found, unused-ignore]
from scipy.sparse import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
    csr_matrix,
)
from sm_toolkits import content_types
from sm_toolkits.errors import UnsupportedFormatError

_DELIMITERS = ",;\t| "


def decode(obj: str | bytes, content_type: str) -> Any:
    """A body as a DMatrix; raises `UnsupportedFormatError`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in DECODERS:
        raise UnsupportedFormatError(kind)
    return DECODERS[kind](obj)


def csv_to_dmatrix(input: str | bytes, dtype: Any = None) -> Any:
    """Rows of features, without a label and without a header; an empty cell is a missing value."""
    lines = _text(input).strip("\n").splitlines()
    delimiter = max(_DELIMITERS, key=lines[0].count) if lines else ","
    rows = [
        [cell if cell.strip() else "nan" for cell in row]
        for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter)
    ]
    return xgboost.DMatrix(np.array(rows).astype(dtype or "float32"))


def libsvm_to_dmatrix(string_like: str | bytes) -> Any:
    """Lines `label index:value ...`, of which the label may be missing."""
    labels, values, columns, ends = [], [], [], [0]
    for line in filter(str.strip, _text(string_like).splitlines()):
        words = line.split()
        labels.append(float(words[0].partition(":")[0]) if ":" not in words[0] else 0.0)
        for index, _, value in (word.partition(":") for word in words if ":" in word):
            columns.append(int(index))
            values.append(float(value))
        ends.append(len(values))
    shape = (len(labels), max(columns, default=-1) + 1)
    matrix = csr_matrix((values, columns, ends), shape=shape, dtype="float32")
    return xgboost.DMatrix(matrix, label=labels)


def json_to_jsonlines(json_data: str | dict[str, Any]) -> bytes:
    """JSON that is one list under one key as JSON lines."""
    told = json_data if isinstance(json_data, dict) else json.loads(json_data)
    if len(told) != 1:
        raise ValueError(f"not one key but {len(told)}: only one list can be made JSON lines of")
    (entries,) = told.values()
    return "".join(f"{json.dumps(entry)}\n" for entry in entries).encode()


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else bytes(content).decode()


DECODERS: dict[str, Callable[[Any], Any]] = {
    content_types.CSV: csv_to_dmatrix,
    content_types.LIBSVM: libsvm_to_dmatrix,
    content_types.X_LIBSVM: libsvm_to_dmatrix,
}
