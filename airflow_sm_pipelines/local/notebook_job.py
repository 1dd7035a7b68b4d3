"""`amazon_sagemaker_scheduler`: runs the notebook of a notebook job, by papermill.

A plain script that runs in the job's environment. The contract is that of the SDK's
NotebookJobStep: variables name the notebook, its kernel and an initialization script; the
hyperparameters are the notebook's parameters; the executed notebook is the job's output, also where
a cell has failed.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

ML = Path("/opt/ml")
OUTPUT = ML / "output" / "data"
FAILURE = ML / "output" / "failure"
NEEDED = ("papermill", "ipykernel")


class NotebookError(Exception):
    """The notebook cannot be run. The text is the failure reason."""


def main() -> int:
    """Run the notebook; the exit code, with its reason in the failure file."""
    try:
        folder = Path(_variable("SM_EXECUTION_INPUT_PATH"))
        notebook = folder / _variable("SM_INPUT_NOTEBOOK_NAME")
        if not notebook.is_file():
            raise NotebookError(
                f"ClientError: SM_INPUT_NOTEBOOK_NAME: no {notebook.name} in {folder}"
            )
        _provide()
        initialize(folder)
        execute(notebook, OUTPUT / os.environ.get("SM_OUTPUT_NOTEBOOK_NAME", notebook.name))
    except NotebookError as error:
        sys.stderr.write(f"{error}\n")
        FAILURE.parent.mkdir(parents=True, exist_ok=True)
        FAILURE.write_text(str(error), encoding="utf-8")
        return 1
    return 0


def initialize(folder: Path) -> None:
    """Run the initialization script, where there is one."""
    script = os.environ.get("SM_INIT_SCRIPT")
    if script:
        code = subprocess.run(["/bin/bash", folder / script], cwd=folder, check=False).returncode
        if code:
            raise NotebookError(f"AlgorithmError: {script}: exit code {code}")


def execute(notebook: Path, output: Path) -> None:
    """Run the cells in the folder of the notebook; what they print goes to the log."""
    papermill = importlib.import_module("papermill")  # of the job's environment
    failed = importlib.import_module("papermill.exceptions").PapermillExecutionError
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(notebook),
            str(output),
            parameters=_parameters(),
            kernel_name=os.environ.get("SM_KERNEL_NAME") or None,
            cwd=str(notebook.parent),
            progress_bar=False,
            log_output=True,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
        )
    except failed as error:
        said = f"cell {error.exec_count}: {error.ename}: {error.evalue}"
        raise NotebookError(f"AlgorithmError: {notebook.name}, {said}") from error


def _parameters() -> dict[str, object]:
    file = ML / "input" / "config" / "hyperparameters.json"
    parameters: dict[str, object] = json.loads(file.read_text(encoding="utf-8"))
    return parameters


def _provide() -> None:
    """Install what runs notebooks, into the job's own environment, where the image has it not."""
    absent = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not absent:
        return
    sys.stdout.write(f"installing {', '.join(absent)}, which runs notebooks\n")
    sys.stdout.flush()
    command = [sys.executable, "-m", "pip", "install", "--quiet", *absent]
    if subprocess.run(command, check=False).returncode:
        raise NotebookError(
            f"ClientError: {', '.join(absent)}: not in the environment of this image, and pip "
            "could not install it; map an environment that has it in images.toml"
        )
    importlib.invalidate_caches()


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise NotebookError(f"ClientError: {name}: missing in the job's Environment")
    return value


if __name__ == "__main__":
    sys.exit(main())
