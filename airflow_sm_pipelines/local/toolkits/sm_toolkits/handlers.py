"""The functions that a model is served by where a script does not have them."""

import importlib
from types import ModuleType
from typing import Any

from sm_toolkits import arrays, errors
from sm_toolkits.responses import Response


def default_model_fn(model_dir: str, context: Any = None) -> Any:
    """There is none: a script has to load its own model."""
    raise errors.ClientError("write model_fn(model_dir) in the module of SAGEMAKER_PROGRAM")


def default_input_fn(input_data: Any, content_type: str, context: Any = None) -> Any:
    """A request as an array."""
    return arrays.decode(input_data, content_type)


def default_predict_fn(data: Any, model: Any, context: Any = None) -> Any:
    """What the model predicts."""
    return model.predict(data)


def default_output_fn(prediction: Any, accept: str, context: Any = None) -> Response:
    """A prediction as an answer."""
    return Response(arrays.encode(prediction, accept), mimetype=accept)


def import_module(uri: str, name: str) -> ModuleType:
    """The module of that name; its code is there already, whatever `uri` it came from."""
    return importlib.import_module(name)


class DefaultInferenceHandler:
    """The same functions, as a class to derive one's own from."""

    def default_model_fn(self, model_dir: str, context: Any = None) -> Any:
        """There is none: a script has to load its own model."""
        return default_model_fn(model_dir)

    def default_input_fn(self, input_data: Any, content_type: str, context: Any = None) -> Any:
        """A request as an array."""
        return default_input_fn(input_data, content_type)

    def default_predict_fn(self, data: Any, model: Any, context: Any = None) -> Any:
        """What the model predicts."""
        return default_predict_fn(data, model)

    def default_output_fn(self, prediction: Any, accept: str, context: Any = None) -> Any:
        """A prediction in the type that is asked for, and that type."""
        return arrays.encode(prediction, accept), accept
