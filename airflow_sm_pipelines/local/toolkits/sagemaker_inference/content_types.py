"""`sagemaker_inference.content_types`."""

from sm_toolkits.content_types import *  # noqa: F403
