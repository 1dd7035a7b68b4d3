"""`sagemaker_inference.encoder`."""

from sm_toolkits.arrays import *  # noqa: F403
