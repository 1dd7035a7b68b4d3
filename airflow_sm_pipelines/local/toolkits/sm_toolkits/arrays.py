"""Arrays to and from the bodies of requests.

To add a content type: a row of `DECODERS` or of `ENCODERS`.
"""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np  # type: ignore[import-not-found, unused-ignore]  # of the job's environment
from sm_toolkits import content_types
from sm_toolkits.errors import UnsupportedFormatError


def decode(obj: Any, content_type: str) -> Any:
    """A body as an array; raises `UnsupportedFormatError`."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in DECODERS:
        raise UnsupportedFormatError(content_type)
    return DECODERS[kind](obj)


def encode(array_like: Any, content_type: str) -> Any:
    """An array, or what NumPy makes one of, as a body; raises `UnsupportedFormatError`."""
    if content_type not in ENCODERS:
        raise UnsupportedFormatError(content_type)
    return ENCODERS[content_type](array_like)


def json_to_numpy(string_like: str | bytes, dtype: Any = None) -> Any:
    """JSON as an array."""
    return np.array(json.loads(string_like), dtype=dtype)


def csv_to_numpy(string_like: str | bytes, dtype: Any = None) -> Any:
    """Lines of CSV as an array: of numbers where all cells are, else of text."""
    rows = list(csv.reader(io.StringIO(_text(string_like)), strict=True))
    cells = np.array(rows).squeeze()
    if dtype is not None:
        return cells.astype(dtype)
    try:
        return cells.astype(float)
    except ValueError:
        return cells


def npy_to_numpy(npy_array: str | bytes) -> Any:
    """NPY as an array; objects in it are not unpickled."""
    raw = npy_array if isinstance(npy_array, bytes) else npy_array.encode("latin-1")
    return np.load(io.BytesIO(raw), allow_pickle=False)


def npz_to_sparse(npz_bytes: bytes) -> Any:
    """NPZ, as SciPy saves it, as a sparse matrix."""
    from scipy import sparse  # type: ignore[import-not-found, import-untyped, unused-ignore]

    return sparse.load_npz(io.BytesIO(npz_bytes))


def array_to_json(array_like: Any) -> str:
    """An array as JSON, wherever it is in lists and dictionaries."""

    def plain(value: Any) -> Any:
        if hasattr(value, "tolist"):
            return value.tolist()
        raise TypeError(f"{type(value).__name__} is not JSON: {value!r}")

    return json.dumps(array_like, default=plain)


def array_to_csv(array_like: Any) -> str:
    """An array as CSV: a line for each row, or for each value where there are no rows."""
    array = np.asarray(array_like)
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerows(array if array.ndim > 1 else array.reshape(-1, 1))
    return rows.getvalue()


def array_to_npy(array_like: Any) -> bytes:
    """An array as NPY."""
    stream = io.BytesIO()
    np.save(stream, np.asarray(array_like))
    return stream.getvalue()


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode()


DECODERS: dict[str, Callable[[Any], Any]] = {
    content_types.JSON: json_to_numpy,
    content_types.CSV: csv_to_numpy,
    content_types.NPY: npy_to_numpy,
    content_types.NPZ: npz_to_sparse,
}

ENCODERS: dict[str, Callable[[Any], Any]] = {
    content_types.JSON: array_to_json,
    content_types.CSV: array_to_csv,
    content_types.NPY: array_to_npy,
}
