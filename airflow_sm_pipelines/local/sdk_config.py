"""The files that the SageMaker Python SDK reads, of this local AWS.

Its configuration: the SDK asks STS for the account where it has no bucket, at the address of the
real one whatever AWS_ENDPOINT_URL says, and sends telemetry unless it is told not to. Versions 2
and 3 read the same file:
https://sagemaker.readthedocs.io/en/stable/overview.html#configuring-and-using-defaults

And the metadata of a Studio notebook, /opt/ml/metadata/resource-metadata.json, from which its
`get_execution_role()` has the role: where it is not there, that asks STS as well.
"""

import json
from pathlib import Path

from airflow_sm_pipelines.local.account import Account

VARIABLE = "SAGEMAKER_USER_CONFIG_OVERRIDE"
_FILE_NAME = "sagemaker-config.yaml"
_METADATA = "metadata/resource-metadata.json"


def write(root: Path, account: Account) -> None:
    """Write the files into the server's root."""
    modules = {"Session": {"DefaultS3Bucket": account.bucket}, "TelemetryOptOut": True}
    document = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}
    text = json.dumps(document, indent=2)  # which is YAML too
    path(root).write_text(text + "\n", encoding="utf-8")
    metadata = notebook(root) / _METADATA
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text(json.dumps({"ExecutionRoleArn": account.role_arn}) + "\n")


def path(root: Path) -> Path:
    """Where it is, to which `VARIABLE` leads."""
    return root / _FILE_NAME


def notebook(root: Path) -> Path:
    """The folder that is a notebook's /opt/ml."""
    return root / "notebook"
