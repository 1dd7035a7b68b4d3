"""`sagemaker_inference.errors`."""

from sm_toolkits.errors import *  # noqa: F403
