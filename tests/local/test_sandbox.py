import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import sandbox
from airflow_sm_pipelines.local.sandbox import MEANS, SandboxError, choose, means

from .launched import launchers

DEADLINE_SECONDS = 20
LAUNCHER = Path(sandbox.__file__).with_name("launch.py")
SYSTEM_PYTHON = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")


@pytest.fixture
def ml(tmp_path: Path) -> Path:
    directory = tmp_path / "job" / "ml"
    directory.mkdir(parents=True)
    return directory


def run(ml: Path, *argv: str) -> "subprocess.CompletedProcess[str]":
    command = choose().command(argv, ml)
    return subprocess.run(command, capture_output=True, text=True, check=False)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def test_a_job_reads_its_directory_as_opt_ml(ml: Path) -> None:
    (ml / "input.txt").write_text("mine")
    assert run(ml, "cat", "/opt/ml/input.txt").stdout == "mine"


def test_what_a_job_writes_below_opt_ml_is_in_its_directory(ml: Path) -> None:
    run(ml, "sh", "-c", "mkdir /opt/ml/model && echo trained > /opt/ml/model/m")
    assert (ml / "model" / "m").read_text() == "trained\n"


def test_a_directory_with_a_blank_in_its_name_is_shown(tmp_path: Path) -> None:
    directory = tmp_path / "my jobs"
    directory.mkdir()
    run(directory, "touch", "/opt/ml/here")
    assert (directory / "here").exists()


def test_a_job_sees_a_file_of_names_as_etc_hosts(ml: Path, tmp_path: Path) -> None:
    if not choose().together:
        pytest.skip("the symbolic link shows /opt/ml alone")
    names = tmp_path / "hosts"
    names.write_text("127.9.9.9 algo-9\n")
    command = choose().command(["getent", "hosts", "algo-9"], ml, names)
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert shown.stdout.split() == ["127.9.9.9", "algo-9"]
    before = Path("/etc/hosts").read_text()
    assert "algo-9" not in before


def test_every_means_is_told_of_the_names_that_it_can_show(tmp_path: Path) -> None:
    words = {each.name: each.prefix(tmp_path, tmp_path / "hosts") for each in MEANS[::2]}
    assert str(tmp_path / "hosts") in words["namespace"]
    assert str(tmp_path / "hosts") not in words["symlink"]
    assert [each.together for each in MEANS] == [True, True, False]


def test_everything_else_in_opt_stays_visible(ml: Path) -> None:
    seen = run(ml, sys.executable, "-c", "import os; print(*sorted(os.listdir('/opt')))").stdout
    assert set(seen.split()) - {"ml"} == set(os.listdir("/opt")) - {"ml"}


def test_two_jobs_at_once_see_their_own_directories(tmp_path: Path) -> None:
    if choose().name == "symlink":
        pytest.skip("with the symbolic link jobs wait for each other")
    jobs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(name)
        argv = choose().command(["sh", "-c", "read wait; cat /opt/ml/name"], tmp_path / name)
        jobs.append(
            subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
    assert [job.communicate("go\n")[0] for job in jobs] == ["first", "second"]


def test_nothing_is_left_behind(ml: Path) -> None:
    before = sorted(os.listdir("/opt"))
    run(ml, "true")
    until(lambda: sorted(os.listdir("/opt")) == before)
    assert os.listdir(ml) == []
    assert os.listdir(ml.parent) == ["ml"]


def test_the_exit_code_is_that_of_the_command(ml: Path) -> None:
    assert run(ml, "sh", "-c", "exit 41").returncode == 41


def test_arguments_arrive_as_they_are(ml: Path) -> None:
    words = ["a b", "", "--", "*", "'\"$HOME"]
    assert run(ml, "printf", "[%s]", *words).stdout == "".join(f"[{word}]" for word in words)


def test_a_signal_to_the_group_reaches_the_command(ml: Path) -> None:
    script = "trap 'echo asked; exit 3' TERM; : > /opt/ml/ready; while :; do sleep 0.01; done"
    job = subprocess.Popen(
        choose().command(["sh", "-c", script], ml),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until((ml / "ready").exists)
    os.killpg(job.pid, signal.SIGTERM)
    assert job.communicate(timeout=DEADLINE_SECONDS)[0] == "asked\n"
    assert job.returncode == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such signal")
def test_a_job_dies_with_the_process_that_started_it(ml: Path) -> None:
    command = choose().command(["sh", "-c", ": > /opt/ml/started; exec sleep 600"], ml)
    starter = f"import subprocess; subprocess.run({command!r})"
    server = subprocess.Popen([sys.executable, "-c", starter])
    until((ml / "started").exists)
    server.kill()
    server.wait()
    until(lambda: not launchers(ml))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_signal_is_ignored_in_the_command(ml: Path) -> None:
    status = run(ml, "cat", "/proc/self/status").stdout
    (ignored,) = re.findall(r"SigIgn:\t(\w+)", status)
    # Of the signals that programs use. A process that posix_spawn has started, as make does,
    # ignores two that are the C library's own, and nothing but the kernel could change that.
    assert int(ignored, 16) & 0x7FFF_FFFF == 0


def test_a_command_that_is_not_there_is_exit_code_127(ml: Path) -> None:
    ended = run(ml, "no-such-program")
    assert (ended.returncode, ended.stderr) == (
        127,
        "launch.py: no-such-program: No such file or directory\n",
    )


def test_a_command_that_may_not_be_run_is_exit_code_126(ml: Path) -> None:
    (ml / "text").write_text("no program")
    assert run(ml, "/opt/ml/text").returncode == 126


def test_a_directory_that_is_not_there_is_exit_code_125(tmp_path: Path) -> None:
    ended = run(tmp_path / "absent", "true")
    assert ended.returncode == 125
    assert "absent as /opt/ml by" in ended.stderr


@pytest.mark.skipif(os.getuid() != 0 or not SYSTEM_PYTHON, reason="needs to become another user")
@pytest.mark.parametrize("processes", [(), ("processes", "/proc")], ids=["paths", "processes"])
def test_an_ordinary_user_keeps_its_id_in_the_namespace(processes: tuple[str, ...]) -> None:
    ml = Path("/tmp") / f"airflow-sm-test-{os.getpid()}"
    ml.mkdir()
    shutil.copy(LAUNCHER, ml / "launch.py")
    shutil.chown(ml, "nobody")
    launcher = [str(SYSTEM_PYTHON), "-I", "-S", str(ml / "launch.py")]
    argv = [*launcher, "namespace", str(ml), *processes, "--"]
    try:
        ended = subprocess.run(
            [*argv, "sh", "-c", "id -un && touch /opt/ml/made"],
            user="nobody",
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        if "unshare()" in ended.stderr:
            pytest.skip(f"ordinary users have no namespaces here: {ended.stderr}")
        assert (ended.stdout, ended.stderr) == ("nobody\n", "")
        assert (ml / "made").owner() == "nobody"
    finally:
        shutil.rmtree(ml)


def test_jobs_behind_the_symbolic_link_wait_for_each_other(tmp_path: Path) -> None:
    """In a mount namespace with an empty /opt, so that the machine's own is not touched."""
    unshare = shutil.which("unshare")
    alone = [str(unshare), "--mount", "--map-root-user"]
    empty_opt = ["sh", "-c", 'mount -t tmpfs none /opt && exec "$@"', "sh"]
    if not unshare or subprocess.run([*alone, *empty_opt, "true"], check=False).returncode:
        pytest.skip("no namespace to try this in")
    driver = """
import os, subprocess, sys, time
launcher, root = sys.argv[1:]
def job(name):
    os.mkdir(f"{root}/{name}")
    script = f"readlink /opt/ml >> {root}/order; read wait"
    command = [sys.executable, "-I", "-S", launcher, "symlink", f"{root}/{name}", "--"]
    return subprocess.Popen([*command, "sh", "-c", script], stdin=subprocess.PIPE)
first = job("first")
while not (os.path.exists(f"{root}/order") and os.path.getsize(f"{root}/order")):
    time.sleep(0.01)
second = job("second")
with open(f"{root}/order", "a") as order:
    order.write("the first ends\\n")
for each in (first, second):
    each.communicate(b"go\\n")
while os.listdir("/opt"):
    time.sleep(0.01)
"""
    subprocess.run(
        [*alone, *empty_opt, sys.executable, "-c", driver, str(LAUNCHER), str(tmp_path)],
        check=True,
        timeout=DEADLINE_SECONDS,
    )
    assert (tmp_path / "order").read_text().splitlines() == [
        str(tmp_path / "first"),
        "the first ends",
        str(tmp_path / "second"),
    ]


def test_every_means_says_whether_it_works_or_how_to_get_it() -> None:
    probes = means()
    assert [each.name for each in probes] == ["namespace", "proot", "symlink"]
    for each in probes:
        assert each.reason
        assert each.works == (each.remedy == "")


def test_the_reason_names_what_is_better_and_absent() -> None:
    absent = replace(MEANS[1], name="docker", obstacle=lambda: "no docker here")
    working = MEANS[[each.works for each in means()].index(True)]
    chosen = choose((absent, working))
    assert chosen.name == working.name
    assert chosen.reason == f"{working.claim}; no docker: no docker here"


def test_where_nothing_works_the_error_says_what_to_install() -> None:
    blind = replace(MEANS[0], name="blind", remedy="get eyes", prefix=lambda *_: ["env"])
    broken = replace(
        MEANS[0], name="broken", remedy="get it", prefix=lambda *_: ["no-such-program"]
    )
    with pytest.raises(SandboxError) as raised:
        choose((blind, broken))
    assert "one of these is needed\n  blind: a command it ran did not see" in str(raised.value)
    assert "; get eyes\n  broken: " in str(raised.value)
    assert str(raised.value).endswith("; get it")
