"""Many jobs at once, and many in a row: each is alone, and none leaves anything behind.

The sizes are those of a few seconds; `make test-stress` has 50 and 1,000.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_sm_pipelines.local.sandbox import choose
from airflow_sm_pipelines.local.serving import networks
from tests.local.calls import until

from .counts import Counts, counted, resident_kib
from .work import MIX, Clients, Meeting, invoke

AT_ONCE = int(os.environ.get("SM_PIPELINES_AT_ONCE", "12"))
IN_A_ROW = int(os.environ.get("SM_PIPELINES_IN_A_ROW", "40"))
CALLERS = 4

pytestmark = pytest.mark.skipif(
    not (choose().together and networks.available(choose())),
    reason="jobs cannot each have an /opt/ml and a port 8080 here",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A local AWS in a process of its own."""

    pid: int
    url: str
    root: Path
    temporary: Path
    clients: Clients

    def counts(self) -> Counts:
        """What it holds at this moment."""
        written = self.root / "aws" / "s3" / ".store" / "incoming"
        return counted(self.pid, self.url, self.temporary, written)

    def work(self, names: list[str], *, callers: int, meeting: Meeting) -> dict[str, str]:
        """Run pieces of work, by as many callers; the marks that each has seen."""
        with ThreadPoolExecutor(callers) as pool:
            running = {
                name: pool.submit(MIX[number % len(MIX)], self.clients, name, meeting)
                for number, name in enumerate(names)
            }
        return {name: each.result() for name, each in running.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("stress")
    temporary = folder / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "tests.stress.serve", str(folder / "root"), str(AT_ONCE)]
    with subprocess.Popen(
        command,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        clients = Clients(url)
        clients.prepare()
        yield Server(
            pid=process.pid,
            url=url,
            root=folder / "root",
            temporary=temporary,
            clients=clients,
        )
        process.stdin.close()
        assert process.wait() == 0


@pytest.fixture(scope="module")
def round_of_all(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The marks that work of every kind has seen, all of which ran at the same moment."""
    names = [f"at-once-{number}" for number in range(AT_ONCE)]
    meeting = Meeting(tmp_path_factory.mktemp("meeting"), AT_ONCE)
    return server.work(names, callers=AT_ONCE, meeting=meeting)


def test_jobs_that_run_at_once_have_each_only_its_own_opt_ml(round_of_all: dict[str, str]) -> None:
    jobs = [name for number, name in enumerate(round_of_all) if MIX[number % len(MIX)] != invoke]
    assert round_of_all == {name: f"mark-{name}" if name in jobs else "" for name in round_of_all}


def test_jobs_in_a_row_leave_no_process_mount_descriptor_thread_or_file(
    server: Server, round_of_all: dict[str, str]
) -> None:
    before, memory = server.counts(), resident_kib(server.pid)
    server.work(
        [f"in-a-row-{number}" for number in range(IN_A_ROW)], callers=CALLERS, meeting=Meeting()
    )
    after = until(server.counts, lambda counts: counts == before)
    assert after.left == ()
    more = resident_kib(server.pid) - memory
    sys.stdout.write(f"\n{IN_A_ROW} in a row: {after}; {more:+} KiB, {more / IN_A_ROW:.1f} each\n")
