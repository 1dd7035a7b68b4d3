"""`sagemaker_inference`, the toolkit of images that serve models."""

from sm_toolkits import arrays as decoder
from sm_toolkits import arrays as encoder
from sm_toolkits import content_types, environment, errors
from sm_toolkits import handlers as default_inference_handler

from . import _requests as utils

__all__ = [
    "content_types",
    "decoder",
    "default_inference_handler",
    "encoder",
    "environment",
    "errors",
    "utils",
]
