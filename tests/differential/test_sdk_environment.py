"""The properties of this folder, run in the SDK's environment: it cannot share Airflow's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SDK_PYTHON = ROOT / ".venvs" / "sdk" / "bin" / "python"
FOLDER = Path(__file__).parent.relative_to(ROOT)
EXAMPLES = "DIFFERENTIAL_EXAMPLES"


@pytest.mark.slow
def test_language_evaluates_what_the_sdk_builds_as_its_local_mode_does(tmp_path: Path) -> None:
    if not SDK_PYTHON.exists():
        reason = ".venvs/sdk is missing: make it with `make sdk`"
        pytest.fail(reason) if "CI" in os.environ else pytest.skip(reason)
    # The conftest above this folder is for Airflow's environment.
    options = ["-q", "-p", "no:cacheprovider", f"--confcutdir={FOLDER}"]
    result = subprocess.run(
        [SDK_PYTHON, "-m", "pytest", *options, FOLDER],
        cwd=ROOT,
        env={"HOME": str(tmp_path), **{k: v for k, v in os.environ.items() if k == EXAMPLES}},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(result.stdout)
    assert result.returncode == 0, result.stderr or result.stdout
    assert "conditions:" in result.stdout, "no property was run"
