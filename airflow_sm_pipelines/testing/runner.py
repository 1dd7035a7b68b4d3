"""`python -m airflow_sm_pipelines.testing.runner HOME`: an Airflow that runs pipelines in turn.

Each is run as `airflow-sm run` does it, in this process: to import Airflow takes seconds.
"""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airflow_sm_pipelines.cli import garbage, home, outcome
from airflow_sm_pipelines.cli.progress import Progress, StepProgress
from airflow_sm_pipelines.testing.child import Message, serve

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from airflow_sm_pipelines.cli.execution import Execution

CONNECTION = "aws_default"
FERNET_KEY = "sm-local".ljust(43, "0") + "="  # names of jobs are made from it, nothing is hidden


class Unseen:
    """A view of a run that nobody looks at."""

    def phase(self, text: str) -> None: ...

    def watch(self, steps: Iterable[StepProgress]) -> None: ...

    def changed(self, step: StepProgress, note: str = "") -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


def main(folder: Path) -> None:
    """Make Airflow ready in `folder`, then run what is asked for."""
    garbage.pause()
    dags = folder / "dags"
    settings = home.airflow_environment(folder, dags=dags, fernet_key=FERNET_KEY)
    os.environ.update(settings | home.in_process() | home.local_role())
    copied = home.copy_database(folder)
    import airflow_sm_pipelines.loader  # noqa: F401 - Airflow, while nobody waits

    if not copied:
        home.create_database(folder)
    garbage.resume()
    serve(lambda question: _answer(folder, question))
    garbage.leave()


def _answer(folder: Path, question: Message) -> Message:
    """Run the definition in the file `Definition` with `Values`; how each step has ended."""
    from airflow_sm_pipelines.cli.execution import Execution

    os.environ.update(question["Environment"])
    definition = Path(question["Definition"])
    steps: Mapping[str, str] = question["Steps"]
    execution = Execution(
        dag=_load(folder, definition),
        progress=Progress.of(steps.items(), Unseen()),
        hold=lambda: None,
    )
    state = execution.run(question["Values"])
    return {
        "State": state,
        "Failures": execution.failures,
        "Steps": {name: _ended(execution, name) for name in steps},
    }


def _load(folder: Path, definition: Path) -> "DAG":
    from airflow_sm_pipelines.loader import load_dag

    home.write_dag_file(folder, definition, aws_conn_id=CONNECTION)
    return load_dag(definition, aws_conn_id=CONNECTION)


def _ended(execution: "Execution", name: str) -> dict[str, Any]:
    """How a step has ended, in Airflow's words."""
    step = execution.progress.steps[name]
    error = execution.errors.get(name)
    failed = outcome.job_failure(error)
    return {
        "State": step.state,
        "JobName": step.job_name,
        "Reason": failed.reason if failed else str(error or ""),
        "Response": execution.responses.get(name, {}),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
