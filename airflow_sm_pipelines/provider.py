"""What Airflow is told about this package; the entry point `apache_airflow_provider`.

Airflow loads this module while it is itself being imported: it may import nothing but the version.
"""

from airflow_sm_pipelines import __version__

INTEGRATION = "Amazon SageMaker Pipelines"


def get_provider_info() -> dict[str, object]:
    """The provider's metadata, of the shape of Airflow's `provider_info.schema.json`."""
    return {
        "package-name": "airflow-sm-pipelines",
        "name": INTEGRATION,
        "description": "Amazon SageMaker pipeline definitions as Airflow DAGs.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": INTEGRATION,
                "external-doc-url": "https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines.html",
                "tags": ["aws"],
            }
        ],
        "operators": _modules("operators", "job_operator", "lambda_operator", "callback_operator"),
        "sensors": _modules("sensors"),
        "triggers": _modules("triggers", "callback_trigger"),
        "extra-links": EXTRA_LINKS,
        "config": {
            "sm_pipelines": {
                "description": "Settings of airflow-sm-pipelines.",
                "options": OPTIONS,
            }
        },
    }


EXTRA_LINKS = [
    "airflow_sm_pipelines.links.ConsoleLink",
    "airflow_sm_pipelines.links.LogLink",
    "airflow_sm_pipelines.links.OutputLink",
]


def _modules(*names: str) -> list[dict[str, object]]:
    modules = [f"airflow_sm_pipelines.{name}" for name in names]
    return [{"integration-name": INTEGRATION, "python-modules": modules}]


OPTIONS: dict[str, dict[str, str | None]] = {
    "poll_seconds": {
        "description": (
            "Seconds between two looks at a job that is waited for. "
            "A connection whose endpoint_url is on this host is polled every 0.2 seconds."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": "30",
        "default": "10",
    },
    "defer_after_seconds": {
        "description": (
            "Seconds that a worker waits for a job itself before its task defers. "
            "Without a value: 0, and 5 where the connection's endpoint_url is on this host."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": "30",
        "default": None,
    },
    "create_patience_seconds": {
        "description": (
            "Seconds in which a step asks AWS again where a create is throttled, meets a fault of "
            "the service or is not answered. A retry policy of the step governs what follows."
        ),
        "version_added": "0.1.0",
        "type": "float",
        "example": "60",
        "default": "300",
    },
    "cache_pages": {
        "description": (
            "Most pages of 100 jobs, or of 50 steps of an EMR cluster, newest first, in which a "
            "cached step's sensor looks for an earlier job; beyond them it is a miss. SageMaker "
            "throttles long chains of pages."
        ),
        "version_added": "0.1.0",
        "type": "integer",
        "example": "20",
        "default": "50",
    },
    "deployment": {
        "description": (
            "Name of this Airflow among all that use the same AWS account; it is part of every "
            "execution id and so of every job name. Empty: a hash of [core] fernet_key."
        ),
        "version_added": "0.1.0",
        "type": "string",
        "example": "prod",
        "default": "",
    },
    "role_arn": {
        "description": "Execution role of steps whose Arguments name none.",
        "version_added": "0.1.0",
        "type": "string",
        "example": "arn:aws:iam::123456789012:role/SageMakerExecutionRole",
        "default": "",
    },
    "tags": {
        "description": "Tag every job that takes tags with its pipeline, step, DAG and run.",
        "version_added": "0.1.0",
        "type": "boolean",
        "example": None,
        "default": "True",
    },
}
