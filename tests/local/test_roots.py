import subprocess
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import roots
from airflow_sm_pipelines.local.sandbox import choose

pytestmark = pytest.mark.skipif(
    choose().name != "namespace", reason="only a mount namespace can give a job a root of its own"
)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "ml").mkdir()
    return folder


def run(work: Path, script: str) -> str:
    command = choose().command(["sh", "-c", script], work.with_name("ml"), root=work)
    ran = subprocess.run(command, capture_output=True, text=True, cwd=work)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_job_finds_here_what_it_has_written_one_above(work: Path) -> None:
    assert run(work, "pwd -P; echo model > ../xgboost-model; cat xgboost-model") == "/\nmodel\n"


def test_what_a_job_writes_to_the_root_is_in_its_working_directory(work: Path) -> None:
    run(work, "mkdir /output && echo 1 > /output/a")
    roots.clear(work)
    assert (work / "output" / "a").read_text() == "1\n"
    assert [each.name for each in work.iterdir()] == ["output"]


def test_the_machine_is_in_the_root_and_so_is_opt_ml(work: Path, tmp_path: Path) -> None:
    (tmp_path / "here").write_text("there")
    assert run(work, f"cat {tmp_path}/here; touch /opt/ml/made; test -r /proc/self/stat") == "there"
    assert (tmp_path / "ml" / "made").exists()


def test_mount_points_that_a_job_has_filled_are_left_alone(work: Path) -> None:
    (work / "usr").mkdir()
    (work / "usr" / "mine").touch()
    roots.clear(work)
    assert (work / "usr" / "mine").exists()
