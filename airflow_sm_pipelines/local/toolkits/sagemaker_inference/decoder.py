"""`sagemaker_inference.decoder`."""

from sm_toolkits.arrays import *  # noqa: F403
