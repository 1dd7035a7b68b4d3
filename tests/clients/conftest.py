"""`airflow-sm local` and the real clients, which get the variables that it prints."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.conftest import read_until, started

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "local-clients.md"
SCRIPTS = ROOT / "docs" / "examples" / "clients"
BLOCK = re.compile(r"^```(\w+)([ \w]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Served:
    """A running `airflow-sm local`: the variables that it has printed, and a folder to work in."""

    variables: Mapping[str, str]
    folder: Path

    def run(
        self, command: list[str | Path], text: str = "", path: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a client with the printed variables and hardly another."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={
                **self.variables,
                "HOME": str(self.folder),
                "PATH": f"{path}:/usr/bin:/bin" if path else "/usr/bin:/bin",
            },
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )

    def client(self, service: Any) -> Any:
        """A client to look at what others have done."""
        return boto3.Session(
            self.variables["AWS_ACCESS_KEY_ID"],
            self.variables["AWS_SECRET_ACCESS_KEY"],
            region_name=self.variables["AWS_REGION"],
        ).client(service, endpoint_url=self.variables["AWS_ENDPOINT_URL"])


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`airflow-sm local`, as a user starts it."""
    folder = tmp_path_factory.mktemp("clients") / "work"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    config = folder.parent / "config" / "airflow-sm-pipelines"
    config.mkdir(parents=True)
    (rule,) = (text for _, text in found("toml"))
    (config / "images.toml").write_text(rule.replace("~/envs", str(ROOT / ".venvs")))
    options = {"XDG_CONFIG_HOME": str(config.parent)}
    with started(folder.parent, "local", "--port", 0, **options) as process:
        lines = read_until(process, "# Ctrl-C stops it and its jobs")
        printed = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
        yield Served(dict(text.split("=", 1) for text in printed), folder)
        process.terminate()
        process.wait()


def found(language: str) -> list[tuple[list[str], str]]:
    """The words after the language, and the text, of the page's blocks in a language."""
    return [
        (words.split(), text)
        for shown, words, text in BLOCK.findall(PAGE.read_text())
        if shown == language
    ]


def blocks(client: str) -> dict[str, str]:
    """Name -> program, of the page's programs for a client; the nameless ones have a number."""
    programs = [(words[1:], text) for words, text in found("python") if words[:1] == [client]]
    return {" ".join(name) or str(number): text for number, (name, text) in enumerate(programs)}


def environment(name: str) -> Path:
    """The folder with the programs of one of the environments of `make sdk`."""
    folder = ROOT / ".venvs" / name / "bin"
    if not folder.exists():
        reason = f".venvs/{name} is missing: make it with `make sdk`"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    return folder


def run_blocks(served: Served, python: Path, client: str) -> dict[str, str]:
    """Block -> the traceback with which it ended, "" where it went through."""
    driver = Path(__file__).with_name("blocks.py")
    done = served.run([python, driver], text=json.dumps(list(blocks(client).items())))
    assert done.returncode == 0, done.stderr
    said: dict[str, str] = json.loads(done.stdout)
    return {name: error and f"{error}\n{done.stderr[-3000:]}" for name, error in said.items()}
