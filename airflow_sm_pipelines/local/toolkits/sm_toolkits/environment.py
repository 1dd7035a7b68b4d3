"""What a script is told of the job or the server that it runs in."""

import json
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ML = "/opt/ml"
model_dir = f"{ML}/model"
code_dir = f"{model_dir}/code"
input_dir = f"{ML}/input"
input_data_dir = f"{ML}/input/data"
output_dir = f"{ML}/output"
output_data_dir = f"{ML}/output/data"

_LOOKUP_SECONDS = 15 * 60
_LOOK_SECONDS = 0.1


class Environment:
    """A training job's environment; its attributes are the keys of SM_TRAINING_ENV.

    `hyperparameters`, `channel_input_dirs`, `hosts`, `current_host`, `model_dir`, `num_gpus` and so
    on. It can be read as a mapping, too.
    """

    def __init__(self) -> None:
        self._told: dict[str, Any] = json.loads(os.environ.get("SM_TRAINING_ENV") or "{}")

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_told"][name]
        except KeyError:
            raise AttributeError(
                f"the training environment has no {name!r}; it has {', '.join(self._told)}"
            ) from None

    def __getitem__(self, name: str) -> Any:
        return self._told[name]

    def __iter__(self) -> Any:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def keys(self) -> Iterable[str]:
        """The names of what is told."""
        return self._told.keys()

    def to_cmd_args(self) -> list[str]:
        """The hyperparameters as the command line that the script was started with."""
        told: list[str] = json.loads(os.environ.get("SM_USER_ARGS") or "[]")
        return told

    def to_env_vars(self) -> dict[str, str]:
        """The `SM_*` variables of the script."""
        return {name: value for name, value in os.environ.items() if name.startswith("SM_")}


class ServingEnv:
    """A model server's environment."""

    def __init__(self) -> None:
        program = os.environ.get("SAGEMAKER_PROGRAM", "")
        self.module_name = program.removesuffix(".py") or None
        self.module_dir = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", code_dir)
        self.user_entry_point = program or None
        self.model_dir = model_dir
        self.default_accept = os.environ.get(
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json"
        )
        self.http_port = os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")
        self.model_server_timeout = int(os.environ.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60"))
        self.model_server_workers = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS", "1"))
        self.num_cpus = os.cpu_count() or 1
        self.num_gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))


def training_env() -> Environment:
    """The environment of this training job."""
    return Environment()


def read_hyperparameters() -> dict[str, Any]:
    """The hyperparameters of the user's, decoded."""
    told: dict[str, Any] = json.loads(os.environ.get("SM_HPS") or "{}")
    return told


def read_resource_config() -> dict[str, Any]:
    """The hosts of this job."""
    told: dict[str, Any] = json.loads(os.environ.get("SM_RESOURCE_CONFIG") or "{}")
    return told


def read_input_data_config() -> dict[str, Any]:
    """The channels of this job."""
    told: dict[str, Any] = json.loads(os.environ.get("SM_INPUT_DATA_CONFIG") or "{}")
    return told


def wait_hostname_resolution(hosts: Iterable[str] | None = None) -> None:
    """Return when the names of all hosts can be looked up, for 15 minutes at most."""
    deadline = time.monotonic() + _LOOKUP_SECONDS
    for host in Environment().hosts if hosts is None else hosts:
        while not _known(host):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{host}: no address after {_LOOKUP_SECONDS} seconds")
            time.sleep(_LOOK_SECONDS)


def _known(host: str) -> bool:
    try:
        socket.gethostbyname(host)
    except OSError:
        return False
    return True
