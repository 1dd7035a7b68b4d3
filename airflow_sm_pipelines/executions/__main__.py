"""`python -m airflow_sm_pipelines.executions FOLDER`: the program of one execution.

What it reads and tells is in `local/executions/runner.py`.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_sm_pipelines.cli import garbage, home
from airflow_sm_pipelines.cli.interruption import Interruption
from airflow_sm_pipelines.cli.progress import Progress
from airflow_sm_pipelines.definition import Pipeline, load
from airflow_sm_pipelines.errors import PipelineError
from airflow_sm_pipelines.executions.runner import DEPLOYMENT
from airflow_sm_pipelines.executions.telling import Teller
from airflow_sm_pipelines.local.executions.runner import ORDER, PIPELINE, WORK

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_sm_pipelines.cli.execution import Execution

CONNECTION = "aws_default"
FERNET_KEY = "local-executions".ljust(43, "0") + "="  # nothing is hidden by it


def main(folder: Path) -> None:
    """Run the execution of a folder to its end."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as told:
        os.dup2(2, 1)  # what others print goes to the log
        threading.Thread(target=_end_with_server, daemon=True).start()
        garbage.pause()
        run = Run(folder, Teller(told))
        with Interruption(run.stop) as interruption:
            run.execute(interruption)
    garbage.leave()


@dataclass(slots=True)
class Run:
    """One execution, from its order to its end."""

    folder: Path
    teller: Teller
    _stop_jobs: Callable[[], None] = field(default=lambda: None, init=False)

    def execute(self, interruption: Interruption) -> None:
        """Run it and tell how it ends."""
        order = json.loads((self.folder / ORDER).read_text(encoding="utf-8"))
        try:
            pipeline = load((self.folder / PIPELINE).read_bytes())
            execution = self._prepare(pipeline, order, interruption)
            state = execution.run(order["Parameters"])
        except PipelineError as error:
            self.teller.tell(Status="Failed", Reason=str(error))
        else:
            self.teller.tell(Status="Succeeded" if state == "success" else "Failed")

    def stop(self) -> None:
        """Stop the jobs; there are none before there is a DAG."""
        self._stop_jobs()

    def _prepare(
        self, pipeline: Pipeline, order: Mapping[str, Any], interruption: Interruption
    ) -> "Execution":
        """The run of the DAG, ready to start."""
        dag = self._load_dag()

        from airflow_sm_pipelines.cli.execution import Execution
        from airflow_sm_pipelines.cli.stopping_run import stopper
        from airflow_sm_pipelines.executions.reusing import reuse

        reuse(dag, kept=order["Kept"], skipped=order["Skipped"], times=order["Times"])

        def before_task() -> None:
            interruption.hold()
            garbage.resume()

        execution = Execution(
            dag=dag,
            progress=Progress.of(((step.name, step.type) for step in pipeline.walk()), self.teller),
            hold=before_task,
            started=datetime.fromisoformat(order["StartTime"]),
        )
        self.teller.run = execution
        self._stop_jobs = stopper(
            execution,
            pipeline,
            connection=CONNECTION,
            held=lambda: interruption.held,
            tell=lambda line: sys.stderr.write(f"{line}\n"),
        )
        return execution

    def _load_dag(self) -> "DAG":
        """Import Airflow into a home of this execution's own, and build the DAG."""
        airflow = self.folder / WORK
        airflow.mkdir(exist_ok=True)
        dags = home.write_dag_file(airflow, self.folder / PIPELINE, aws_conn_id=CONNECTION)
        os.environ.update(
            {
                **home.airflow_environment(airflow, dags=dags, fernet_key=FERNET_KEY),
                **home.in_process(),
                **home.local_role(),
                "AIRFLOW__SM_PIPELINES__DEPLOYMENT": DEPLOYMENT,
            }
        )
        copied = home.copy_database(airflow)

        from airflow_sm_pipelines.loader import load_dag

        if not copied:
            home.create_database(airflow)
        return load_dag(self.folder / PIPELINE, aws_conn_id=CONNECTION)


def _end_with_server() -> None:
    """End when the local AWS has ended, however it did: its end of the pipe closes then."""
    # Not sys.stdin: a thread that waits with its lock aborts the interpreter when that ends.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
