"""The Airflow home of a run: settings in the environment, a database that is copied, one DAG file.

Everything must be in place before Airflow is imported: it reads its settings, makes its logging
and opens its database while it is being imported.
"""

import base64
import hashlib
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path

from airflow_sm_pipelines.local.account import Account
from airflow_sm_pipelines.local.environments import default_cache

DATABASE = "airflow.db"
MIGRATED = "migrated-for-"
ROLE_ARN = "AIRFLOW__SM_PIPELINES__ROLE_ARN"
DEFER_AFTER_SECONDS = "AIRFLOW__SM_PIPELINES__DEFER_AFTER_SECONDS"

# The words "airflow" and "dag" are what Airflow's safe mode looks for in a DAG file.
DAG_FILE = """\
# The airflow dag of one pipeline definition, written by `airflow-sm run`.
from pathlib import Path

from airflow_sm_pipelines.loader import load_dag

dag = load_dag(Path({path!r}), aws_conn_id={aws_conn_id!r})
"""


def new_run_folder(parent: Path, name: str) -> Path:
    """A new folder `<parent>/<time>-<name>`; a number is added where two runs start at once."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    number = 1
    while True:
        folder = parent / (f"{stamp}-{name}" if number == 1 else f"{stamp}-{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder.resolve()


def write_dag_file(home: Path, definition: Path, *, aws_conn_id: str) -> Path:
    """Write the DAG file for one definition; the folder that holds nothing else."""
    dags = home / "dags"
    dags.mkdir(exist_ok=True)
    text = DAG_FILE.format(path=str(definition.resolve()), aws_conn_id=aws_conn_id)
    (dags / "pipeline.py").write_text(text, encoding="utf-8")
    return dags


def airflow_environment(home: Path, *, dags: Path, fernet_key: str) -> dict[str, str]:
    """The settings of an Airflow that has all it needs below `home`.

    They are given as variables, and each of them explicitly, because a variable wins over a
    configuration file and a user may have an Airflow of his own in the same shell.
    """
    bundle = {
        "name": "airflow-sm",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(dags), "refresh_interval": 10},
    }
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONFIG": str(home / "airflow.cfg"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__FERNET_KEY": fernet_key,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / DATABASE}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def local_role() -> dict[str, str]:
    """The setting that gives steps without a role of their own the role of the local AWS."""
    return {ROLE_ARN: os.environ.get(ROLE_ARN) or Account("").role_arn}


def in_process() -> dict[str, str]:
    """The setting of a run by `DAG.test`: steps wait for their jobs themselves.

    To defer would free nobody there, and a task would go on without what it had deferred with:
    Airflow 3.3 hands on the trigger's event alone.
    """
    return {DEFER_AFTER_SECONDS: str(timedelta(days=365).total_seconds())}


def fernet_key(folder: Path) -> str:
    """The key kept in `<folder>/fernet.key`, made when it is not there.

    It has to stay: job names are hashed from it, so that a second Airflow in the same account
    makes other names.
    """
    path = folder / "fernet.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f".fernet.key.{os.getpid()}"
        aside.touch(mode=0o600)
        aside.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
        with suppress(FileExistsError):
            path.hardlink_to(aside)
        aside.unlink()
    return path.read_text(encoding="ascii").strip()


def copy_database(home: Path) -> bool:
    """Give `home` a migrated metadata database; False where this machine has made none yet."""
    try:
        shutil.copyfile(_template(), home / DATABASE)
    except FileNotFoundError:
        return False
    return True


def is_migrated(home: Path) -> bool:
    """Whether the database of `home` fits this Airflow; it is copied where there is none."""
    if not (home / DATABASE).exists() and copy_database(home):
        note_migrated(home)
    return _migrated(home).exists()


def note_migrated(home: Path) -> None:
    """Remember which Airflow the database of `home` was migrated for."""
    for earlier in home.glob(f"{MIGRATED}*"):
        earlier.unlink()
    _migrated(home).touch()


def create_database(home: Path) -> None:
    """Migrate the empty database of `home`, and keep a copy of it for the next run.

    Imports Airflow. Costs about three seconds, a copy four milliseconds.
    """
    from airflow.utils.db import initdb

    initdb()
    with suppress(OSError):  # a cache that cannot be written costs time and nothing else
        _keep(home / DATABASE, _template())


def _migrated(home: Path) -> Path:
    return home / f"{MIGRATED}{metadata.version('apache-airflow-core')}"


def _template() -> Path:
    version = metadata.version("apache-airflow-core")
    digest = hashlib.sha256(version.encode()).hexdigest()[:16]
    return default_cache() / "airflow" / digest / DATABASE


def _keep(database: Path, template: Path) -> None:
    """Copy a database that may be open; whole or not at all."""
    template.parent.mkdir(parents=True, exist_ok=True)
    aside = template.with_name(f"{template.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(aside),))
    aside.replace(template)
