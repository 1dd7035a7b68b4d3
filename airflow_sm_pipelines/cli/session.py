"""`airflow-sm run`: the local AWS, an Airflow home and one run of the DAG, put together."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from airflow_sm_pipelines.cli import garbage, home, results, seeding
from airflow_sm_pipelines.cli.background import LocalProcess
from airflow_sm_pipelines.cli.console import Streams
from airflow_sm_pipelines.cli.errors import FAILED
from airflow_sm_pipelines.cli.extra import require_local_extra
from airflow_sm_pipelines.cli.interruption import Interruption
from airflow_sm_pipelines.cli.progress import Progress, View, state_text, view

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_sm_pipelines.cli.execution import Execution
    from airflow_sm_pipelines.definition import Pipeline
    from airflow_sm_pipelines.definition.node import Json

LOCAL_CONNECTION = "aws_default"


@dataclass(slots=True, kw_only=True)
class Session:
    """Everything that one run needs; what it leaves behind is in `folder`, which is its own.

    Without a `connection` the session has a local AWS of its own.
    """

    file: Path
    pipeline: "Pipeline"
    values: "Mapping[str, Json]"
    connection: str | None
    role_arn: str | None
    folder: Path
    fernet_key: str
    terminal: Streams
    _view: View = field(init=False)
    _progress: Progress = field(init=False)
    _local: LocalProcess | None = field(default=None, init=False)
    _isolation: str = field(default="", init=False)
    _stop_jobs: Callable[[], None] = field(default=lambda: None, init=False)

    def __post_init__(self) -> None:
        self._view = view(self.terminal.out)
        steps = ((step.name, step.type) for step in self.pipeline.walk())
        self._progress = Progress.of(steps, self._view)

    def run(self) -> int:
        """Run the pipeline once and tell about it; the exit code."""
        garbage.pause()
        with Interruption(self._interrupted) as interruption:
            try:
                with self._view:
                    execution = self._prepare(interruption)
                    state = execution.run(self.values)
            finally:
                if self._local:
                    self._local.stop()
            self._report(state, execution.failures)
        garbage.leave()
        return 0 if state == "success" else FAILED

    def _prepare(self, interruption: Interruption) -> "Execution":
        """Bring up what the run needs; the run, ready to start."""
        if self.connection is None:
            require_local_extra()
            self._view.phase("starting the local AWS and Airflow")
            # Before Airflow is imported, so that both take their time at the same time.
            beside = self.file.resolve().parent / "lambdas.toml"
            self._local = LocalProcess(
                root=self.folder,
                log=self.folder / "local-aws.log",
                lambdas=beside if beside.exists() else None,
            )
            self._local.start()
            self._stop_jobs = self._local.stop
        else:
            self._view.phase("starting Airflow")
        dag = self._load_dag()
        if self._local:
            served = self._local.wait_until_ready()
            self._isolation = served.isolation
            os.environ.update(served.environment)
            # A profile of the user's would be looked for, and may not be there.
            os.environ.pop("AWS_PROFILE", None)
            seeding.seed(served.environment, self.file.resolve().parent)

        from airflow_sm_pipelines.cli.execution import Execution
        from airflow_sm_pipelines.cli.stopping_run import stopper

        hold = partial(_before_task, interruption)
        execution = Execution(dag=dag, progress=self._progress, hold=hold)
        if self.connection is not None:
            self._stop_jobs = stopper(
                execution,
                self.pipeline,
                connection=self.connection,
                held=lambda: interruption.held,
                tell=partial(self.terminal.err.print, markup=False),
            )
        self._view.watch(self._progress.steps.values())
        return execution

    def _load_dag(self) -> "DAG":
        """Import Airflow into a home of this run's own, and build the DAG."""
        connection = self.connection or LOCAL_CONNECTION
        dags = home.write_dag_file(self.folder, self.file, aws_conn_id=connection)
        settings = home.airflow_environment(self.folder, dags=dags, fernet_key=self.fernet_key)
        settings |= home.in_process()
        if self.role_arn:
            settings[home.ROLE_ARN] = self.role_arn
        elif self._local:
            settings |= home.local_role()
        os.environ.update(settings)
        copied = home.copy_database(self.folder)

        from airflow_sm_pipelines.cli.warn import show_warnings
        from airflow_sm_pipelines.loader import load_dag

        show_warnings(self.terminal.err)
        if not copied:
            self._view.phase("making Airflow's metadata database; this happens once")
            home.create_database(self.folder)
        return load_dag(self.file, aws_conn_id=connection)

    def _interrupted(self) -> None:
        """Stop what runs and tell how far the run has come; called in a thread of its own."""
        self._view.__exit__(None, None, None)
        self.terminal.err.print("interrupted; stopping the jobs of this run")
        self._stop_jobs()
        for step in self._progress.steps.values():
            if step.state in {"running", "retrying"}:
                step.state = "interrupted"
        self._report("interrupted", {})

    def _report(self, state: str, failures: Mapping[str, list[str]]) -> None:
        title = Text.assemble((self.pipeline.name, "bold"), ": ", state_text(state))
        results.print_results(self.terminal.out, self._progress.steps.values(), title=title)
        results.print_failures(self.terminal.err, failures)
        results.print_places(self.terminal.out, self._places())

    def _places(self) -> dict[str, Path | str]:
        places: dict[str, Path | str] = {"Airflow's log": self.folder / "airflow.log"}
        if self._local:
            jobs = self.folder / "jobs"
            places |= {
                "a job's log": jobs / "<job>" / "log.txt",
                "a job's files": jobs / "<job>" / "ml",
                "isolation": self._isolation,
            }
        return places | {"this run": self.folder}


def _before_task(interruption: Interruption) -> None:
    interruption.hold()
    garbage.resume()
