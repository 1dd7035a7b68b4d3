"""Channels of a training job as XGBoost's matrices."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import xgboost  # type: ignore[import-not-found, unused-ignore]  # of the job's environment

CSV = "csv"
LIBSVM = "libsvm"
PARQUET = "parquet"
RECORDIO_PROTOBUF = "recordio-protobuf"

_ALGORITHMS = Path(__file__).resolve().parents[2] / "algorithms"
_NAME = "_sm_algorithms"


def get_dmatrix(
    data_path: str,
    content_type: str,
    csv_weights: int = 0,
    is_pipe: bool = False,
    combine_train_val: bool = False,
) -> Any:
    """All files below `data_path` as a DMatrix, the label in front; None where nothing is there.

    With `csv_weights` the second column of a CSV holds weights.
    """
    if is_pipe:
        raise ValueError("get_dmatrix reads no pipes in the local AWS; use the mode File")
    if not data_path or not get_size(data_path):
        return None
    table = _tables().read(Path(data_path), content_type, weighted=bool(csv_weights))
    return xgboost.DMatrix(table.features, label=table.labels, weight=table.weights)


def get_content_type(content_type_cfg_val: str | None) -> str:
    """The kind of a content type: csv, libsvm, parquet or recordio-protobuf."""
    name = (content_type_cfg_val or "libsvm").lower().partition(";")[0].strip()
    kinds: dict[str, str] = _tables().CONTENT_TYPES
    if name not in kinds:
        raise ValueError(f"{name} is not an accepted ContentType: {', '.join(kinds)}")
    return kinds[name]


def get_size(dir_path: str, is_pipe: bool = False) -> int:
    """The bytes of all files below a folder; 0 where it is not there."""
    return sum(
        os.path.getsize(os.path.join(folder, name))
        for folder, _, names in os.walk(dir_path)
        for name in names
        if not name.startswith(".")
    )


def _tables() -> ModuleType:
    """What reads the channels of the built-in algorithm, whose package has no place on the path."""
    if _NAME not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            _NAME, _ALGORITHMS / "__init__.py", submodule_search_locations=[str(_ALGORITHMS)]
        )
        if spec is None or spec.loader is None:
            raise ImportError(f"{_ALGORITHMS}: no package")
        sys.modules[_NAME] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[_NAME])
    return importlib.import_module(f"{_NAME}.tabular")
