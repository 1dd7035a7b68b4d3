"""The `serve` command of AWS's XGBoost image, in algorithm mode.

The model is what /opt/ml/model holds: a booster as `Booster.save_model` writes it (UBJSON, JSON, or
the old binary format), or one that was pickled. Several files are an ensemble, whose answer is the
mean. With a SAGEMAKER_PROGRAM it is script mode.
"""

import importlib
import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np  # type: ignore[import-not-found, unused-ignore]
from scipy.sparse import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
    csr_matrix,
)

from .container import MODEL
from .model_http import Answer, RefusedError, Request, serve

_PARAMETERS = {
    "MaxConcurrentTransforms": os.cpu_count() or 1,
    "BatchStrategy": "MULTI_RECORD",
    "MaxPayloadInMB": 6,
}


def main() -> int:
    """Serve until the process is ended; returns the exit code where that is not possible."""
    if os.environ.get("SAGEMAKER_PROGRAM"):
        script = str(Path(__file__).resolve().parents[1] / "serving" / "script_serving.py")
        os.execv(sys.executable, [sys.executable, "-I", script, "matrices", sys.argv[2]])
    if os.environ.get("SAGEMAKER_INFERENCE_OUTPUT"):
        sys.stderr.write(
            "SAGEMAKER_INFERENCE_OUTPUT: selectable inference is not served locally; leave it out\n"
        )
        return 1
    boosters = [booster(file) for file in model_files(MODEL)]
    if not boosters:
        sys.stderr.write(f"No valid model file found in {MODEL}\n")
        return 1
    port = int(sys.argv[2])
    serve(lambda request: answer(boosters, request), port=port, parameters=_PARAMETERS)
    return 0


def model_files(folder: Path) -> list[Path]:
    """The files of a model; hidden ones, and code that came with it, are none."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
        and file.relative_to(folder).parts[0] != "code"
    ]


def booster(file: Path) -> Any:
    """The booster of a file, in whatever format it was saved."""
    content = file.read_bytes()
    pickled = content.startswith(pickle.PROTO)
    xgboost = _library(alone=not pickled)
    # By content: XGBoost would take the format from a name, which need not have an extension.
    loaded = pickle.loads(content) if pickled else xgboost.Booster(model_file=bytearray(content))
    return loaded.get_booster() if hasattr(loaded, "get_booster") else loaded


def _library(*, alone: bool) -> Any:
    """XGBoost; `alone` without scikit-learn, whose import takes most of the time of its own.

    What was pickled may be one of its estimators, which need scikit-learn.
    """
    if alone and "xgboost" not in sys.modules:
        sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("xgboost")
    finally:
        if not sys.modules.get("sklearn", True):
            del sys.modules["sklearn"]


def answer(boosters: list[Any], request: Request) -> Answer:
    """The predictions for a request: one line each in a transform job, else all in one line."""
    xgboost = sys.modules["xgboost"]
    kind = request.content_type.partition(";")[0].strip().lower() or _seen(request.body)
    if kind not in READERS:
        raise RefusedError(
            415,
            f"Content-Type {request.content_type!r} is not supported; one of {', '.join(READERS)}",
        )
    if not request.body.strip():
        raise RefusedError(204, "")
    width = boosters[0].num_features()
    try:
        features = READERS[kind](request.body.decode(), width)
    except ValueError as error:
        raise RefusedError(415, f"Loading {kind} data failed with Exception: {error}") from error
    if features.shape[1] != width:
        raise RefusedError(
            400,
            f"Unable to evaluate payload provided: Feature size of {kind} inference data "
            f"{features.shape[1]} is not consistent with feature size of trained model {width}.",
        )
    matrix = xgboost.DMatrix(features)
    predictions = np.mean(
        [each.predict(matrix, validate_features=False) for each in boosters], axis=0
    )
    return _written(predictions.tolist(), request.accept)


def _seen(body: bytes) -> str:
    """The type of content that nobody has named.

    It is CSV in AWS's image up to 1.0, on which its abalone pipeline relies, and libsvm since.
    """
    return "text/libsvm" if b":" in body.strip().partition(b"\n")[0] else "text/csv"


def _written(values: list[Any], accept: str) -> Answer:
    kind = accept.partition(";")[0].strip().lower()
    if kind in WRITERS:
        return Answer(WRITERS[kind](values).encode(), kind)
    if kind not in ("", "*/*", "text/csv"):
        accepted = ", ".join(["text/csv", *WRITERS])
        raise RefusedError(406, f"Accept type {accept} is not supported; one of {accepted}")
    lines = [str(value) for value in values]
    batch = bool(os.environ.get("SAGEMAKER_BATCH"))
    return Answer(("\n".join(lines) + "\n" if batch else ",".join(lines)).encode(), "text/csv")


def _read_csv(text: str, width: int) -> Any:
    """Rows of numbers, without a header and without a label; an empty cell is a missing value."""
    lines = text.splitlines()
    delimiter = max(",;\t| ", key=lines[0].count)
    rows = [
        [float(cell) if cell.strip() else np.nan for cell in line.split(delimiter)]
        for line in lines
        if line.strip()
    ]
    return np.array(rows, dtype="float32")


def _read_libsvm(text: str, width: int) -> Any:
    """`index:value ...`, with or without a label in front; the indexes count from 0."""
    cells = [
        (number, int(index), float(value))
        for number, line in enumerate(_lines(text))
        for index, _, value in (word.partition(":") for word in line.split() if ":" in word)
    ]
    rows, columns, values = zip(*cells, strict=True) if cells else ((), (), ())
    height = sum(1 for _ in _lines(text))
    shape = (height, max(width, max(columns, default=-1) + 1))
    return csr_matrix((values, (rows, columns)), shape=shape, dtype="float32")


def _lines(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip())


def _json(values: list[Any]) -> str:
    return json.dumps({"predictions": [{"score": value} for value in values]})


def _json_lines(values: list[Any]) -> str:
    return "".join(f"{json.dumps({'score': value})}\n" for value in values)


READERS: dict[str, Callable[[str, int], Any]] = {
    "text/csv": _read_csv,
    "text/libsvm": _read_libsvm,
    "text/x-libsvm": _read_libsvm,
}

WRITERS: dict[str, Callable[[list[Any]], str]] = {
    "application/json": _json,
    "application/jsonlines": _json_lines,
}

if __name__ == "__main__":
    sys.exit(main())
