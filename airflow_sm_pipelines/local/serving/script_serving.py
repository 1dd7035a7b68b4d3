"""The `serve` command of AWS's framework images: serves a model with the user's own functions.

A plain script of the standard library: it runs in the environment of the model, which may hold
nothing else. The contract is that of the SageMaker inference toolkits: SAGEMAKER_PROGRAM names the
module and SAGEMAKER_SUBMIT_DIRECTORY where its code is (both default to what is in the model's
`code` folder); its requirements.txt is installed; `model_fn` loads the model, and `input_fn`,
`predict_fn` and `output_fn`, or `transform_fn` alone, answer a request. Those that the module does
not have are the toolkit's own, which work on what the argument says: `arrays` (NumPy, as in the
scikit-learn image), `tensors` (PyTorch) or `matrices` (XGBoost).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

_HERE = Path(__file__).resolve().parents[1]
MODEL = "/opt/ml/model"
CODE = "/opt/ml/code"
JSON, CSV = "application/json", "text/csv"
_TEXTS = (JSON, CSV)


def _load(path: Path, name: str) -> ModuleType:
    """A module of ours, under a name that no module of the user's has."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


script_mode: Any = _load(_HERE / "script_mode.py", "_sm_script_mode")
model_http: Any = _load(_HERE / "algorithms" / "model_http.py", "_sm_model_http")
# Where it is in an environment of ours, too: last, as what the model brings comes first.
sys.path.append(str(_HERE / "toolkits"))


def main(kind: str, port: str) -> int:
    """Serve until the process is ended; returns the exit code where that is not possible."""
    try:
        module = import_user_module()
    except script_mode.TrainError as error:
        text = str(error)
        for name in ("sagemaker_program", "sagemaker_submit_directory"):
            text = text.replace(f"hyperparameter {name}", name.upper())
        sys.stderr.write(f"{text}\n")
        return int(error.code)
    transformer = Transformer(module, KINDS[kind])
    model_http.serve(transformer.answer, port=int(port))
    return 0


def import_user_module() -> ModuleType | None:
    """The user's module, with what it needs installed; None where the model has no code."""
    own = f"{MODEL}/code"
    source = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or own
    source = source.removeprefix("file://")
    program = os.environ.get("SAGEMAKER_PROGRAM") or "inference.py"
    named = "SAGEMAKER_PROGRAM" in os.environ
    # The SDK names the folder that the code has in its images, and packs it into the model.
    if not source.startswith("s3://") and not os.path.exists(source):
        source = own
    if not (named or source.startswith("s3://") or os.path.exists(f"{source}/{program}")):
        return None
    script_mode.fetch(source)
    script_mode.prepare(program)
    os.chdir(CODE)
    folder, _, file = program.rpartition("/")
    for path in (own, CODE, f"{CODE}/{folder}" if folder else ""):
        if path:
            sys.path.insert(0, path)
    return importlib.import_module(file.removesuffix(".py"))


class Transformer:
    """The functions that answer a request: the module's own, or the kind's."""

    def __init__(
        self, module: ModuleType | None, defaults: Mapping[str, Callable[..., Any]]
    ) -> None:
        own = {name: getattr(module, name) for name in FUNCTIONS if hasattr(module, name)}
        parts = {"input_fn", "predict_fn", "output_fn"} & own.keys()
        if "transform_fn" in own and parts:
            raise ValueError(f"transform_fn and {', '.join(sorted(parts))}: write one or the other")
        self._functions = {**defaults, **own}
        self._model = _call(self._functions["model_fn"], MODEL)

    def answer(self, request: Any) -> Any:
        """The answer to a `model_http.Request`."""
        content_type = request.content_type or JSON
        accept = _accept(request.accept)
        kind = content_type.partition(";")[0].strip().lower()
        content = request.body.decode() if kind in _TEXTS else request.body
        with _refusals(415):
            if "transform_fn" in self._functions:
                told = self._call("transform_fn", self._model, content, content_type, accept)
                return _answer(told, accept)
            data = self._call("input_fn", content, content_type)
        with _refusals(406):
            prediction = self._call("predict_fn", data, self._model)
            return _answer(self._call("output_fn", prediction, accept), accept)

    def _call(self, name: str, *arguments: object) -> Any:
        return _call(self._functions[name], *arguments)


@contextlib.contextmanager
def _refusals(unsupported: int) -> Iterator[None]:
    """What a function raises of the toolkit's own errors as the answer that it stands for."""
    errors: Any = importlib.import_module("sm_toolkits.errors")
    try:
        yield
    except errors.UnsupportedFormatError as error:
        raise model_http.RefusedError(unsupported, str(error)) from error
    except errors.BaseInferenceToolkitError as error:
        raise model_http.RefusedError(error.status_code, error.phrase) from error


def _call(function: Callable[..., Any], *arguments: object) -> Any:
    """Call a function of the user's, which may take the context of newer toolkits as well."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    takes = [each for each in inspect.signature(function).parameters.values() if each.kind in kinds]
    required = [each for each in takes if each.default is inspect.Parameter.empty]
    return function(*arguments, *([None] * (len(required) - len(arguments))))


def _accept(asked: str) -> str:
    """The type to answer with; whatever is as good as any is the toolkit's default."""
    first = asked.partition(",")[0].partition(";")[0].strip()
    default = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or JSON
    return default if first in ("", "*/*") else first


def _answer(told: Any, accept: str) -> Any:
    """What a function returned as an answer: a body, a body with its type, or a response."""
    if hasattr(told, "get_data"):  # a response of the toolkit's web framework
        if told.status_code >= 400:
            raise model_http.RefusedError(told.status_code, told.get_data().decode())
        return model_http.Answer(told.get_data(), told.mimetype or accept)
    content_type = accept
    if isinstance(told, tuple):
        told, content_type = told
    if isinstance(told, str):
        told = told.encode()
    if not isinstance(told, bytes | bytearray):
        told = json.dumps(told).encode() if isinstance(told, list | dict) else encode(told, accept)
    return model_http.Answer(bytes(told), str(content_type))


def _no_model(folder: str) -> Any:
    raise LookupError(
        "model_fn is missing: this image has no default for it; write model_fn(model_dir) in the "
        "module that SAGEMAKER_PROGRAM names, or in code/inference.py of the model"
    )


def decode(content: str | bytes, content_type: str) -> Any:
    """A request as a NumPy array; numbers of text are of 32 bits."""
    arrays: Any = importlib.import_module("sm_toolkits.arrays")
    decoded = arrays.decode(content, content_type)
    return decoded.astype("float32") if isinstance(content, str) else decoded


def encode(prediction: Any, accept: str) -> bytes:
    """A prediction as bytes of the type that is asked for."""
    arrays: Any = importlib.import_module("sm_toolkits.arrays")
    encoded = arrays.encode(prediction, accept)
    return encoded.encode() if isinstance(encoded, str) else bytes(encoded)


def _torch_model(folder: str) -> Any:
    """The TorchScript model of a folder."""
    files = sorted(path for path in Path(folder).iterdir() if path.suffix in (".pt", ".pth"))
    if len(files) != 1:
        return _no_model(folder)
    torch: Any = importlib.import_module("torch")
    return torch.jit.load(str(files[0]), map_location="cpu").eval()


def _tensor(content: str | bytes, content_type: str) -> Any:
    torch: Any = importlib.import_module("torch")
    return torch.from_numpy(decode(content, content_type))


def _torch_prediction(data: Any, model: Any) -> Any:
    torch: Any = importlib.import_module("torch")
    with torch.no_grad():
        return model(data)


def _torch_output(prediction: Any, accept: str) -> bytes:
    held = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else prediction
    return encode(held, accept)


def _matrix(content: str | bytes, content_type: str) -> Any:
    encoder: Any = importlib.import_module("sagemaker_xgboost_container.encoder")
    return encoder.decode(content, content_type)


def _matrix_prediction(data: Any, model: Any) -> Any:
    with contextlib.suppress(TypeError):  # what is no Booster has no such argument
        return model.predict(data, validate_features=False)
    return model.predict(data)


FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")

_ARRAYS: Mapping[str, Callable[..., Any]] = {
    "model_fn": _no_model,
    "input_fn": decode,
    "predict_fn": lambda data, model: model.predict(data),
    "output_fn": encode,
}

# What an image's toolkit works on -> the functions that it has itself.
KINDS: dict[str, Mapping[str, Callable[..., Any]]] = {
    "arrays": _ARRAYS,
    "tensors": {
        "model_fn": _torch_model,
        "input_fn": _tensor,
        "predict_fn": _torch_prediction,
        "output_fn": _torch_output,
    },
    "matrices": {**_ARRAYS, "input_fn": _matrix, "predict_fn": _matrix_prediction},
}

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
