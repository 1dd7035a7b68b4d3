"""The packages of the extra `local`, which the local AWS needs and the rest does not."""

import importlib.util

from airflow_sm_pipelines.cli.errors import CommandError

PACKAGES = ("moto", "flask", "flask_cors", "uv")


def require_local_extra() -> None:
    """Raise a CommandError that says what to install where a package of the extra is missing."""
    missing = [name for name in PACKAGES if not _is_there(name)]
    if missing:
        raise CommandError(
            f"the local AWS needs {', '.join(missing)}; "
            "pip install 'airflow-sm-pipelines[local]', or name an AWS with --connection"
        )


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):  # it is there, but not to be imported
        return False
