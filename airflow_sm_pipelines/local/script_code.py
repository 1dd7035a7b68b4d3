"""The code of a training job in script mode, unpacked in /opt/ml/code before the job starts.

Its launcher (`script_mode.py`) would fetch it as well, and does where this cannot, so that it is
the launcher that tells what is wrong with it. Here it costs no request, and no process has to load
what it takes: 20 ms a job.
"""

import json
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from airflow_sm_pipelines.local.errors import JobError
from airflow_sm_pipelines.local.fetching import DAMAGED, unpack
from airflow_sm_pipelines.local.hosts import Host
from airflow_sm_pipelines.local.images import Runtime
from airflow_sm_pipelines.local.job import Fields
from airflow_sm_pipelines.local.objects import Objects


def put_code(objects: Objects, request: Fields, runtime: Runtime, hosts: Sequence[Host]) -> None:
    """Put the code that the hyperparameters name where the hosts have it, if it is in S3."""
    own = request["AlgorithmSpecification"].get("ContainerEntrypoint")
    uri = _source(request.get("HyperParameters") or {})
    if own or not runtime.takes_scripts or not uri.startswith("s3://"):
        return
    with suppress(JobError, *DAMAGED):
        for host in hosts:
            _put(objects, uri, host)


def _put(objects: Objects, uri: str, host: Host) -> None:
    """All of it, or nothing."""
    with tempfile.TemporaryDirectory(dir=host.folder, prefix=".code-") as aside:
        unpacked = Path(aside) / "code"
        with objects.open(uri) as archive:
            unpack(archive, unpacked)
        unpacked.replace(host.ml / "code")


def _source(hyperparameters: Fields) -> str:
    """Where the code is; the SDK writes each hyperparameter as JSON, others write plain text."""
    written = str(hyperparameters.get("sagemaker_submit_directory") or "")
    with suppress(ValueError):
        return str(json.loads(written))
    return written
