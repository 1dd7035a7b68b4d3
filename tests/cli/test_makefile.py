"""`make` from nothing: which Python is taken, what is said where there is none, exit codes.

The interpreters are shell scripts that write down how they were called, so nothing is installed.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("awk", "cat", "cksum", "cut", "dirname", "make", "mkdir", "rm", "sh", "touch")

PYTHON = """\
#!/bin/sh
echo "$(basename "$0") $*" >> calls
case "$*" in
    -V) echo "Python {version}" ;;
    *version_info*sys.exit* | *sys.exit*version_info*) exit {unfit} ;;
    *ensurepip*) exit {no_venv} ;;
    *print*) echo 3.11 ;;
    *-m\\ venv*)
        mkdir -p .venv/bin
        cat "$0" > .venv/bin/python
        printf '#!/bin/sh\\necho uv "$@" >> calls\\n' > .venv/bin/uv
        cd .venv/bin
        printf '#!/bin/sh\\necho airflow-sm "$@" >> calls; exit "${{CODE:-0}}"\\n' > airflow-sm
        /bin/chmod +x python uv airflow-sm ;;
esac
"""


@dataclass(frozen=True)
class Clone:
    """A clone with nothing made in it, on a machine with the Pythons it is given."""

    folder: Path
    commands: Path

    def add_python(self, name: str, *, fits: bool = True, venv: bool = True) -> None:
        text = PYTHON.format(version="3.11.9", unfit=int(not fits), no_venv=int(not venv))
        (self.commands / name).write_text(text)
        (self.commands / name).chmod(0o755)

    def make(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env={"PATH": str(self.commands), "LANG": "C", **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder, commands = tmp_path / "clone", tmp_path / "bin"
    (folder / "scripts").mkdir(parents=True)
    commands.mkdir()
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "constraints-sdk.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "scripts" / "environment", folder / "scripts")
    for tool in (*TOOLS, "basename"):
        found = shutil.which(tool, path=os.defpath)
        assert found is not None, tool
        (commands / tool).symlink_to(found)
    return Clone(folder, commands)


def test_without_venv_the_one_package_to_install_is_named_and_it_is_exit_2(clone: Clone) -> None:
    clone.add_python("python3.11", venv=False)
    done = clone.make("demo")
    first, *rest = done.stderr.splitlines()
    assert done.returncode == 2
    assert first == "python3.11 has no venv; install it: apt-get install python3.11-venv"
    assert [line.split(" ")[0] for line in rest] == ["make:"]
    assert done.stdout == ""


def test_without_a_python_that_fits_it_is_exit_2(clone: Clone) -> None:
    clone.add_python("python3", fits=False)
    done = clone.make("demo")
    assert done.returncode == 2
    assert done.stderr.startswith("no Python 3.11, 3.12 or 3.13 on PATH; install one: ")


def test_a_python_that_can_make_environments_is_preferred_to_a_newer_one(clone: Clone) -> None:
    clone.add_python("python3.13", venv=False)
    clone.add_python("python3.11")
    assert clone.make("demo").returncode == 0
    assert "python3.11 -m venv --clear .venv" in clone.calls


def test_the_variable_python_names_the_only_interpreter_that_is_tried(clone: Clone) -> None:
    clone.add_python("python3.13")
    clone.add_python("mine", fits=False)
    done = clone.make("demo", "PYTHON=mine")
    assert done.returncode == 2
    assert done.stderr.startswith("mine is not a Python 3.11, 3.12 or 3.13; ")


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_of_a_run_is_that_of_make_demo(clone: Clone, code: int) -> None:
    clone.add_python("python3.11")
    done = clone.make("demo", CODE=str(code))
    assert done.returncode == code
    assert "make:" not in done.stderr


def test_params_become_parameters_of_the_run(clone: Clone) -> None:
    clone.add_python("python3.11")
    clone.make("demo", "PARAMS=MseThreshold=0.1 A=b")
    assert clone.calls[-1] == (
        "airflow-sm run dags/pipelines/abalone/definition.json -p MseThreshold=0.1 -p A=b"
    )


def test_nothing_is_installed_again_until_a_pin_changes(clone: Clone) -> None:
    clone.add_python("python3.11")
    clone.make("demo")
    (clone.folder / "calls").unlink()
    clone.make("demo")
    assert not [call for call in clone.calls if call.startswith("uv")]
    with (clone.folder / "constraints.txt").open("a") as constraints:
        constraints.write("another==1\n")
    clone.make("demo")
    assert [call for call in clone.calls if call.startswith("uv")]


def test_an_installation_that_fails_is_done_again(clone: Clone) -> None:
    clone.add_python("python3.11")
    clone.make("demo")
    for marker in (clone.folder / ".venv").glob(".ready-*"):
        marker.unlink()
    (clone.folder / ".venv" / "bin" / "uv").write_text("#!/bin/sh\nexit 1\n")
    assert clone.make("demo").returncode == 2
    assert not list((clone.folder / ".venv").glob(".ready-*"))


def test_make_alone_lists_the_targets(clone: Clone) -> None:
    done = clone.make()
    assert done.returncode == 0
    assert {line.split()[1] for line in done.stdout.splitlines()} >= {"demo", "up", "test", "check"}
