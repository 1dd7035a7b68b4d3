"""What scripts of the scikit-learn and XGBoost images import to read and write requests."""

from sagemaker_containers import entry_point
from sm_toolkits import arrays as encoders
from sm_toolkits import content_types, errors
from sm_toolkits import environment as env
from sm_toolkits import handlers as modules
from sm_toolkits import handlers as server
from sm_toolkits import handlers as transformer
from sm_toolkits import responses as worker
from sm_toolkits.environment import training_env

# Under these names as well, which the toolkit gave them first.
env.TrainingEnv = env.Environment  # type: ignore[attr-defined, unused-ignore]

__all__ = [
    "content_types",
    "encoders",
    "entry_point",
    "env",
    "errors",
    "modules",
    "server",
    "training_env",
    "transformer",
    "worker",
]
