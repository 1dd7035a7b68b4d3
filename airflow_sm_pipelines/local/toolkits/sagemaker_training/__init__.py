"""`sagemaker_training`, the toolkit of images that train."""

from sm_toolkits import environment, errors

__all__ = ["environment", "errors"]
