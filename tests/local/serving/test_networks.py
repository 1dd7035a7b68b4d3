"""Networks of a server's own: what they keep apart, and what they let through."""

import os
import shutil
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.process import Process
from airflow_sm_pipelines.local.sandbox import Isolation, Means, choose
from airflow_sm_pipelines.local.serving import networks
from airflow_sm_pipelines.local.serving.doors import NetworkDoors
from airflow_sm_pipelines.local.serving.entrance import Entrance

from ..calls import until
from ..test_sandbox import LAUNCHER, SYSTEM_PYTHON

ECHO = """
import socket, sys
with socket.create_server(("127.0.0.1", 8080)) as listening:
    while True:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(sys.argv[1].encode() + connection.recv(100))
"""
INTERFACES = "import socket; print([name for _, name in socket.if_nameindex()])"

pytestmark = pytest.mark.skipif(
    not networks.available(choose()), reason="there are no networks of one's own here"
)


def inside(folder: Path, *argv: str, count: int = 2) -> networks.Inside:
    folder.mkdir()

    def run(command: list[str], descriptors: Sequence[int]) -> Process:
        return Process(
            command,
            environment={"PATH": os.environ["PATH"]},
            folder=folder,
            log=folder / "log.txt",
            descriptors=descriptors,
        )

    return networks.run_inside(choose(), argv, ml=folder, port=4599, count=count, run=run)


def asked(doors: NetworkDoors, text: str) -> str:
    def answer() -> bytes:
        try:
            connection = doors.connect(5)
        except ConnectionRefusedError:  # it does not listen yet
            return b""
        connection.sendall(text.encode())
        said = connection.recv(100)
        doors.give_back(connection)
        return said

    return until(answer, bool).decode()


def test_two_servers_listen_on_one_port_and_each_is_reached_by_its_own_sockets(
    tmp_path: Path,
) -> None:
    servers = {
        name: inside(tmp_path / name, "python3", "-c", ECHO, f"{name} ") for name in ("a", "b")
    }
    for name, server in servers.items():
        doors = NetworkDoors(server.sockets)
        # More often than there are sockets: each is used again.
        assert [asked(doors, str(number)) for number in range(5)] == [
            f"{name} {number}" for number in range(5)
        ]
        server.process.terminate(grace_seconds=1)
        server.process.wait()
        server.listening.close()
        doors.close()


def test_a_network_has_nothing_but_its_loopback(tmp_path: Path) -> None:
    server = inside(tmp_path / "a", "python3", "-c", INTERFACES, count=0)
    server.listening.close()
    assert server.process.wait() == 0
    assert (tmp_path / "a" / "log.txt").read_text() == "['lo']\n"


def test_all_doors_taken_is_a_timeout(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError, match="all doors taken"):
        NetworkDoors([]).connect(0.01)


def test_a_command_that_gets_no_network_is_told(tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    broken = Isolation("namespace", "", Means("x", "", "", str, lambda ml, hosts: ["false", "--"]))
    log = tmp_path / "log.txt"

    def run(command: list[str], descriptors: Sequence[int]) -> Process:
        return Process(command, environment=dict(os.environ), folder=tmp_path, log=log)

    with pytest.raises(networks.NetworkError):
        networks.run_inside(broken, ["true"], ml=tmp_path / "ml", port=1, count=0, run=run)
    assert not networks.available(broken)
    assert not networks.available(Isolation("proot", "", broken.means))


@pytest.mark.parametrize(
    ("outside", "within"),
    [
        ("http://127.0.0.1:4599", "http://127.0.0.1:4599"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081"),
    ],
)
def test_the_local_aws_has_its_address_unless_that_is_the_servers(
    outside: str, within: str
) -> None:
    assert networks.inner_url(outside) == within


def test_an_entrance_that_nobody_has_opened_lets_nobody_in() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    Entrance().admit(listening)()
    assert listening.fileno() == -1


@pytest.mark.skipif(os.getuid() != 0 or not SYSTEM_PYTHON, reason="needs to become another user")
def test_an_ordinary_user_has_a_network_too() -> None:
    ml = Path("/tmp") / f"airflow-sm-network-{os.getpid()}"
    ml.mkdir()
    shutil.copy(LAUNCHER, ml / "launch.py")
    ours, theirs = socket.socketpair()
    launcher = [str(SYSTEM_PYTHON), "-I", "-S", str(ml / "launch.py"), "namespace", str(ml)]
    try:
        ended = subprocess.run(
            [
                *launcher,
                "network",
                f"{theirs.fileno()}:4599:1",
                "--",
                str(SYSTEM_PYTHON),
                "-c",
                INTERFACES,
            ],
            user="nobody",
            extra_groups=[],
            cwd="/",
            pass_fds=[theirs.fileno()],
            capture_output=True,
            text=True,
            check=False,
        )
        if "unshare()" in ended.stderr:
            pytest.skip(f"ordinary users have no namespaces here: {ended.stderr}")
        assert (ended.stdout, ended.stderr) == ("['lo']\n", "")
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 2)
        assert len(descriptors) == 2
        for each in descriptors:
            os.close(each)
    finally:
        ours.close()
        theirs.close()
        shutil.rmtree(ml)
