"""`sagemaker_training.environment`."""

from sm_toolkits.environment import *  # noqa: F403
