"""What a killed server has left running, where processes have no namespace that ends with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from airflow_sm_pipelines.local import launch
from airflow_sm_pipelines.local.sandbox import choose
from airflow_sm_pipelines.local.strays import end_strays
from tests.fakes import until


@pytest.mark.skipif(choose().name != "namespace", reason="needs mount namespaces")
def test_what_has_the_opt_ml_of_a_job_is_ended_and_nothing_else(tmp_path: Path) -> None:
    launcher = [sys.executable, "-I", "-S", launch.__file__, "namespace"]
    jobs = []
    for name in ("left", "other"):
        ml = tmp_path / name / "ml"
        ml.mkdir(parents=True)
        command = ["sh", "-c", ": > /opt/ml/started; exec sleep 600"]
        jobs.append(subprocess.Popen([*launcher, str(ml), "--", *command]))
        until((ml / "started").exists)
    left, other = jobs
    with left, other:
        try:
            assert end_strays(tmp_path / "left") == 1
            assert left.wait() == -9
            assert other.poll() is None
        finally:
            other.kill()
