"""Running a definition as a DAG to its end."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from airflow_sm_pipelines.cli import home
from tests.conftest import HOME

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from airflow_sm_pipelines.local import LocalAWS

LOADER = '''\
"""The airflow dag of every definition of these tests."""
from pathlib import Path

from airflow_sm_pipelines import load_dags

globals().update(load_dags(Path(__file__).parent / "pipelines"))
'''


# Before Airflow 3.2 a test run leaves its own DAG and task there, for which alone DAGs are loaded.
PARSING_CONTEXT = ("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "_AIRFLOW_PARSING_CONTEXT_TASK_ID")


class Failures(dict[str, str]):
    """Task id -> the error that it failed with, as far as Airflow tells: 3.1 does not."""

    def __init__(self) -> None:
        super().__init__()
        self.untold: set[str] = set()

    def __missing__(self, task_id: str) -> str:
        if task_id in self.untold:
            pytest.skip("this Airflow does not tell what a task failed with")
        raise KeyError(task_id)


@dataclass(frozen=True, slots=True)
class Run:
    """How a run has ended."""

    state: str
    tasks: dict[str, str]
    """Task id -> state."""
    outputs: dict[str, Any]
    """Task id -> what it handed on."""
    failures: dict[str, str]
    """Task id -> the error that it failed with."""
    retry_reasons: dict[str, list[str]]
    """Task id -> why each retry of it was made, as Airflow shows it, the first one first."""


RunPipeline = Callable[..., Run]
Play = Callable[..., None]


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """A migrated metadata database."""
    if not home.is_migrated(HOME):
        home.create_database(HOME)
        home.note_migrated(HOME)


@pytest.fixture
def pipelines(airflow_database: None) -> Iterator[Path]:
    """The folder whose definitions the DAG file loads."""
    dags = HOME / "dags"
    folder = dags / "pipelines"
    folder.mkdir()
    (dags / "sm_pipelines.py").write_text(LOADER)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.fixture
def run_pipeline(pipelines: Path, aws_environment: "LocalAWS") -> RunPipeline:
    """Run a definition, given as an object or a file, with values for its parameters.

    `change` gets the DAG before it is run.
    """

    def run(
        definition: dict[str, Any] | Path,
        *,
        name: str,
        change: Callable[[Any], None] = lambda dag: None,
        **parameters: Any,
    ) -> Run:
        from airflow_sm_pipelines import load_dags

        text = definition.read_text() if isinstance(definition, Path) else json.dumps(definition)
        (pipelines / f"{name}.json").write_text(text)
        for variable in PARSING_CONTEXT:
            os.environ.pop(variable, None)
        dag = load_dags(pipelines)[name]
        failures = Failures()

        def failed(context: Any) -> None:
            if "exception" in context:
                failures[context["ti"].task_id] = str(context["exception"])
            else:
                failures.untold.add(context["ti"].task_id)

        for task in dag.tasks:
            task.on_failure_callback = [failed]
        change(dag)
        run = dag.test(run_conf=parameters)
        instances = run.get_task_instances()
        return Run(
            state=str(run.state),
            tasks={instance.task_id: str(instance.state) for instance in instances},
            outputs={
                instance.task_id: instance.xcom_pull(task_ids=instance.task_id)
                for instance in instances
            },
            failures=failures,
            retry_reasons=retry_reasons(dag.dag_id, run.run_id),
        )

    return run


def retry_reasons(dag_id: str, run_id: str) -> dict[str, list[str]]:
    """The reasons of tries that were followed by another, from Airflow's history of tries."""
    from airflow.models.taskinstancehistory import TaskInstanceHistory
    from airflow.utils.session import create_session
    from sqlalchemy import select

    tries = (
        select(TaskInstanceHistory)
        .where(TaskInstanceHistory.dag_id == dag_id, TaskInstanceHistory.run_id == run_id)
        .order_by(TaskInstanceHistory.try_number)
    )
    reasons: dict[str, list[str]] = {}
    with create_session() as session:
        for each in session.scalars(tries):
            if each.retry_reason:
                reasons.setdefault(each.task_id, []).append(each.retry_reason)
    return reasons


@pytest.fixture
def bucket(s3: "S3Client") -> str:
    """A bucket of the test's own."""
    name = f"runs-{uuid4().hex}"
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def play(aws_environment: "LocalAWS") -> Iterator[Play]:
    """What sets scripts for jobs and endpoints; they are gone when the test ends."""
    yield aws_environment.scripts.add
    aws_environment.scripts.replace()
