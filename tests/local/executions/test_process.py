"""The program of an execution: what it is given, what it tells, how it ends."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.executions.process import Program
from tests.local.calls import until


@contextmanager
def program(folder: Path, text: str, **environment: str) -> Iterator[Program]:
    started = Program(
        [sys.executable, "-c", text],
        environment=environment,
        folder=folder,
        log=folder / "log.txt",
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def test_it_tells_events_and_logs_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = "import sys; sys.stderr.write('at work'); print('{\"a\": 1}'); print('no'); print('[]')"
    with caplog.at_level(logging.WARNING), program(tmp_path, text) as started:
        assert list(started.events()) == [{"a": 1}]
        assert started.wait() == 0
    assert (tmp_path / "log.txt").read_text() == "at work"
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        r"b'no\n'",
        r"b'[]\n'",
    ]


def test_it_has_no_variable_that_leads_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AIRFLOW_HOME", "mine")
    text = """if True:
        import json, os
        print(json.dumps({name: os.environ.get(name) for name in (
            "AWS_PROFILE", "AIRFLOW_HOME", "AWS_REGION")}))"""
    with program(tmp_path, text, AWS_REGION="us-east-1") as started:
        (told,) = started.events()
    assert told == {"AWS_PROFILE": None, "AIRFLOW_HOME": None, "AWS_REGION": "us-east-1"}


def test_one_that_does_not_end_when_it_is_asked_is_killed(tmp_path: Path) -> None:
    text = """if True:
        import signal, time
        signal.signal(signal.SIGTERM, lambda *_: print("{}", flush=True))
        print("{}", flush=True)
        time.sleep(60)
        time.sleep(60)"""
    with program(tmp_path, text) as started:
        events = started.events()
        next(events)
        started.terminate(grace_seconds=0.2)
        assert list(events) == [{}]
        assert started.wait() == -signal.SIGKILL


def test_its_input_closes_when_the_server_is_killed(tmp_path: Path) -> None:
    server = """if True:
        import sys
        from pathlib import Path
        from airflow_sm_pipelines.local.executions.process import Program
        text = "import sys; print('{}', flush=True); sys.stdin.read(); open('closed', 'w')"
        here = Path(sys.argv[1])
        started = Program(
            [sys.executable, "-c", text], environment={}, folder=here, log=here / "log"
        )
        next(started.events())
        print("ready", flush=True)
        sys.stdin.read()"""
    command = [sys.executable, "-c", server, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
    assert until((tmp_path / "closed").exists, bool)
