"""`sagemaker_containers`, the toolkit of the scikit-learn and XGBoost images."""

from sm_toolkits.environment import training_env

__all__ = ["training_env"]
