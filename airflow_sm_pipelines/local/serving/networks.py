"""Networks of a server's own, in which its port 8080 is nobody else's.

The local AWS is the only other thing that is reached there, at the address that it has elsewhere.
"""

import functools
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from airflow_sm_pipelines.local.errors import LocalError
from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.sandbox import Isolation
from airflow_sm_pipelines.local.serving.doors import CONTAINER_PORT

_PROBE_PORT = 4599


class NetworkError(LocalError):
    """A command has not come into a network of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A command in a network of its own: `listening` is a socket there, as are `sockets`."""

    process: Process
    listening: socket.socket
    sockets: Sequence[socket.socket]


def inner_url(endpoint_url: str) -> str:
    """The address of the local AWS in such a network: its own port, unless the container has it."""
    parts = urlsplit(endpoint_url)
    port = CONTAINER_PORT + 1 if parts.port == CONTAINER_PORT else parts.port
    return f"http://127.0.0.1:{port}"


def run_inside(
    isolation: Isolation,
    argv: Sequence[str],
    *,
    ml: Path,
    port: int,
    count: int,
    run: Callable[[list[str], Sequence[int]], Process],
) -> Inside:
    """Run `argv` in a new network, with a socket that listens on `port` there and `count` others.

    `run` starts a command that has certain descriptors. Raises `NetworkError`.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            network = f"{theirs.fileno()}:{port}:{count}"
            process = run(isolation.command(argv, ml, network=network), (theirs.fileno(),))
        _, descriptors, _, _ = socket.recv_fds(ours, 1, count + 1, socket.MSG_CMSG_CLOEXEC)
    if not descriptors:
        process.wait()
        raise NetworkError("a command cannot be given a network of its own here")
    listening, *sockets = [socket.socket(fileno=each) for each in descriptors]
    return Inside(process=process, listening=listening, sockets=sockets)


@functools.cache
def available(isolation: Isolation) -> bool:
    """Whether commands can be given a network here; one is tried, once per process."""
    if isolation.name != "namespace":
        return False
    with tempfile.TemporaryDirectory(prefix="airflow-sm-probe-") as directory:
        folder = Path(directory)

        def run(argv: list[str], descriptors: Sequence[int]) -> Process:
            log = folder / "log.txt"
            return Process(argv, environment={}, folder=folder, log=log, descriptors=descriptors)

        with suppress(NetworkError):
            inside = run_inside(isolation, ["true"], ml=folder, port=_PROBE_PORT, count=0, run=run)
            inside.listening.close()
            inside.process.wait()
            return True
    return False
