"""The configuration file that the SageMaker Python SDK reads, of this local AWS.

The SDK asks STS for the account where it has no bucket, at the address of the real one whatever
AWS_ENDPOINT_URL says, and sends telemetry unless it is told not to. Versions 2 and 3 read the same
file: https://sagemaker.readthedocs.io/en/stable/overview.html#configuring-and-using-defaults
"""

import json
from pathlib import Path

from airflow_sm_pipelines.local.account import Account

VARIABLE = "SAGEMAKER_USER_CONFIG_OVERRIDE"
_FILE_NAME = "sagemaker-config.yaml"


def write(root: Path, account: Account) -> None:
    """Write the file into the server's root."""
    modules = {"Session": {"DefaultS3Bucket": account.bucket}, "TelemetryOptOut": True}
    document = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": modules}}}
    text = json.dumps(document, indent=2)  # which is YAML too
    path(root).write_text(text + "\n", encoding="utf-8")


def path(root: Path) -> Path:
    """Where it is, to which `VARIABLE` leads."""
    return root / _FILE_NAME
