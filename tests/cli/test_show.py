"""`airflow-sm show`: the graph as a tree, Mermaid or SVG, without Airflow."""

import os
import pty
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.conftest import AIRFLOW_SM, DEFINITION, Command, environment

ROOT = Path(__file__).parents[2]
EVERYTHING = ROOT / "tests" / "diagrams" / "everything.json"
GOLDEN = ROOT / "tests" / "golden" / "diagrams"
PROBLEM = '{"Version": "2020-12-01", "Steps": [{"Name": "A", "Type": "Trainign", "Arguments": {}}]}'


def test_the_tree_is_printed_in_the_columns_that_there_are(airflow_sm: Command) -> None:
    done = airflow_sm("show", EVERYTHING, COLUMNS="100")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / "everything.txt").read_text(encoding="utf-8")


def test_a_file_or_pipe_gets_every_step_on_a_line_without_colours(airflow_sm: Command) -> None:
    lines = airflow_sm("show", EVERYTHING).stdout.splitlines()
    assert lines[0] == "everything: 18 steps"
    assert not any("\x1b" in line for line in lines)
    assert sum(line.lstrip("│├└─→ ").startswith(("●", "↓")) for line in lines[2:-2]) >= 15


def test_a_terminal_gets_colours() -> None:
    screen, terminal = pty.openpty()
    try:
        subprocess.run(
            [*AIRFLOW_SM, "show", str(DEFINITION)],
            env=environment({"TERM": "xterm-256color", "COLUMNS": "80"}),
            stdout=terminal,
            check=True,
        )
        assert b"\x1b[" in os.read(screen, 65_536)
    finally:
        os.close(terminal)
        os.close(screen)


def test_mermaid_is_printed_to_the_byte(airflow_sm: Command) -> None:
    done = airflow_sm("show", EVERYTHING, "--mermaid", COLUMNS="20")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / "everything.mmd").read_text(encoding="utf-8")


def test_svg_is_written_to_the_file_that_is_named(airflow_sm: Command, tmp_path: Path) -> None:
    done = airflow_sm("show", EVERYTHING, "--svg", "out.svg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "out.svg: written\n")
    text = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert text == (GOLDEN / "everything.svg").read_text(encoding="utf-8")
    ET.fromstring(text)


def test_mermaid_and_svg_can_be_asked_for_at_once(airflow_sm: Command, tmp_path: Path) -> None:
    done = airflow_sm("show", DEFINITION, "--mermaid", "--svg", "out.svg")
    assert done.stdout.startswith("---\n")
    assert (tmp_path / "out.svg").is_file()


def test_a_definition_with_problems_is_exit_1(airflow_sm: Command, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text(PROBLEM, encoding="utf-8")
    done = airflow_sm("show", file, "--svg", "out.svg")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{file}: $.Steps[0].Type: ")
    assert not (tmp_path / "out.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("absent.json",), "absent.json: No such file or directory; name the definition's JSON"),
        ((DEFINITION, "--svg", "no/out.svg"), "no/out.svg: No such file or directory; name a file"),
        ((DEFINITION, "--svg", "."), ".: Is a directory; name a file that can be written"),
    ],
)
def test_a_file_that_cannot_be_read_or_written_is_exit_2(
    airflow_sm: Command, arguments: tuple[object, ...], told: str
) -> None:
    done = airflow_sm("show", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(told)


def test_a_definition_is_shown_without_what_costs_time() -> None:
    code = (
        "import sys; from airflow_sm_pipelines.cli.show import show; "
        f"from pathlib import Path; show(Path({str(DEFINITION)!r})); "
        "print({'airflow', 'boto3', 'botocore', 'moto'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
