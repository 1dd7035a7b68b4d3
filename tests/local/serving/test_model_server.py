"""A model's server without a job or an endpoint: how long it is waited for, how it is reached."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.errors import JobError, StoppedError
from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.serving.caller import Caller
from airflow_sm_pipelines.local.serving.containers import Container
from airflow_sm_pipelines.local.serving.doors import PortDoors
from airflow_sm_pipelines.local.serving.model_server import ModelServer

from ..models import server

CONTAINER = Container(image="my-image", artifacts="", packed=True, environment={})


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[[str], ModelServer]]:
    """Start servers whose program a test changes; they end with the test."""
    running: list[ModelServer] = []

    def start(code: str) -> ModelServer:
        program, log, doors = tmp_path / "server.py", tmp_path / "log.txt", PortDoors()
        program.write_text(server(code)["server.py"])
        process = Process(
            [sys.executable, str(program), str(doors.port)],
            environment=dict(os.environ),
            folder=tmp_path,
            log=log,
        )
        running.append(ModelServer(CONTAINER, process, log=log, doors=doors))
        return running[-1]

    yield start
    for each in running:
        each.terminate(grace_seconds=1)
        each.wait()


def test_a_server_that_is_not_healthy_in_time_fails(started: Callable[[str], ModelServer]) -> None:
    slow = started("def healthy(): return False")
    with pytest.raises(JobError) as failed:
        slow.await_ping(seconds=0.5)
    assert str(failed.value).startswith(
        "AlgorithmError: my-image did not pass the ping health check in 0.5 seconds: "
    )


def test_who_waits_for_a_server_can_be_called_off(started: Callable[[str], ModelServer]) -> None:
    def go_on() -> None:
        raise StoppedError("Stopped")

    with pytest.raises(StoppedError):
        started("def healthy(): return False").await_ping(go_on=go_on)


def test_execution_parameters_that_are_none_are_no_parameters(
    started: Callable[[str], ModelServer],
) -> None:
    plain = started("parameters = [1]")
    plain.await_ping()
    assert plain.parameters() == {}


def test_an_answer_that_takes_too_long_is_a_timeout_and_the_next_one_is_its_own(
    started: Callable[[str], ModelServer],
) -> None:
    code = "import time\ndef line(text): time.sleep(60 if text == 'slow' else 0); return text"
    slow = started(code)
    slow.await_ping()
    with pytest.raises(TimeoutError):
        slow.invoke(b"slow", {}, timeout_seconds=0.2)
    assert slow.invoke(b"quick", {}, timeout_seconds=30).body == b"quick\n"


def test_a_connection_that_the_server_has_closed_is_made_again(
    started: Callable[[str], ModelServer],
) -> None:
    hasty = started("def line(text): return text\nBaseHTTPRequestHandler.timeout = 0.05")
    hasty.await_ping()
    for _ in range(3):
        assert hasty.invoke(b"x", {}, timeout_seconds=30).body == b"x\n"
        ended = started("raise SystemExit(4)")  # a process that ends later than the timeout
        assert ended.wait() == 4


def test_what_is_no_http_is_no_answer() -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def babble() -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"hello\r\n\r\n")

    thread = threading.Thread(target=babble)
    thread.start()
    doors = PortDoors()
    doors.port = listening.getsockname()[1]
    with listening, pytest.raises(ConnectionError, match="no HTTP"):
        Caller(doors).ask("GET", "/ping", timeout_seconds=10)
    thread.join()
