"""`airflow-sm up`: Airflow answers on 127.0.0.1, and Ctrl-C leaves nothing."""

import re
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from airflow_sm_pipelines.cli.server import HOST, choose_port
from tests.cli.conftest import DEFINITION, Command, read_until, started
from tests.cli.test_run import processes_with

DAG_FILE = """\
# an airflow dag file
from pathlib import Path

from airflow_sm_pipelines import load_dags

globals().update(load_dags(Path(__file__).parent))
"""


def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert choose_port(port) not in {0, port}
    assert choose_port(port) == port


def test_a_folder_that_is_not_there_is_refused(airflow_sm: Command) -> None:
    done = airflow_sm("up", "--dags", "nowhere")
    assert done.returncode == 2
    assert done.stderr == "nowhere: no such folder; name the one with the DAG files with --dags\n"


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def answers(address: str, port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex((address, port)) == 0


def other_addresses() -> set[str]:
    """Addresses of this host by which others could reach it; 127.0.0.2 where it has no other."""
    found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    return {str(row[4][0]) for row in found} - {HOST} | {"127.0.0.2"}


@pytest.mark.slow
def test_airflow_answers_on_this_host_alone_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "pipelines.py").write_text(DAG_FILE)
    for file in DEFINITION.parent.iterdir():
        (dags / file.name).write_bytes(file.read_bytes())
    with started(tmp_path, "up", "--port", 0, "--dags", dags) as process:
        told = "\n".join(read_until(process, "Ctrl-C stops everything"))
        found = re.search(r"(http://127\.0\.0\.1:\d+)  \(user admin, password (\w+)\)", told)
        assert found is not None, told
        with urllib.request.urlopen(found[1]) as page:
            assert page.status == 200
        assert answers("127.0.0.1", port_of(found[1]))
        assert not any(answers(address, port_of(found[1])) for address in other_addresses())
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
    assert process.returncode == 0
    assert rest == "stopping Airflow, the local AWS and its jobs\n"
    assert processes_with(str(tmp_path)) == []
