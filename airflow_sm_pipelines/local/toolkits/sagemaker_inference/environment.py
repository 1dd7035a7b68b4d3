"""`sagemaker_inference.environment`."""

from sm_toolkits.environment import *  # noqa: F403
