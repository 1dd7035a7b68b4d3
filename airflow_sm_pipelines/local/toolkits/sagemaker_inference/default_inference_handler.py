"""`sagemaker_inference.default_inference_handler`."""

from sm_toolkits.handlers import *  # noqa: F403
