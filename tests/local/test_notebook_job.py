"""The program that runs notebook jobs, with a stand-in for papermill that tells what it is given.

By hand with the real one: see docs/local-runtime.md, "Notebook jobs".
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import image_commands
from airflow_sm_pipelines.local.sandbox import choose

PROGRAM = Path(image_commands.__file__).with_name("notebook_job.py")
PAPERMILL = """
import json, pathlib, sys

def execute_notebook(notebook, output, **options):
    del options["stdout_file"], options["stderr_file"]
    print("GIVEN", json.dumps({"notebook": notebook, "output": output, **options}))
    text = pathlib.Path(notebook).read_text()
    pathlib.Path(output).write_text(text)
    if text == "fails":
        from papermill.exceptions import PapermillExecutionError
        raise PapermillExecutionError(3, "ValueError", "no rows")
"""
EXCEPTIONS = """
class PapermillExecutionError(Exception):
    def __init__(self, exec_count, ename, evalue):
        self.exec_count, self.ename, self.evalue = exec_count, ename, evalue
"""
FOLDER = "/opt/ml/input/data/sagemaker_headless_execution_pipelinestep"
VARIABLES = {
    "SM_EXECUTION_INPUT_PATH": FOLDER,
    "SM_INPUT_NOTEBOOK_NAME": "n.ipynb",
    "SM_OUTPUT_NOTEBOOK_NAME": "n-2026.ipynb",
    "SM_KERNEL_NAME": "python3",
}
Ran = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has what runs notebooks."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    texts = {"papermill/__init__.py": PAPERMILL, "papermill/exceptions.py": EXCEPTIONS}
    for name, text in {**texts, "ipykernel.py": ""}.items():
        (packages / name).parent.mkdir(exist_ok=True)
        (packages / name).write_text(text)
    return folder / "bin" / "python"


@pytest.fixture
def ml(tmp_path: Path) -> Path:
    folder = tmp_path / "ml"
    data = folder / "input" / "data" / Path(FOLDER).name
    data.mkdir(parents=True)
    (data / "n.ipynb").write_text("cells")
    config = folder / "input" / "config"
    config.mkdir()
    (config / "hyperparameters.json").write_text('{"p": "1"}')
    return folder


@pytest.fixture
def ran(python: Path, ml: Path) -> Ran:
    def run(
        variables: Mapping[str, str] = VARIABLES, **others: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            choose().command([str(python), "-I", str(PROGRAM)], ml),
            env={"PATH": os.defpath, **variables, **others},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_hyperparameters_are_the_parameters_of_the_notebook(ran: Ran, ml: Path) -> None:
    ended = ran()
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.removeprefix("GIVEN ")) == {
        "notebook": f"{FOLDER}/n.ipynb",
        "output": "/opt/ml/output/data/n-2026.ipynb",
        "parameters": {"p": "1"},
        "kernel_name": "python3",
        "cwd": FOLDER,
        "progress_bar": False,
        "log_output": True,
    }
    assert (ml / "output" / "data" / "n-2026.ipynb").read_text() == "cells"


def test_a_cell_that_fails_is_the_reason_and_the_notebook_is_still_the_output(
    ran: Ran, ml: Path
) -> None:
    (ml / "input" / "data" / Path(FOLDER).name / "n.ipynb").write_text("fails")
    assert ran().returncode == 1
    assert (ml / "output" / "failure").read_text() == (
        "AlgorithmError: n.ipynb, cell 3: ValueError: no rows"
    )
    assert (ml / "output" / "data" / "n-2026.ipynb").read_text() == "fails"


def test_an_initialization_script_is_run_before(ran: Ran, ml: Path) -> None:
    script = ml / "input" / "data" / Path(FOLDER).name / "init.sh"
    script.write_text("echo prepared in $PWD")
    ended = ran(SM_INIT_SCRIPT="init.sh")
    assert ended.stdout.startswith(f"prepared in {FOLDER}\nGIVEN ")
    script.write_text("exit 4")
    assert ran(SM_INIT_SCRIPT="init.sh").returncode == 1
    assert (ml / "output" / "failure").read_text() == "AlgorithmError: init.sh: exit code 4"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"SM_INPUT_NOTEBOOK_NAME": "none.ipynb"},
            f"SM_INPUT_NOTEBOOK_NAME: no none.ipynb in {FOLDER}",
        ),
        (
            {"SM_EXECUTION_INPUT_PATH": ""},
            "SM_EXECUTION_INPUT_PATH: missing in the job's Environment",
        ),
    ],
)
def test_a_notebook_that_is_not_there_is_the_reason(
    ran: Ran, ml: Path, change: dict[str, str], reason: str
) -> None:
    assert ran(**change).returncode == 1
    assert (ml / "output" / "failure").read_text() == f"ClientError: {reason}"


def test_where_nothing_runs_notebooks_and_pip_cannot_help_the_reason_says_what_to_map(
    ran: Ran, ml: Path, python: Path
) -> None:
    kernel = next(python.parent.parent.glob("lib/python3*/site-packages/ipykernel.py"))
    aside = kernel.rename(kernel.with_name("aside"))
    try:
        assert ran().returncode == 1
    finally:
        aside.rename(kernel)
    assert (ml / "output" / "failure").read_text() == (
        "ClientError: ipykernel: not in the environment of this image, and pip could not install "
        "it; map an environment that has it in images.toml"
    )
