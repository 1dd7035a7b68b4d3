"""A process that is asked by lines of JSON."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_sm_pipelines.errors import LocalRunError
from airflow_sm_pipelines.testing.child import Child

MODULE = """\
import os, sys, time

from airflow_sm_pipelines.errors import PipelineError
from airflow_sm_pipelines.testing.child import serve


def answer(question):
    print("at work")
    if "problem" in question:
        raise PipelineError(question["problem"])
    if "seconds" in question:
        time.sleep(question["seconds"])
    if "die" in question:
        sys.exit("I die")
    return {"pid": os.getpid(), **question}


serve(answer)
"""


@contextmanager
def started(folder: Path) -> Iterator[Child]:
    (folder / "echo.py").write_text(MODULE)
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    child = Child("echo", log=folder / "log.txt", environment=environment)
    try:
        yield child
    finally:
        child.stop()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    with started(tmp_path) as child:
        yield child


def test_it_answers_one_question_after_another(child: Child, tmp_path: Path) -> None:
    first = child.ask({"n": 1}, timeout_seconds=60)
    assert child.ask({"n": 2}, timeout_seconds=60) == {"pid": first["pid"], "n": 2}
    assert (tmp_path / "log.txt").read_text() == "at work\nat work\n"


def test_a_problem_is_told_and_does_not_end_it(child: Child) -> None:
    with pytest.raises(LocalRunError, match=r"^no such thing$"):
        child.ask({"problem": "no such thing"}, timeout_seconds=60)
    assert child.alive


def test_one_that_takes_too_long_is_ended(child: Child) -> None:
    pid = child.ask({}, timeout_seconds=60)["pid"]
    with pytest.raises(LocalRunError, match=r"log.txt: no answer within 0.1 seconds; its last"):
        child.ask({"seconds": 600}, timeout_seconds=0.1)
    assert not child.alive
    assert not Path(f"/proc/{pid}").exists()


def test_one_that_dies_is_told_with_the_end_of_its_log(child: Child) -> None:
    with pytest.raises(LocalRunError, match=r"(?s)it has ended; its last lines:.*I die"):
        child.ask({"die": True}, timeout_seconds=60)
    with pytest.raises(LocalRunError, match="it has ended"):
        child.ask({}, timeout_seconds=60)


def test_it_ends_when_its_pipe_closes_however_that_comes(tmp_path: Path) -> None:
    with started(tmp_path) as child:
        pid = child.ask({}, timeout_seconds=60)["pid"]
    assert not Path(f"/proc/{pid}").exists()
    child.stop()
